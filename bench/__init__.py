"""Measures speed against what the machine itself can do, side by side in one run."""
