"""Headings: which kind of list a sheet is, and what its columns mean, however the office calls them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from handbook.registry import RegistrySpec, SheetKind
from handlers.registry.spreadsheets import Row, Table
from handlers.registry.values import folded

SURE = 75.0
"""How alike a heading and a known word must be, out of 100."""
LOOKED_AT = 15
"""Lines among which the heading is searched: titles and notes stand above it."""
_NAMED = 60.0
"""What it counts that the sheet itself is called so: as much as most of a column."""
_NEEDED: Mapping[SheetKind, tuple[frozenset[str], ...]] = {
    "grids": (frozenset({"name"}), frozenset({"parent", "level", "code"})),
    "people": (frozenset({"name"}), frozenset({"role", "phone"}), frozenset({"grid", "unit", "role"})),
    "units": (frozenset({"name"}), frozenset({"grid", "duties"}), frozenset({"duties", "backstop", "hours"})),
    "households": (
        frozenset({"grid"}),
        frozenset({"head", "address", "door"}),
        frozenset({"head", "members"}),
    ),
}
"""Of each of these groups a sheet has at least one column."""
_ASIDE = re.compile(r"\(.*?\)|[*:]")


@dataclass(frozen=True)
class Heading:
    """How a sheet is to be read."""

    kind: SheetKind
    at: int
    """Place of the heading among the sheet's lines."""
    columns: Mapping[str, int]
    """What a column means -> its place."""
    unknown: tuple[str, ...]
    """Headings nobody knows; their columns are left out."""
    score: float


def find_heading(spec: RegistrySpec, table: Table) -> Heading | None:
    """Find the line that names the columns, and the kind of list it fits best; None where nothing fits."""
    found = [
        heading
        for at, row in enumerate(table.rows[:LOOKED_AT])
        for kind in spec.sheets
        if (heading := _as_heading(spec, table.name, kind, at, row)) is not None
    ]
    return max(found, key=lambda heading: (heading.score, -heading.at), default=None)


def _as_heading(spec: RegistrySpec, name: str, kind: SheetKind, at: int, row: Row) -> Heading | None:
    cells = [_plain(cell, spec.asides) for cell in row.cells]
    ranked = sorted(
        (
            (-_likeness(cell, words), place, key)
            for place, cell in enumerate(cells)
            if cell
            for key, words in spec.sheets[kind].columns.items()
        ),
    )
    columns: dict[str, int] = {}
    score = 0.0
    for likeness, place, key in ranked:
        if -likeness >= SURE and key not in columns and place not in columns.values():
            columns[key] = place
            score -= likeness
    if not all(columns.keys() & group for group in _NEEDED[kind]):
        return None
    unknown = tuple(row.cells[at] for at, cell in enumerate(cells) if cell and at not in columns.values())
    known_by = max(fuzz.partial_ratio(folded(name), folded(word)) for word in spec.sheets[kind].names)
    score += _NAMED if known_by == 100.0 else 0.0
    return Heading(kind, at, columns, unknown, score)


def _plain(cell: str, asides: Sequence[str]) -> str:
    found = _ASIDE.sub("", folded(cell))
    for aside in asides:
        found = found.replace(aside, "")
    return found


def _likeness(cell: str, words: tuple[str, ...]) -> float:
    """100 as written; a little less for a later word of the list, so that the usual meaning wins."""
    return max(_alike(cell, folded(word)) - 0.1 * place for place, word in enumerate(words))


def _alike(cell: str, word: str) -> float:
    if cell == word:
        return 100.0
    within = len(word) > 1 and word in cell and len(cell) <= len(word) + 4
    return max(fuzz.ratio(cell, word), 80.0 if within else 0.0)
