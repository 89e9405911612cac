"""The HTTP door: hooks for channels, the API and the pages."""
