"""Rows and the database under them."""
