"""Whether the sections of a book agree with each other: what one calls by name must stand in another.

The schema looks at one value at a time; this looks across the book, so that a wrong name stops the start as
well and does not wait for the first case which needs it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from handbook.schema import BookData, Town, TownPost
from handbook.town import Spot, named, spots

Path = tuple[str | int, ...]
Fault = tuple[Path, str]


def disagreements(data: BookData) -> Iterator[Fault]:
    """List what does not agree: the path of the wrong name in the book, and what is wrong with it."""
    yield from _doubles(data)
    yield from _ladders(data)
    yield from _category_rules(data)
    yield from _tree(data)
    yield from _units(data)
    yield from _residents(data)
    yield from _assumed(data)


def _doubles(data: BookData) -> Iterator[Fault]:
    for key in _twice(level.key for level in data.levels):
        yield ("levels", key), f"two levels are called {key}"
    for code in _twice(category.code for category in data.categories):
        yield ("categories", code), f"two categories have the code {code}"
    for key in _twice(_seats(data.town)):
        yield ("town",), f"two demo seats are called {key}"


def _seats(town: Town) -> Iterator[str]:
    posts = [post for spot in spots(town.tree) for post in spot.people]
    posts += [post for unit in town.units for post in unit.people]
    yield from (post.key for post in posts if post.key)
    yield from (resident.key for resident in town.residents if resident.key)


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _ladders(data: BookData) -> Iterator[Fault]:
    depth = {level.key: index for index, level in enumerate(data.levels)}
    keepers = {level.key: level.keeper for level in data.levels}
    for key, grade in data.incidents.grades.items():
        rungs = [step.to for step in grade.ladder]
        for index, rung in enumerate(rungs):
            path: Path = ("incidents", "grades", key, "ladder", index, "to")
            if keepers[rung] is None:
                yield path, f"nobody keeps a {rung}, so it cannot be given a case"
            if index and depth[rung] >= depth[rungs[index - 1]]:
                yield path, f"a ladder climbs, and {rung} is not above {rungs[index - 1]}"


def _category_rules(data: BookData) -> Iterator[Fault]:
    codes = {category.code for category in data.categories}
    for code, rule in data.incidents.by_category.items():
        path: Path = ("incidents", "by_category", code)
        if code not in codes:
            yield path, f"no category has the code {code}"
        if rule.grade and rule.grade not in data.incidents.grades:
            yield (*path, "grade"), f"no grade is called {rule.grade}"


def _tree(data: BookData) -> Iterator[Fault]:
    depth = {level.key: index for index, level in enumerate(data.levels)}
    found: dict[tuple[str, ...], Spot] = {}
    for spot in spots(data.town.tree):
        if spot.names in found:
            yield (*spot.path, "name"), f"{'/'.join(spot.names)} stands there twice"
        above = found.get(spot.names[:-1])
        found[spot.names] = spot
        if spot.level not in depth:
            yield (*spot.path, "level"), f"no level is called {spot.level}"
        elif above and depth[spot.level] <= depth.get(above.level, -1):
            yield (*spot.path, "level"), f"a {spot.level} cannot stand under a {above.level}"
        yield from _posts(data, spot.people, spot.path)


def _posts(data: BookData, people: tuple[TownPost, ...], path: Path) -> Iterator[Fault]:
    for index, post in enumerate(people):
        if post.role not in data.roles:
            yield (*path, "people", index, "role"), f"no role is called {post.role}"


def _units(data: BookData) -> Iterator[Fault]:
    for index, unit in enumerate(data.town.units):
        path: Path = ("town", "units", index)
        if unit.calendar and unit.calendar not in data.hours:
            yield (*path, "calendar"), f"no hours are called {unit.calendar}"
        yield from _one_grid(data, unit.grid, (*path, "grid"))
        yield from _posts(data, unit.people, path)


def _residents(data: BookData) -> Iterator[Fault]:
    for index, resident in enumerate(data.town.residents):
        yield from _one_grid(data, resident.home, ("town", "residents", index, "home"))


def _one_grid(data: BookData, words: str, path: Path) -> Iterator[Fault]:
    meant = len(named(data.town.tree, words))
    if meant != 1:
        yield path, f"{words} must mean one grid of the town, and it means {meant}"


def _assumed(data: BookData) -> Iterator[Fault]:
    for dotted in data.place.source.assumed:
        if not stands_in(data, dotted):
            yield ("place", "source", "assumed", dotted), f"nothing in the book is called {dotted}"


def stands_in(data: BookData, dotted: str) -> bool:
    """Tell whether a dotted path such as incidents.grades.general.ladder leads to something in the book."""
    here: Any = data
    for step in dotted.split("."):
        if isinstance(here, BaseModel):
            here = getattr(here, step, None)
        elif isinstance(here, dict):
            here = here.get(step)
        else:
            return False
    return here is not None
