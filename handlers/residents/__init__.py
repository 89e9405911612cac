"""Residents: who lives behind which door, what else is kept of them, and for how long."""
