"""The place's own rules as data: what a town decides, checked at the start and frozen.

`open_book("minhou")` gives a `Book`; its default and five places are folders beside this file.
"""

from handbook.book import Book
from handbook.loading import open_book
from handbook.sheets import BookError

__all__ = ["Book", "BookError", "open_book"]
