"""Opens a place's book: the default sheets, the place's own laid over them, checked and frozen.

Each sheet is a section of the book (`_SECTIONS`); only grid.yaml holds two. The texts stand in
texts/*.zh.yaml, nested or with dots. A place's folder has the same file names, and only what differs in them.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handbook.agreement import disagreements
from handbook.book import Book
from handbook.frozen import freeze
from handbook.schema import BookData
from handbook.sheets import BookError, Piece, join_by_name, lay_over, read_sheet

HERE = Path(__file__).parent
DEFAULT = "default"

_SECTIONS = {
    "place.yaml": "place",
    "hours.yaml": "hours",
    "holidays.yaml": "holidays",
    "incidents.yaml": "incidents",
    "categories.yaml": "categories",
    "danger.yaml": "danger",
    "intents.yaml": "intents",
    "schedule.yaml": "schedule",
    "registry.yaml": "registry",
    "residents.yaml": "residents",
    "teams.yaml": "teams",
    "notices.yaml": "notices",
    "messages.yaml": "messages",
    "town.yaml": "town",
}
_HELPERS = (
    ("place.zone", "zone"),
    ("hours", "calendars"),
    ("categories", "kinds"),
    ("danger", "danger"),
    ("intents", "phrases"),
)
_GRID = "grid.yaml"
_TEXTS = "texts/*.zh.yaml"
_POINTED_AT = re.compile(
    r"(?:Value error, )?([\w.]+): .*?(\w+)$"
)  # incidents.arbiter_level: no level called moon


def places(folder: Path = HERE) -> tuple[str, ...]:
    """Name every place whose book can be opened, so that a wrong setting can be answered with the right ones.

    Returns:
        the default first, then the places' folders in alphabetical order.
    """
    found = sorted(sheet.parent.name for sheet in folder.glob("*/place.yaml"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


def open_book(place: str, folder: Path = HERE) -> Book:
    """Open the book of a place, and refuse a faulty one at the start rather than in the middle of a case.

    Args:
        place: the name of a folder of `folder`, one of `places(folder)`.
        folder: where the default's and the places' folders are.

    Raises:
        BookError: no such place, or a wrong sheet; it names the file and the line of each fault.
    """
    if place not in places(folder):
        raise BookError(f"no book for {place!r}: there are {', '.join(places(folder))}")
    merged = read_sections(DEFAULT, folder)
    if place != DEFAULT:
        merged = _overlaid(merged, read_sections(place, folder))
    plain = merged.plain()
    book = Book(key=place, data=_checked(plain, merged), version=_version(plain))
    _compile(book, merged)
    return book


def read_sections(place: str, folder: Path = HERE) -> Piece:
    """Read one folder's sheets as they are, for the loader and for checks of the sheets.

    Returns:
        a mapping from section to its piece; a section whose sheet is missing is left out.

    Raises:
        BookError: a sheet of unknown name, or no plain YAML.
    """
    sections: dict[Any, Piece] = {}
    for path in sorted((folder / place).glob("*.yaml")):
        sheet = read_sheet(path, f"{place}/{path.name}")
        if path.name == _GRID:
            sections |= dict(sheet.items())
        elif path.name in _SECTIONS:
            sections[_SECTIONS[path.name]] = sheet
        else:
            raise sheet.fault(f"no sheet of the book is called {path.name}")
    texts = _texts(place, folder)
    if texts.value or place == DEFAULT:
        sections["texts"] = texts
    return Piece(sections, place, 1)


def _texts(place: str, folder: Path) -> Piece:
    found: dict[Any, Piece] = {}
    for path in sorted((folder / place).glob(_TEXTS)):
        for key, text in _flat(read_sheet(path, path.relative_to(folder).as_posix())):
            if key in found:
                raise text.fault(f"{key} already stands in {found[key].file}:{found[key].line}")
            found[key] = text
    return Piece(found, f"{place}/texts", 1)


def _flat(sheet: Piece, above: str = "") -> Iterator[tuple[str, Piece]]:
    for key, part in sheet.items():
        if isinstance(part.value, dict):
            yield from _flat(part, f"{above}{key}.")
        else:
            yield f"{above}{key}", part


def _overlaid(default: Piece, own: Piece) -> Piece:
    merged: dict[Any, Piece] = dict(default.items())
    for section, part in own.items():
        merged[section] = _section(section, merged.get(section, Piece({}, part.file, part.line)), part)
    return Piece(merged, own.file, own.line)


def _section(name: str, default: Piece, own: Piece) -> Piece:
    if name == "categories":
        return join_by_name(default, own)
    if name == "town":
        return own  # a town is one tree: half of another town's people would make no sense in it
    if name == "texts":
        _known_keys(default, own)
    return lay_over(default, own)


def _known_keys(default: Piece, own: Piece) -> None:
    known = dict(default.items())
    for key, text in own.items():
        if key not in known:
            raise text.fault(f"{key}: nothing says a text of this name, so it would never be seen")


def _checked(plain: Any, merged: Piece) -> BookData:
    try:
        data = BookData.model_validate(plain)
    except ValidationError as error:
        wrong = [_fault(merged, detail["loc"], detail["msg"]) for detail in error.errors(include_url=False)]
        raise BookError(*wrong) from error
    faults = [_fault(merged, path, message) for path, message in disagreements(data)]
    if faults:
        raise BookError(*faults)
    freeze(data)
    return data


def _fault(merged: Piece, path: tuple[int | str, ...], message: str) -> str:
    spot = merged.nearest(path)
    pointed_at = None if path else _POINTED_AT.match(message)
    if pointed_at:
        section = merged.nearest(pointed_at[1].split("."))
        spot = section.saying(pointed_at[2]) or section
    return f"{spot.file}:{spot.line}: {'.'.join(map(str, path)) or 'the book'}: {message}"


def _compile(book: Book, merged: Piece) -> None:
    """Make the book's helpers now, since some faults show only when all of a section is put together."""
    for path, helper in _HELPERS:
        try:
            getattr(book, helper)
        except (ValueError, KeyError) as error:
            raise merged.nearest(path.split(".")).fault(f"{path}: {error}") from error


def _version(plain: Any) -> str:
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
