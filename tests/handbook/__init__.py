"""The book: its sheets, its faults, its five places and their towns."""
