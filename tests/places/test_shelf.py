"""Books of several places: each is read once, and bears a title only where its place has one."""

from dataclasses import replace

import pytest

from app.branch import Shelf
from app.settings import read_settings
from handbook import Book, open_book


@pytest.mark.parametrize("titles", [("", "永泰县"), ("永泰县", "")])
def test_a_place_without_a_title_has_its_book_as_it_is(
    monkeypatch: pytest.MonkeyPatch, titles: tuple[str, str]
) -> None:
    read: list[Book] = []

    def reading(place: str) -> Book:
        read.append(open_book(place))
        return read[-1]

    monkeypatch.setattr("app.branch.open_book", reading)
    settings, shelf = read_settings({"XIAOGE_PLACE": "default"}), Shelf()
    books = {title: shelf.book(replace(settings, title=title)) for title in (*titles, *titles)}

    assert len(read) == 1
    assert books[""] is read[0]
    assert books["永泰县"].place.name == "永泰县"
    assert books["永泰县"] is shelf.book(replace(settings, title="永泰县"))
