"""Whose residents are whose: the only source of doors and residents that are shown or changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, false, func, or_, select

from handlers.refusal import NotFound
from handlers.work import Reading
from models import Detail, Grid, Household, Member, Person, path_range

GRIDS: Table = Grid.__table__  # type: ignore[attr-defined]
HOMES: Table = Household.__table__  # type: ignore[attr-defined]
MEMBERS: Table = Member.__table__  # type: ignore[attr-defined]
PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
DETAILS: Table = Detail.__table__  # type: ignore[attr-defined]
LOOK_UP, RECORD, CONFIDE = "look_up", "record", "confide"
"""Abilities: open a door's brief, write, and see what is sensitive."""


@dataclass(frozen=True)
class Door:
    """A door of a grid."""

    id: int
    grid_id: int
    address: str
    door: str


@dataclass(frozen=True)
class Resident:
    """Somebody who lives within reach: behind a door, or only known to live in a grid."""

    id: int
    name: str
    phone: str | None
    grid_id: int
    head: bool = False
    member_id: int | None = None
    door: Door | None = None


def grids_where(reading: Reading, ability: str) -> Select[Any]:
    """Ids of the grids on which a post of the actor gives the ability."""
    return select(GRIDS.c.id).where(_within(reading, ability))


def _within(reading: Reading, ability: str) -> ColumnElement[bool]:
    posts = [post for post in reading.actor.posts if post.unit_id is None and ability in post.abilities]
    if not posts:
        return false()
    ranges = {path_range(post.path) for post in posts}
    return or_(*(and_(GRIDS.c.path >= low, GRIDS.c.path < high) for low, high in sorted(ranges)))


def grids_below(*paths: str) -> Select[Any]:
    """Ids of the grids in subtrees."""
    ranges = sorted({path_range(path) for path in paths})
    return select(GRIDS.c.id).where(
        or_(*(and_(GRIDS.c.path >= low, GRIDS.c.path < high) for low, high in ranges))
    )


def lies_below(path: str) -> ColumnElement[bool]:
    """Condition on a resident: the door they live behind, or the home they named, lies in a subtree."""
    return func.coalesce(HOMES.c.grid_id, PEOPLE.c.home_grid_id).in_(grids_below(path))


def may_at(reading: Reading, ability: str, grid_id: int) -> bool:
    """Whether a post of the actor gives the ability on a grid."""
    return reading.actor.may_on(ability, reading.tree.nodes[grid_id].path)


def lives_there(now: Any) -> ColumnElement[bool]:
    """Condition: a membership that has not ended."""
    return or_(MEMBERS.c.until.is_(None), MEMBERS.c.until > now)


def is_known() -> ColumnElement[bool]:
    """Condition: a person of whom something is known, who is alive and no empty half of another record."""
    columns = (PEOPLE.c.forgotten_at, PEOPLE.c.joined_into, PEOPLE.c.died_at)
    return and_(*(column.is_(None) for column in columns))


def doors(reading: Reading, ability: str, *conditions: ColumnElement[bool], limit: int) -> list[Door]:
    """Doors within reach, the oldest first; a caller whom the limit cuts off has to say so."""
    query = select(HOMES).where(HOMES.c.grid_id.in_(grids_where(reading, ability)), *conditions)
    rows = reading.session.execute(query.order_by(HOMES.c.id).limit(limit))
    return [Door(row.id, row.grid_id, row.address, row.door) for row in rows]


def door_of(reading: Reading, ability: str, household_id: int) -> Door:
    """One door. Raises NotFound alike for what is absent and what is out of reach."""
    found = doors(reading, ability, HOMES.c.id == household_id, limit=1)
    if not found:
        raise NotFound("household.not_found")
    return found[0]


def select_residents(reading: Reading, ability: str) -> Select[Any]:
    """Everybody who lives within reach; whoever has no door is found by the grid they named as home."""
    grids = grids_where(reading, ability)
    lives = and_(MEMBERS.c.person_id == PEOPLE.c.id, lives_there(reading.now))
    at_home = and_(MEMBERS.c.id.is_(None), PEOPLE.c.home_grid_id.in_(grids))
    columns = (
        *(PEOPLE.c.id, PEOPLE.c.name, PEOPLE.c.phone, PEOPLE.c.phone_digest, PEOPLE.c.home_grid_id),
        *(MEMBERS.c.id.label("member_id"), MEMBERS.c.head, HOMES.c.id.label("household_id")),
        *(HOMES.c.grid_id, HOMES.c.address, HOMES.c.door),
    )
    joined = PEOPLE.outerjoin(MEMBERS, lives).outerjoin(HOMES, MEMBERS.c.household_id == HOMES.c.id)
    return select(*columns).select_from(joined).where(or_(HOMES.c.grid_id.in_(grids), at_home), is_known())


def residents(
    reading: Reading, ability: str, *conditions: ColumnElement[bool], limit: int = 200
) -> list[Resident]:
    """Residents within reach for whom the conditions hold, heads first, each once."""
    query = select_residents(reading, ability).where(*conditions)
    order = (HOMES.c.id, MEMBERS.c.head.desc(), PEOPLE.c.id)
    found = [resident_in(row) for row in reading.session.execute(query.order_by(*order).limit(limit))]
    return list({one.id: one for one in reversed(found)}.values())[::-1]


def resident_in(row: Any) -> Resident:
    """The resident in a row of `select_residents`."""
    door = None
    if row.household_id is not None:
        door = Door(row.household_id, row.grid_id, row.address, row.door)
    grid = row.grid_id if row.grid_id is not None else row.home_grid_id
    return Resident(row.id, row.name, row.phone, grid, bool(row.head), row.member_id, door)


def resident_of(reading: Reading, ability: str, person_id: int) -> Resident:
    """One resident. Raises NotFound alike for whom nobody knows and who is out of reach."""
    found = residents(reading, ability, PEOPLE.c.id == person_id)
    if not found:
        raise NotFound("resident.not_found")
    return found[0]


def behind(reading: Reading, door: Door) -> list[Resident]:
    """Who lives behind a door, the head first."""
    return residents(reading, LOOK_UP, HOMES.c.id == door.id, limit=50)


# ---- what a door is called -------------------------------------------------------------------------------


def area_of(reading: Reading, grid_id: int) -> int:
    """The lowest grid that somebody answers for, at a grid or above it."""
    for node in reading.tree.upward(grid_id):
        if reading.book.level(node.level).keeper is not None:
            return node.id
    return grid_id


def door_label(reading: Reading, door: Door) -> str:
    """A door by its grid and its words: 第一网格3栋501."""
    area, nodes = area_of(reading, door.grid_id), reading.tree.nodes
    inner = nodes[door.grid_id].name if door.grid_id != area else ""
    return f"{nodes[area].name}{inner}{door.address}{door.door}"


def home_label(reading: Reading, resident: Resident) -> str:
    """Where a resident lives, in words."""
    if resident.door is not None:
        return door_label(reading, resident.door)
    return reading.tree.named(resident.grid_id)


def names_above(reading: Reading, grid_id: int) -> Sequence[str]:
    """What the grids from here to the top are called, the longest names first."""
    names = {name for node in reading.tree.upward(grid_id) for name in (node.name, *node.aliases)}
    return sorted(names, key=len, reverse=True)
