"""Dividing: what lies in a grid, and to which of its parts each thing goes when it is split."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Table, select, update
from sqlmodel import col

from handbook.cutting import parts_of
from handlers.grids.arranging import LONGEST
from handlers.refusal import Refusal
from handlers.registry.values import folded
from handlers.tree import Node
from handlers.work import Work
from models import OPEN, Household, Incident, Member, Person, Unit

MOST_PARTS = 20
_HOMES: Table = Household.__table__  # type: ignore[attr-defined]
_LIVES: Table = Member.__table__  # type: ignore[attr-defined]
_PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
_UNITS: Table = Unit.__table__  # type: ignore[attr-defined]


@dataclass
class Slice:
    """One part of a grid that is split: its name, and what was said to lie in it."""

    name: str
    places: tuple[str, ...] = ()
    children: list[Node] = field(default_factory=list)
    homes: list[int] = field(default_factory=list)
    cases: list[Incident] = field(default_factory=list)
    id: int = 0
    """Once it is written."""


def slices(words: str) -> list[Slice]:
    """Read what a grid is to be split into. Raises Refusal where that is not two or more names, all apart."""
    made = [Slice(name, places) for name, places in parts_of(words)]
    names = [folded(part.name) for part in made]
    lengths = [0 < len(part.name) <= LONGEST for part in made]
    if not 2 <= len(made) <= MOST_PARTS or len(set(names)) < len(names) or not all(lengths):
        raise Refusal("split_grid.parts_wrong")
    _must_lie_in_one(made)
    return made


def _must_lie_in_one(parts: Sequence[Slice]) -> None:
    """A building that is named for two parts lies in neither. Raises Refusal."""
    owners: dict[str, Slice] = {}
    for part in parts:
        for place in part.places:
            if owners.setdefault(folded(place), part) is not part:
                raise Refusal("split_grid.twice", place=place)


def rest_of(parts: Sequence[Slice]) -> Slice:
    """The part that gets what was not named: the first for which no building was named, else the first."""
    return next((part for part in parts if not part.places), parts[0])


def deal_out(work: Work, grid: Node, parts: Sequence[Slice], *, lock: bool) -> None:
    """Give each part what was named for it, and the rest to one of them; nothing is written.

    `lock`: the cases are to be moved, and not only counted.

    Raises Refusal for a building that is not there, so that a slip of the pen moves nobody.
    """
    rest = rest_of(parts)
    met: set[str] = set()
    for child in (work.tree.nodes[number] for number in work.tree.children.get(grid.id, ())):
        words = [folded(word) for word in (child.name, *child.aliases)]
        _owner_of(parts, words, met, rest).children.append(child)
    query = select(_HOMES.c.id, _HOMES.c.address).where(_HOMES.c.grid_id == grid.id).order_by(_HOMES.c.id)
    for home in work.session.execute(query):
        _owner_of(parts, [folded(home.address)], met, rest).homes.append(home.id)
    strange = [place for part in parts for place in part.places if folded(place) not in met]
    if strange:
        raise Refusal("split_grid.not_there", place="、".join(strange[:5]), name=grid.name)
    cases = open_cases(work, [grid.id], lock=lock)
    lives = _homes_of(work, [case.reporter_id for case in cases])
    for case in cases:
        _of_case(parts, case, lives.get(case.reporter_id), rest).cases.append(case)


def _owner_of(parts: Sequence[Slice], words: Sequence[str], met: set[str], rest: Slice) -> Slice:
    """Raises Refusal for a building of two parts: 3栋 of one holds 3栋2单元 of the other."""
    found: Slice | None = None
    for part in parts:
        for place in map(folded, part.places):
            if any(_begins(word, place) for word in words):
                met.add(place)
                if found not in (None, part):
                    raise Refusal("split_grid.twice", place=words[0])
                found = part
    return found or rest


def _begins(word: str, place: str) -> bool:
    """3栋2单元 lies in 3栋, and not in 3; 31栋 does not lie in 3."""
    return word.startswith(place) and not (place[-1:].isdigit() and word[len(place) :][:1].isdigit())


def _homes_of(work: Work, people: Sequence[int]) -> dict[int, int]:
    """Person -> the household they live in, the latest where there are several."""
    found: dict[int, int] = {}
    for start in range(0, len(people), 500):
        lives = (
            select(_LIVES.c.person_id, _LIVES.c.household_id)
            .where(_LIVES.c.person_id.in_(set(people[start : start + 500])), _LIVES.c.until.is_(None))
            .order_by(_LIVES.c.id)
        )
        found |= {row.person_id: row.household_id for row in work.session.execute(lives)}
    return found


def _of_case(parts: Sequence[Slice], case: Incident, home: int | None, rest: Slice) -> Slice:
    """By the building its words name, else by where its reporter lives."""
    told = folded(f"{case.spot} {case.what}")
    named = [part for part in parts if any(_stands_in(told, folded(place)) for place in part.places)]
    if len(named) == 1:
        return named[0]
    return next((part for part in parts if home in part.homes), rest)


def _stands_in(told: str, place: str) -> bool:
    """Whether a building is named: 3栋 in 他家3栋楼下, not in 13栋."""
    before = r"(?<!\d)" if place[:1].isdigit() else ""
    return re.search(before + re.escape(place), told) is not None


def open_cases(work: Work, grids: Sequence[int], *, lock: bool = True) -> list[Incident]:
    """The open cases that lie on exactly these grids."""
    query = (
        select(Incident)
        .where(col(Incident.grid_id).in_(grids), col(Incident.state).in_(OPEN))
        .order_by(col(Incident.id))
        .execution_options(populate_existing=True)
    )
    if lock:
        query = query.with_for_update(of=Incident)
    return list(work.session.execute(query).scalars())


# ---- writing -----------------------------------------------------------------------------------------------


def move_homes(work: Work, homes: Sequence[int], to: int) -> None:
    """Households lie in another grid from now on, and who lives in them with them."""
    for start in range(0, len(homes), 500):
        some = homes[start : start + 500]
        work.session.execute(update(_HOMES).where(_HOMES.c.id.in_(some)).values(grid_id=to))
        lives = select(_LIVES.c.person_id).where(_LIVES.c.household_id.in_(some), _LIVES.c.until.is_(None))
        work.session.execute(update(_PEOPLE).where(_PEOPLE.c.id.in_(lives)).values(home_grid_id=to))


def move_rest(work: Work, grid: int, to: int, home: int | None) -> None:
    """Units go where the rest goes. Residents without a household are known to live in `home`, no closer."""
    work.session.execute(update(_PEOPLE).where(_PEOPLE.c.home_grid_id == grid).values(home_grid_id=home))
    work.session.execute(update(_UNITS).where(_UNITS.c.grid_id == grid).values(grid_id=to))
