"""Residents: doors, moves, what is kept of them and for how long."""
