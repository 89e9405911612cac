"""The registry from and to an office's own lists: read, compared with what is there, written, undone."""
