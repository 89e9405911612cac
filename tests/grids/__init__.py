"""Tests of grids that change, of where they end, and of how they stand against the rules."""
