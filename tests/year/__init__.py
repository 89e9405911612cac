"""A whole year of a town, by a clock that is moved by hand."""
