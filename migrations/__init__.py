"""How the tables came to be what they are: one line of steps for SQLite and PostgreSQL."""
