"""The official names of a county, its towns and its villages, as a list that can be brought in."""

import csv
from collections.abc import Iterator

from handbook import Book
from handbook.loading import HERE
from handlers.refusal import Refusal
from handlers.registry.exporting import headings
from handlers.registry.spreadsheets import Row, Table

FILE = HERE / "divisions" / "villages.csv"
"""Statistical division codes, see the README beside it."""
DIGITS = 12


def divisions(book: Book, area: str) -> Table:
    """The skeleton of a county's tree: the upper three of the five official levels that lie within it.

    Args:
        book: of the place; its upper three levels are used.
        area: the county's code of six digits, such as 350121.

    Raises:
        Refusal: the names of this county are not there.
    """
    columns = book.registry.sheets["grids"].columns
    lines = [[line.get(column, "") for column in columns] for line in _lines(book, area)]
    if not lines:
        raise Refusal("sheet.no_divisions", code=area[:DIGITS], known="、".join(counties()))
    rows = [headings(book, "grids"), *lines]
    return Table(area, [Row(at, tuple(cells)) for at, cells in enumerate(rows, start=1)])


def _lines(book: Book, area: str) -> Iterator[dict[str, str]]:
    levels = [level.key for level in book.levels]
    seen: set[str] = set()
    for row in _rows():
        if row["areaCode"] != area:
            continue
        county, town = (row[name].ljust(DIGITS, "0") for name in ("areaCode", "streetCode"))
        line = ((county, row["area"], ""), (town, row["street"], county), (row["code"], row["name"], town))
        for level, (code, name, parent) in zip(levels, line, strict=False):
            if code not in seen:
                seen.add(code)
                yield {"code": code, "name": name, "parent": parent, "level": level}


def _rows() -> Iterator[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def counties() -> list[str]:
    """Code and name of every county whose villages are there."""
    return sorted({f"{row['areaCode']} {row['area']}" for row in _rows()})
