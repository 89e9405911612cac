"""Which door is meant by words: found however it was typed, told apart by number where several could be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from handbook.doors import DoorWords, door_words, follows
from handlers.refusal import Refusal
from handlers.residents.scope import HOMES, LOOK_UP, Door, door_label, doors, grids_below, names_above
from handlers.work import Reading

MOST = 8
"""Doors that are offered by number."""
READ = 3000
"""Doors that are looked through for the one that is meant."""
_PLACES = 200
"""Places of one name that a search is held to."""


@dataclass(frozen=True)
class Found:
    """Doors that fit the words best, and the words that none of them explains (a name)."""

    doors: Sequence[Door]
    left: str = ""


def find_doors(reading: Reading, words: str, ability: str = LOOK_UP) -> Found:
    """Doors within reach whose address has the numbers said in their order, those that fit best.

    Args:
        reading: on behalf of whoever asks.
        words: 3栋501, 桂花苑3号楼2单元501室.
        ability: what the actor must be allowed to do there.

    Raises:
        Refusal: more doors could be meant than are looked through.
    """
    said = door_words(words)
    if not said.numbers:
        return Found((), "".join(said.words))
    last = said.numbers[-1]
    near = or_(
        HOMES.c.door.icontains(last, autoescape=True), HOMES.c.address.icontains(last, autoescape=True)
    )
    fitting = [
        (_rank(said, numbers), door)
        for door in _all_near(reading, said, words, ability, near)
        if follows(said.numbers, numbers := numbers_of(reading, door))
    ]
    best = min((rank for rank, _ in fitting), default=None)
    named = [(_left(reading, said.words, door), door) for rank, door in fitting if rank == best]
    least = min((len(left) for left, _ in named), default=0)
    return Found(
        [door for left, door in named if len(left) == least],
        next((left for left, _ in named if len(left) == least), "".join(said.words)),
    )


def _all_near(
    reading: Reading, said: DoorWords, words: str, ability: str, near: ColumnElement[bool]
) -> list[Door]:
    """Every door near the one said; in a large area only those of the place that is named besides.

    Raises Refusal where they are too many all the same: a part of them would make the rest look absent.
    """
    found = doors(reading, ability, near, limit=READ + 1)
    paths = _places_named(reading, said.words) if len(found) > READ else []
    if 0 < len(paths) <= _PLACES:
        inside = HOMES.c.grid_id.in_(grids_below(*paths))
        found = doors(reading, ability, near, inside, limit=READ + 1)
    if len(found) > READ:
        raise Refusal("household.too_many", door=words[:30])
    return found


def _places_named(reading: Reading, words: Sequence[str]) -> list[str]:
    """Paths of the places whose names the words are made of; none where other words are left (a street)."""
    left = "".join(words)
    named: dict[str, list[str]] = {}
    for node in reading.tree.nodes.values():
        for name in {node.name, *node.aliases}:
            if name in left:
                named.setdefault(name, []).append(node.path)
    found: list[str] | None = None
    for name in sorted(named, key=len, reverse=True):
        if name in left:
            left = left.replace(name, "")
            found = named[name] if found is None else _in_both(found, named[name])
    return [] if left else found or []


def _in_both(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """Of paths that lie one in the other, the lower."""
    pairs = ((one, other) for one in some for other in others)
    return [max(pair, key=len) for pair in pairs if max(pair, key=len).startswith(min(pair, key=len))]


def _rank(said: DoorWords, numbers: Sequence[str]) -> int:
    if tuple(said.numbers) == tuple(numbers):
        return 0
    return 1 if said.numbers[0] == numbers[0] else 2


def numbers_of(reading: Reading, door: Door) -> tuple[str, ...]:
    """The numbers of a whole address; a building's stand in the tree, in the address, or in both."""
    node = reading.tree.nodes[door.grid_id]
    own = door_words(f"{door.address} {door.door}").numbers
    if reading.book.level(node.level).keeper is not None:
        return own
    above = door_words(node.name).numbers
    return own if above and own[: len(above)] == above else (*above, *own)


def _left(reading: Reading, words: Sequence[str], door: Door) -> str:
    """What of the words is neither a name of a grid above the door nor part of its address."""
    known = [*names_above(reading, door.grid_id), *door_words(f"{door.address} {door.door}").words]
    left = "".join(words)
    for name in known:
        left = left.replace(name, "")
    return left


def doors_in_building(reading: Reading, words: str, ability: str = LOOK_UP) -> list[Door]:
    """Doors of the building that the words name, in order; the nearest first to a door that is not there."""
    said = door_words(words)
    if not said.numbers:
        return []
    first = said.numbers[0]
    within = [node.id for node in reading.tree.nodes.values() if door_words(node.name).numbers == (first,)]
    near = or_(HOMES.c.address.icontains(first, autoescape=True), HOMES.c.grid_id.in_(within))
    if len(said.numbers) == 1:
        near = or_(near, and_(HOMES.c.address == "", HOMES.c.door.icontains(first, autoescape=True)))
    found = [
        (len(_left(reading, said.words, door)), _distance(said.numbers, numbers), numbers, door)
        for door in _all_near(reading, said, words, ability, near)
        if (numbers := numbers_of(reading, door))[:1] == (first,)
    ]
    least = min((left for left, *_ in found), default=0)
    fitting = [
        (distance, _sortable(numbers), door) for left, distance, numbers, door in found if left == least
    ]
    fitting.sort(key=lambda one: (one[0], one[1], one[2].id))
    return [door for *_, door in fitting]


def _distance(said: Sequence[str], numbers: Sequence[str]) -> int:
    """How far a door's last number is from the one said; nothing where only the building was said."""
    if len(said) < 2 or not (said[-1].isdigit() and numbers[-1].isdigit()):
        return 0
    return abs(int(said[-1]) - int(numbers[-1]))


def _sortable(numbers: Sequence[str]) -> list[tuple[int, str]]:
    return [(int(number) if number.isdigit() else 0, number) for number in numbers]


def door_choices(reading: Reading, found: Sequence[Door], do: str, **known: Any) -> list[dict[str, Any]]:
    """Numbered doors, each of which gives a command."""
    labels = [door_label(reading, door) for door in found[:MOST]]
    return [
        {"label": label, "do": do, "known": {**known, "door": label, "household": door.id}}
        for label, door in zip(labels, found, strict=False)
    ]


def one_door(reading: Reading, words: str, ability: str, do: str, **known: Any) -> Door:
    """The one door that is meant. Raises Refusal with numbered doors where none or several could be."""
    found = find_doors(reading, words, ability)
    if len(found.doors) == 1 and not found.left:
        return found.doors[0]
    if found.doors:
        raise Refusal(
            "household.which", choices=door_choices(reading, found.doors, do, **known), door=words[:30]
        )
    near = doors_in_building(reading, words, ability)
    if not near:
        raise Refusal("household.nobody_there", door=words[:30])
    raise Refusal("household.near", choices=door_choices(reading, near, do, **known), door=words[:30])
