"""Several places in one process."""
