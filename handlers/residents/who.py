"""Which resident is meant by words: a name, with a door where several have it, and what else was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from handbook.doors import door_words, follows, lead_off, names_in, split_door
from handbook.personal import find_personal
from handbook.words import syllables
from handlers.refusal import NotFound, Refusal
from handlers.residents.doors import numbers_of
from handlers.residents.scope import PEOPLE, Resident, home_label, resident_of, residents, select_residents
from handlers.sealed_words import seal_words
from handlers.work import Reading

MOST = 8
"""What words of a choice are sealed for."""
_FEW = 5000
"""Residents among whom a name is also looked for by its sound."""


@dataclass(frozen=True)
class Again:
    """A command that is given again, for one of several people."""

    do: str
    known: Mapping[str, Any] = field(default_factory=dict)
    words: str = "who"
    """Its field that holds the words."""


@dataclass(frozen=True)
class Meant:
    """A resident, and the words that were not needed to find them."""

    resident: Resident
    rest: str = ""


def resident_meant(reading: Reading, words: str, number: int | None, ability: str, again: "Again") -> Meant:
    """The one resident within reach who is meant.

    Args:
        reading: on behalf of whoever speaks.
        words: 张三, 张三 独居, 3栋501张三 搬走.
        number: of the resident, where it was chosen from a list.
        ability: what the actor must be allowed to do where they live.
        again: the command that is given again for whoever is chosen, where several could be meant.

    Raises:
        Refusal: with numbered people where several are called so, or sound so; NotFound where nobody is.
    """
    if number is not None:
        resident = resident_of(reading, ability, number)
        return Meant(resident, _without(words, resident.name))
    names = names_in(words)
    found = residents(reading, ability, PEOPLE.c.name.in_(names)) if names else []
    if not found:
        raise _nobody(reading, names, words, ability, again)
    name = min((one.name for one in found), key=lambda one: (words.find(one), -len(one)))
    same = [one for one in found if one.name == name]
    fitting = [one for one in same if _at_door(reading, one, words)] or same
    rest = _without(words, name)
    if len(fitting) == 1:
        return Meant(fitting[0], rest)
    raise Refusal("resident.several", name=name, choices=choices(reading, fitting, again, rest))


def _at_door(reading: Reading, resident: Resident, words: str) -> bool:
    said = door_words(words).numbers
    return resident.door is not None and follows(said, numbers_of(reading, resident.door))


def _without(words: str, name: str) -> str:
    """What is left of the words: without the name, and without the door before it."""
    before, found, after = words.partition(name)
    if not found:
        return words.strip()
    left = f"{split_door(before)[1]} {after}"
    return lead_off(left)


def choices(reading: Reading, found: Sequence[Resident], again: Again, rest: str) -> list[dict[str, Any]]:
    """Numbered people, for each of whom the command is given."""
    telling = bool(find_personal(rest))
    more = {"sealed": seal_words(rest)} if telling else {}
    return [
        {
            "label": f"{one.name} {home_label(reading, one)}",
            "do": again.do,
            "known": {
                **again.known,
                again.words: one.name if telling else f"{one.name} {rest}".strip(),
                "resident": one.id,
                **more,
            },
        }
        for one in found[:MOST]
    ]


def _nobody(reading: Reading, names: Sequence[str], words: str, ability: str, again: Again) -> Refusal:
    alike = _sounding(reading, names, ability) if names else []
    if not alike:
        return NotFound("resident.nobody", name=(names[0] if names else words)[:20])
    found = residents(reading, ability, PEOPLE.c.id.in_(alike), limit=MOST)
    rest = words
    for name in names:
        rest = rest.replace(name, "", 1)
    offered = choices(reading, found, again, rest.strip())
    return Refusal("resident.alike", name=names[0][:20], choices=offered)


def _sounding(reading: Reading, names: Sequence[str], ability: str) -> list[int]:
    """People whose names sound like one of those said, where they are few enough to listen to."""
    everybody = select_residents(reading, ability).subquery()
    if (reading.session.execute(select(func.count()).select_from(everybody)).scalar() or 0) > _FEW:
        return []
    sounds = {tuple(syllables(name)) for name in names}
    rows = reading.session.execute(select(everybody.c.id, everybody.c.name))
    return [row.id for row in rows if tuple(syllables(row.name)) in sounds][:MOST]
