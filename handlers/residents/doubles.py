"""Doubles: records that may be the same person, by phone, sound of the name, door and address; only told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import Table, func, select

from handbook.words import syllables
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import Refusal
from handlers.residents.details import is_current
from handlers.residents.scope import (
    DETAILS,
    PEOPLE,
    RECORD,
    Resident,
    area_of,
    home_label,
    lies_below,
    resident_in,
    select_residents,
)
from handlers.work import Reading, Work
from models import Apart

MOST = 20_000
"""Residents that are compared at once: a community's, in less than a second."""
SHOWN = 5
_CROWD = 12
"""More of one key than this are no doubles of each other (a phone of the office)."""
_APART: Table = Apart.__table__  # type: ignore[attr-defined]
STRENGTH = ("number", "phone", "phone_sound", "door", "door_sound", "address")
"""Reasons, the strongest first."""


class FindDoubles(Command):
    """Pairs of records that may be one person, with the reason."""

    name: ClassVar[str] = "doubles"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    where: Annotated[str, Ask("text"), Field(max_length=40)] = ""


@dataclass(frozen=True)
class Pair:
    """Two records that may be one person, the older first."""

    one: Resident
    other: Resident
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    """What is compared of a record; no phone is opened for it."""

    resident: Resident
    phone: str | None
    sound: tuple[str, ...]
    area: int


@handles(FindDoubles)
def find_doubles(work: Work, command: FindDoubles) -> Done:
    """The strongest reasons first; nothing is joined by itself."""
    pairs = doubles(work, _path(work, command.where))
    if not pairs:
        work.reply("doubles.none")
        return Done({"count": 0, "pairs": []})
    items = [_line(work, pair) for pair in pairs[:SHOWN]]
    choices = [
        {
            "label": item["name"],
            "do": "join_residents",
            "known": {"one": pair.one.id, "other": pair.other.id},
            "listed": True,
        }
        for item, pair in zip(items, pairs, strict=False)
    ]
    work.reply("doubles.list", count=len(pairs), items=items, choices=choices)
    shown = [{"one": pair.one.id, "other": pair.other.id, "reasons": list(pair.reasons)} for pair in pairs]
    return Done({"count": len(pairs), "pairs": shown[:200]})


def _path(work: Work, words: str) -> str | None:
    if not words:
        return None
    own = tuple(post.path for post in work.actor.posts if post.unit_id is None)
    guess = work.tree.places.find(words, within=own)
    if guess.best is None:
        raise Refusal("segment.no_place", which=words[:20])
    return work.tree.nodes[guess.best].path


def _line(work: Work, pair: Pair) -> dict[str, str]:
    return {
        "name": pair.one.name if pair.one.name == pair.other.name else f"{pair.one.name}/{pair.other.name}",
        "one": home_label(work, pair.one),
        "other": home_label(work, pair.other),
        "reasons": reason_words(work, pair),
    }


def reason_words(work: Reading, pair: Pair) -> str:
    """Why two records may be one person."""
    return "、".join(work.word(_WORDS[reason]) for reason in pair.reasons)


_WORDS: Mapping[str, str] = {
    "number": "double.number",
    "phone": "double.phone",
    "phone_sound": "double.phone_sound",
    "door": "double.door",
    "door_sound": "double.door_sound",
    "address": "double.address",
}


# ---- comparing -------------------------------------------------------------------------------------------


def doubles(reading: Reading, path: str | None = None) -> list[Pair]:
    """Pairs within reach (and below a path) that may be one person, the strongest reasons first.

    Raises Refusal where there are too many residents to compare at once.
    """
    query = select_residents(reading, RECORD)
    if path is not None:
        query = query.where(lies_below(path))
    everybody = reading.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    if everybody > MOST:
        raise Refusal("doubles.too_many", count=everybody)
    found = [(resident_in(row), row.phone_digest) for row in reading.session.execute(_without_phones(query))]
    seen = [
        _Seen(one, phone, tuple(syllables(one.name)), area_of(reading, one.grid_id)) for one, phone in found
    ]
    return _pairs(reading, seen)


def _without_phones(query: Any) -> Any:
    """Opening a hundred thousand seals takes seconds, and no phone is shown here."""
    kept = [column for column in query.selected_columns if column.key != "phone"]
    return query.with_only_columns(*kept, func.nullif("", "").label("phone"))


