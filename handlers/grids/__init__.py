"""Grids that change: what they were, what lies in them, where they end, and whether they fit the rules."""
