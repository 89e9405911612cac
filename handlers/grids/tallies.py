"""Tallies: how many live in each grid, kept beside the grids, and summed up by town in a few queries."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Table, delete, func, insert, or_, select
from sqlmodel import Session

from handlers.work import Reading
from models import Grid, GridTally, Household, Member, Post, path_range

TALLIES: Table = GridTally.__table__  # type: ignore[attr-defined]
_HOMES: Table = Household.__table__  # type: ignore[attr-defined]
_LIVES: Table = Member.__table__  # type: ignore[attr-defined]
_POSTS: Table = Post.__table__  # type: ignore[attr-defined]
_GRIDS: Table = Grid.__table__  # type: ignore[attr-defined]
_AT_ONCE = 500


def recount(session: Session, now: datetime, grids: Iterable[int] | None = None) -> None:
    """Count anew who lives in grids (None: in all); called in each work that has changed it."""
    session.flush()
    if grids is None:
        _one_at_a_time(session, None)
        session.execute(delete(TALLIES))
        _count(session, now, None)
        return
    wanted = sorted(set(grids))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        _one_at_a_time(session, some)
        session.execute(delete(TALLIES).where(TALLIES.c.grid_id.in_(some)))
        _count(session, now, some)


def recount_around(session: Session, now: datetime, people: Iterable[int]) -> None:
    """Count anew the grids behind whose doors these people live or ever lived."""
    recount(session, now, homes_of(session, people))


def homes_of(session: Session, people: Iterable[int]) -> set[int]:
    """The grids behind whose doors these people live or ever lived."""
    lived = select(_HOMES.c.grid_id).join(_LIVES, _LIVES.c.household_id == _HOMES.c.id)
    return set(session.execute(lived.where(_LIVES.c.person_id.in_(list(people)))).scalars())


def _one_at_a_time(session: Session, grids: list[int] | None) -> None:
    """Two works that count one grid would each write its row, and neither would see the other's people."""
    query = select(_GRIDS.c.id).order_by(_GRIDS.c.id).with_for_update(key_share=True)
    session.execute(query if grids is None else query.where(_GRIDS.c.id.in_(grids))).all()


def _count(session: Session, now: datetime, grids: list[int] | None) -> None:
    homes = select(_HOMES.c.grid_id, func.count()).group_by(_HOMES.c.grid_id)
    people = (
        select(_HOMES.c.grid_id, func.count())
        .join(_LIVES, _LIVES.c.household_id == _HOMES.c.id)
        .where(or_(_LIVES.c.until.is_(None), _LIVES.c.until > now))
        .group_by(_HOMES.c.grid_id)
    )
    if grids is not None:
        homes, people = (query.where(_HOMES.c.grid_id.in_(grids)) for query in (homes, people))
    residents = {row[0]: row[1] for row in session.execute(people)}
    rows = [
        {"grid_id": grid, "households": count, "residents": residents.get(grid, 0)}
        for grid, count in session.execute(homes)
    ]
    if rows:
        session.execute(insert(TALLIES), rows)


def tallies(session: Session) -> dict[int, tuple[int, int]]:
    """Households and residents of each grid by itself; grids where nobody lives are left out."""
    query = select(TALLIES.c.grid_id, TALLIES.c.households, TALLIES.c.residents)
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def homes_below(session: Session, path: str) -> dict[str, int]:
    """Path of each grid of a subtree where anybody lives -> how many households it holds by itself."""
    low, high = path_range(path)
    query = select(_GRIDS.c.path, TALLIES.c.households).join(_GRIDS, _GRIDS.c.id == TALLIES.c.grid_id)
    inside = query.where(_GRIDS.c.path >= low, _GRIDS.c.path < high)
    return {row[0]: row[1] for row in session.execute(inside)}


@dataclass
class Sum:
    """What a grid and everything below it hold."""

    households: int = 0
    residents: int = 0
    posts: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Kind or level of the grids below -> how many."""


def sums(reading: Reading) -> dict[int, Sum]:
    """Every grid of today with what lies in its subtree: two queries and one pass up the tree."""
    tree, counted, held = reading.tree, tallies(reading.session), _posts(reading)
    found = {
        grid: Sum(*counted.get(grid, (0, 0)), held.get(grid, 0), kinds)
        for grid, kinds in tree.kinds_below.items()
    }
    for grid, parent in tree.lowest_first:
        own, above = found[grid], found[parent]
        above.households += own.households
        above.residents += own.residents
        above.posts += own.posts
    return found


def _posts(reading: Reading) -> dict[int, int]:
    held = (_POSTS.c.since <= reading.now, or_(_POSTS.c.until.is_(None), _POSTS.c.until > reading.now))
    query = select(_POSTS.c.grid_id, func.count()).where(*held).group_by(_POSTS.c.grid_id)
    return {row[0]: row[1] for row in reading.session.execute(query)}


def by_town(reading: Reading) -> dict[int, Sum]:
    """What each town (each grid right below the top) holds; the counts a county looks at every day."""
    found = sums(reading)
    return {town: found[town] for town in reading.tree.children.get(reading.tree.root.id, [])}
