"""Grids at the command line: split, merged, renamed, moved, drawn and checked."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.alone import alone
from app.lists import desk_of
from app.registry import CannotDo, told
from app.settings import Settings
from handlers.actor import CLOCK
from handlers.audit import CONSOLE
from handlers.command import Command, Done, perform
from handlers.grid_check import line
from handlers.grids.arranging import arrangeable, console
from handlers.grids.checking import check
from handlers.grids.tallies import by_town, sums
from handlers.mapping import DrawGrids, features, read_features
from handlers.refusal import Refusal
from handlers.regridding import MergeGrids, MoveGrid, RenameGrid, SplitGrid
from handlers.work import Reading

_NAMED = 20
"""Grids that one line of the report names."""


def split(settings: Settings, grid: str, parts: str, *, sure: bool) -> str:
    """Split a grid, named by code, name or path, or tell what would come of it. Raises CannotDo."""
    return _give(settings, lambda at: SplitGrid(grid=at(grid), parts=parts, sure=sure))


def merge(settings: Settings, grid: str, into: str, called: str, *, sure: bool) -> str:
    """Merge a grid into another, or tell what would come of it. Raises CannotDo."""
    return _give(settings, lambda at: MergeGrids(grid=at(grid), into=at(into), called=called, sure=sure))


def rename(settings: Settings, grid: str, called: str) -> str:
    """Call a grid by another name. Raises CannotDo."""
    return _give(settings, lambda at: RenameGrid(grid=at(grid), called=called))


def move(settings: Settings, grid: str, to: str, *, sure: bool) -> str:
    """Put a grid under another one, or tell what would come of it. Raises CannotDo."""
    return _give(settings, lambda at: MoveGrid(grid=at(grid), to=at(to), sure=sure))


At = Callable[[str], int]


def _give(settings: Settings, command: Callable[[At], Command]) -> str:
    """Give a command about grids. Returns the plan where it is not sure, else nothing."""
    with alone(settings.database_url), desk_of(settings) as desk, desk.work(channel=CONSOLE) as work:
        work.actor = console(work.tree)
        outcome = perform(work, command(lambda words: _named(work, words)))
    if isinstance(outcome, Refusal) and outcome.text == "grid.sure":
        return str(outcome.args_["plan"])
    if isinstance(outcome, Refusal):
        raise CannotDo(told(desk.book, outcome))
    return ""


def _named(reading: Reading, words: str) -> int:
    found = arrangeable(reading, words)
    if len(found) == 1:
        return found[0]
    if not found:
        raise CannotDo(f"There is no grid called {words}.")
    codes = "、".join(f"{reading.tree.named(grid)}（{reading.tree.nodes[grid].code}）" for grid in found[:8])
    raise CannotDo(f"{len(found)} grids are called {words}; name one by its code: {codes}")


# ---- outlines ----------------------------------------------------------------------------------------------


def bring_outlines(settings: Settings, file: Path, *, dry_run: bool) -> dict[str, Any]:
    """Bring in the outlines of a GeoJSON file, or only tell what would come of it. Raises CannotDo."""
    with alone(settings.database_url), desk_of(settings) as desk, desk.work(channel=CONSOLE) as work:
        work.actor = console(work.tree)
        try:
            found = read_features(file.name, file.read_bytes())
        except Refusal as no:
            raise CannotDo(told(desk.book, no)) from no
        outcome = perform(work, DrawGrids(features=found, dry_run=dry_run))
    assert isinstance(outcome, Done), outcome
    return outcome.data


def write_outlines(settings: Settings, file: Path) -> int:
    """Write every outline as GeoJSON that can be brought in again. Returns how many there are."""
    with desk_of(settings) as desk, desk.reading(CLOCK) as reading:
        reading.actor = console(reading.tree)
        found = list(features(reading))
    file.write_text(json.dumps({"type": "FeatureCollection", "features": found}, ensure_ascii=False), "utf-8")
    return len(found)


# ---- the report --------------------------------------------------------------------------------------------


def report(settings: Settings) -> Iterator[str]:
    """What there is, town by town, and how it stands against the place's rules; in lines for a terminal."""
    with desk_of(settings) as desk, desk.reading(CLOCK) as reading:
        reading.actor = console(reading.tree)
        yield from _counts(reading)
        yield from (line(reading, result, _NAMED) for result in check(reading))


def _counts(reading: Reading) -> Iterator[str]:
    root = reading.tree.root
    for name, found in [
        *((reading.tree.named(town), held) for town, held in by_town(reading).items()),
        (root.name, sums(reading)[root.id]),
    ]:
        below = ((level.name, found.kinds[level.key]) for level in reading.book.levels)
        grids = "，".join(f"{words} {count}" for words, count in below if count)
        yield f"{name}：{grids}；住户 {found.households}，居民 {found.residents}，任职 {found.posts}"
