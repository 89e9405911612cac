"""The place's own rules as data: what a town decides, checked at the start and frozen."""
