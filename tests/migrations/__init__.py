"""How the tables change, on both databases."""
