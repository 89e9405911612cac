"""The chat door: turns what a person writes into a command, and an outcome into a reply."""
