"""The commands one by one: who may give them, what they change, and who hears of it."""
