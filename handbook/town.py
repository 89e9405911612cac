"""Walks a book's demo town, every numbered series spelled out, for checks and for whoever sets it up."""

from collections.abc import Iterator
from dataclasses import dataclass

from handbook.schema import TownGrid, TownPost, TownSeries


@dataclass(frozen=True)
class Spot:
    """One grid of the town as it is to be set up.

    `names` leads from the root to the grid; `path` leads to it within the book. A grid of a series has no
    code, no place and no people of its own.
    """

    names: tuple[str, ...]
    path: tuple[str | int, ...]
    level: str
    kind: str
    aliases: tuple[str, ...]
    code: str | None = None
    lat: float | None = None
    lon: float | None = None
    people: tuple[TownPost, ...] = ()

    @property
    def name(self) -> str:
        """The grid's own name."""
        return self.names[-1]

    def lies_in(self, other: "Spot") -> bool:
        """Tell whether this grid is the other one or stands below it."""
        return self.names[: len(other.names)] == other.names


def spots(
    tree: TownGrid, above: tuple[str, ...] = (), path: tuple[str | int, ...] = ("town", "tree")
) -> Iterator[Spot]:
    """List the grids of a tree, parents before children and in the order of the sheet."""
    names = (*above, tree.name)
    yield Spot(
        names, path, tree.level, tree.kind, tree.aliases, tree.code, tree.lat, tree.lon, people=tree.people
    )
    for index, child in enumerate(tree.children):
        yield from spots(child, names, (*path, "children", index))
    for index, series in enumerate(tree.numbered):
        yield from _numbered(series, names, (*path, "numbered", index))


def _numbered(series: TownSeries, above: tuple[str, ...], path: tuple[str | int, ...]) -> Iterator[Spot]:
    for number in range(series.start, series.start + series.count):
        names = (*above, _with(series.name, number))
        yield Spot(
            names, path, series.level, series.kind, tuple(_with(alias, number) for alias in series.aliases)
        )
        for index, child in enumerate(series.children):
            yield from spots(child, names, (*path, "children", index))


def _with(name: str, number: int) -> str:
    return name.replace("{n}", str(number))


def named(tree: TownGrid, words: str) -> tuple[Spot, ...]:
    """Find the grids meant by a name or a path such as 幸福社区/第一网格; a sound book means exactly one."""
    wanted = tuple(words.split("/"))
    return tuple(spot for spot in spots(tree) if spot.names[-len(wanted) :] == wanted)
