"""Every place's book, opened once for all tests: it cannot be changed, so it can be shared."""

from functools import cache

from handbook import Book, open_book


@cache
def book_of(place: str) -> Book:
    return open_book(place)
