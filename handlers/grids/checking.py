"""Checking: which grids fit the place's rules and which do not; told, never enforced."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from handbook.registry import Measure, SizeRule
from handlers.grids.boundaries import areas, overlaps
from handlers.grids.tallies import Sum, sums
from handlers.tree import Node
from handlers.work import Reading
from models import Person, Post

_VILLAGE = re.compile(r"\d{12}")
_UNDER_VILLAGE = re.compile(r"(\d{12})\d{2,}")
PARTY_GROUP = 3
"""Members of the Party among those who serve a grid from which on it may have a group of its own."""
_PEOPLE = Person.__table__  # type: ignore[attr-defined]
_POSTS = Post.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Misfit:
    """A grid that is not as a rule wants it, and the figure that says so."""

    grid: int
    found: str = ""


@dataclass(frozen=True)
class Result:
    """What looking by one rule came to."""

    rule: str
    """The rule in the words of the place."""
    fits: int
    misfits: Sequence[Misfit]
    unknown: int = 0
    """Grids of which nothing is known that the rule could be held against."""


@dataclass(frozen=True)
class Look:
    """What all rules look at: the grids of the reader's area and what they hold."""

    reading: Reading
    nodes: Sequence[Node]
    sums: Mapping[int, Sum]
    km2: Mapping[int, float]

    def figure(self, node: Node, counts: str) -> float | None:
        """How much of something a grid holds; None where nobody has said."""
        held = self.sums[node.id] if node.id in self.sums else Sum()
        if counts == "km2":
            return self.km2.get(node.id)
        if counts == "subjects":
            return node.subjects
        if counts == "households":
            return held.households or None
        return (held.residents if counts == "residents" else held.kinds[counts]) or None


def check(reading: Reading, held: Mapping[int, Sum] | None = None) -> list[Result]:
    """Hold the grids of the reader's area against all rules: sizes, people, codes, outlines.

    `held`: what each grid holds, where that was summed up already.
    """
    within = [
        node
        for node in reading.tree.nodes.values()
        if any(low <= node.path < high for low, high in reading.actor.ranges)
    ]
    look = Look(reading, within, sums(reading) if held is None else held, areas(reading.session))
    rules = [_sized(look, rule) for rule in reading.book.registry.sizes]
    return [result for result in (*rules, *_others(look)) if result.fits or result.misfits or result.unknown]


def _others(look: Look) -> Iterator[Result]:
    yield _peopled(look)
    yield _kept(look)
    yield _coded(look)
    yield _outlined(look)
    yield from _party(look)


def _sized(look: Look, rule: SizeRule) -> Result:
    misfits, fits, unknown = list[Misfit](), 0, 0
    for node in look.nodes:
        if rule.of not in (node.level, node.kind.value):
            continue
        told = [(way, found) for way in rule.measures if (found := look.figure(node, way.counts)) is not None]
        if not told:
            unknown += 1
        elif any(way.fits(found) for way, found in told):
            fits += 1
        else:
            figures = [_figure(look.reading, way, found) for way, found in told]
            misfits.append(Misfit(node.id, look.reading.word("check.comma").join(figures)))
    return Result(_rule(look.reading, rule), fits, misfits, unknown)


def _figure(reading: Reading, way: Measure, found: float) -> str:
    count = f"{found:.2f}".rstrip("0").rstrip(".") if way.counts == "km2" else str(int(found))
    return reading.word("check.figure", count=count, unit=_unit(reading, way.counts))


def _rule(reading: Reading, rule: SizeRule) -> str:
    ways = [
        reading.word("check.figure", count=_wanted(reading, way), unit=_unit(reading, way.counts))
        for way in rule.measures
    ]
    return reading.word("check.size", of=_called(reading, rule.of), ways=reading.word("check.or").join(ways))


def _wanted(reading: Reading, way: Measure) -> str:
    if way.least and way.most:
        return way.wanted
    return reading.word("check.most" if way.most else "check.least", count=way.wanted)


