"""One file per way of reaching people; a vendor's library is imported only in its own file."""
