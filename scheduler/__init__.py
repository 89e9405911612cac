"""The clock's door: what time alone sets going."""