def _unit(reading: Reading, counts: str) -> str:
    units = {
        "households": "check.households",
        "residents": "check.residents",
        "km2": "check.km2",
        "subjects": "check.subjects",
    }
    if counts in units:
        return reading.word(units[counts])
    return reading.word("check.below", name=_called(reading, counts))


def _called(reading: Reading, key: str) -> str:
    names = {level.key: level.name for level in reading.book.levels}
    return names.get(key) or reading.book.registry.kinds[key][0]  # type: ignore[index]


def _result(look: Look, rule: str, nodes: Sequence[Node], wrong: Sequence[Misfit]) -> Result:
    return Result(look.reading.word(rule), len(nodes) - len(wrong), wrong)


def _peopled(look: Look) -> Result:
    """Grids in which nobody is registered, once anybody is anywhere."""
    grids = [node for node in look.nodes if node.kind.value in ("base", "micro", "granule")]
    if not any(look.sums[node.id].households for node in grids if node.id in look.sums):
        return Result(look.reading.word("check.peopled"), 0, (), 0)
    empty = [Misfit(node.id) for node in grids if look.figure(node, "households") is None]
    return _result(look, "check.peopled", grids, empty)


def _kept(look: Look) -> Result:
    """Grids of a level somebody should answer for, and nobody does."""
    kept = {level.key for level in look.reading.book.levels if level.keeper is not None}
    grids = [node for node in look.nodes if node.level in kept]
    vacant = [Misfit(node.id) for node in grids if not look.reading.tree.keepers(node.id)]
    return _result(look, "check.kept", grids, vacant)


def _coded(look: Look) -> Result:
    """A grid's code is its village's, of 12 digits, and a serial (DB6101/T 3185-2024)."""
    wrong = [
        Misfit(node.id, node.code)
        for node in look.nodes
        if node.kind.value != "area" and not _is_coded(look, node)
    ]
    return _result(look, "check.coded", [node for node in look.nodes if node.kind.value != "area"], wrong)


def _is_coded(look: Look, node: Node) -> bool:
    own = _UNDER_VILLAGE.fullmatch(node.code)
    villages = [upper.code for upper in look.reading.tree.upward(node.id) if _VILLAGE.fullmatch(upper.code)]
    return own is not None and (not villages or own[1] == villages[0])


def _outlined(look: Look) -> Result:
    """Grids beside each other whose outlines lie over each other; nothing where none is drawn."""
    drawn = [node for node in look.nodes if node.id in look.km2]
    within = {node.id for node in drawn}
    pairs = overlaps(look.reading) if len(drawn) > 1 else []
    named = look.reading.tree.named
    wrong = [Misfit(one, named(other)) for one, other in pairs if one in within and other in within]
    return Result(look.reading.word("check.outlined"), len(drawn) - len(wrong) if drawn else 0, wrong)


def _party(look: Look) -> Iterator[Result]:
    """A hint where enough members serve a grid; left out where nobody's membership is known."""
    now = look.reading.now
    query = (
        select(_POSTS.c.grid_id, func.count(_POSTS.c.person_id.distinct()))
        .join(_PEOPLE, _PEOPLE.c.id == _POSTS.c.person_id)
        .where(_PEOPLE.c.party.is_(True), _POSTS.c.since <= now)
        .where(or_(_POSTS.c.until.is_(None), _POSTS.c.until > now))
        .group_by(_POSTS.c.grid_id)
    )
    members = {row[0]: row[1] for row in look.reading.session.execute(query)}
    if not members:
        return
    grids = [node for node in look.nodes if node.kind.value == "base"]
    enough = [node for node in grids if members.get(node.id, 0) >= PARTY_GROUP]
    figures = [Misfit(node.id, look.reading.word("check.members", count=members[node.id])) for node in enough]
    if figures:
        yield _result(look, "check.party", grids, figures)
