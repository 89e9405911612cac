"""The program as a whole, while it is killed, starved and fed with poison."""
