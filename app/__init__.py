"""Joins the parts into one program and gives it a command line."""