def _pairs(reading: Reading, seen: list[_Seen]) -> list[Pair]:
    by_id = {one.resident.id: one for one in seen}
    reasons: dict[tuple[int, int], set[str]] = defaultdict(set)
    for reason, one, other in _alike(reading, seen):
        if one.resident.id != other.resident.id:
            low, high = sorted((one.resident.id, other.resident.id))
            reasons[low, high].add(reason)
    for apart in _said_apart(reading, reasons):
        reasons.pop(apart, None)
    found = [
        Pair(
            by_id[low].resident,
            by_id[high].resident,
            tuple(reason for reason in STRENGTH if reason in why),
        )
        for (low, high), why in reasons.items()
    ]
    return sorted(found, key=lambda pair: (STRENGTH.index(pair.reasons[0]), pair.one.id, pair.other.id))


def _alike(reading: Reading, seen: list[_Seen]) -> Iterator[tuple[str, _Seen, _Seen]]:
    for one, other in _within(seen, lambda one: (one.phone, one.sound) if one.phone else None):
        yield ("phone" if one.resident.name == other.resident.name else "phone_sound"), one, other
    at_door = lambda one: (one.resident.door.id, one.sound) if one.resident.door else None  # noqa: E731
    for one, other in _within(seen, at_door):
        yield ("door" if one.resident.name == other.resident.name else "door_sound"), one, other
    for one, other in _within(seen, lambda one: (one.area, one.resident.name)):
        if _may_be_one(one, other):
            yield "address", one, other
    numbers = _numbers(reading)
    for one, other in _within(seen, lambda one: numbers.get(one.resident.id)):
        yield "number", one, other


def _may_be_one(one: _Seen, other: _Seen) -> bool:
    """Of one name in one grid: nothing that is known of both differs."""
    if one.phone and other.phone and one.phone != other.phone:
        return False
    doors = (one.resident.door, other.resident.door)
    if doors[0] is None or doors[1] is None:
        return True
    return (doors[0].grid_id, doors[0].address) == (doors[1].grid_id, doors[1].address)


def _within(seen: Iterable[_Seen], key: Any) -> Iterator[tuple[_Seen, _Seen]]:
    groups: dict[Any, list[_Seen]] = defaultdict(list)
    for one in seen:
        found = key(one)
        if found is not None:
            groups[found].append(one)
    for group in groups.values():
        if 1 < len(group) <= _CROWD:
            yield from combinations(group, 2)


def _numbers(reading: Reading) -> dict[int, str]:
    """Person -> digest of the ID number, where that is kept."""
    query = select(DETAILS.c.person_id, DETAILS.c.hidden_digest).where(
        DETAILS.c.module.in_(
            [key for key, spec in reading.book.residents.on.items() if spec.form == "id_number"]
        ),
        DETAILS.c.hidden_digest.is_not(None),
        DETAILS.c.person_id.is_not(None),
        is_current(reading.now),
    )
    return {row.person_id: row.hidden_digest for row in reading.session.execute(query)}


def _said_apart(reading: Reading, pairs: Mapping[tuple[int, int], object]) -> Iterator[tuple[int, int]]:
    query = select(_APART.c.one_id, _APART.c.other_id)
    for row in reading.session.execute(query):
        if (row.one_id, row.other_id) in pairs:
            yield row.one_id, row.other_id


def known_apart(reading: Reading, one: int, other: int) -> bool:
    """Whether somebody said that two records are two people."""
    low, high = sorted((one, other))
    query = select(_APART.c.id).where(_APART.c.one_id == low, _APART.c.other_id == high)
    return reading.session.execute(query).first() is not None


def why_alike(reading: Reading, one: Resident, other: Resident) -> tuple[str, ...]:
    """The reasons for which two records may be one person."""
    digests = {
        row.id: row.phone_digest
        for row in reading.session.execute(
            select(PEOPLE.c.id, PEOPLE.c.phone_digest).where(PEOPLE.c.id.in_([one.id, other.id]))
        )
    }
    seen = [
        _Seen(who, digests.get(who.id), tuple(syllables(who.name)), area_of(reading, who.grid_id))
        for who in (one, other)
    ]
    found = {reason for reason, *_ in _alike(reading, seen)}
    return tuple(reason for reason in STRENGTH if reason in found)
