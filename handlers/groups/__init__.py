"""Bound groups of grids: which there are, how something is said in them, and what becomes of it."""
