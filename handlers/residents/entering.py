"""Entering residents: the minimum of name, phone, address and grid, and nothing that is known is asked."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from handbook.doors import door_words, names_in, number_behind_name, split_door
from handbook.personal import find_personal, mask_phone
from handbook.personal_kinds import Personal
from handbook.posts import is_persons_name
from handbook.signs import plain_number as digits
from handbook.words import plain
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.phones import hide_numbers, kept_phone
from handlers.refusal import Refusal
from handlers.residents.doors import door_choices, find_doors
from handlers.residents.moving import live_at
from handlers.residents.new_doors import entered, grid_for, planned_door
from handlers.residents.scope import (
    PEOPLE,
    RECORD,
    Door,
    Resident,
    area_of,
    behind,
    door_label,
    door_of,
    home_label,
    residents,
)
from handlers.sealed_words import given_words, seal_words
from handlers.work import Work
from models import Deed, Person, Subject


class AddResident(Command):
    """Enter somebody who lives behind a door: 登记住户 3栋501 张三 13800001111."""

    name: ClassVar[str] = "add_resident"
    stands_alone: ClassVar[bool] = True
    hides: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    door: Annotated[str, Ask("text"), Field(max_length=120)]
    called: Annotated[str, Ask("text"), Field(max_length=40)] = ""
    number: Annotated[str, Ask("quiet"), Field(max_length=20)] = ""
    sealed: Annotated[str, Ask("quiet")] = ""
    """The phone, when it was said already and is not to lie open among the choices of a letter."""
    household: Annotated[int | None, Ask("quiet")] = None
    grid: Annotated[int | None, Ask("quiet")] = None
    """Where a door lies that is not known yet."""
    another: Annotated[bool, Ask("quiet")] = False
    """Somebody else of the same name and phone, or the same name behind the door."""


_SIGNS = " ,，、:：。.;；"
_DIGITS = re.compile(r"\d[\d -]{3,}\d")


@dataclass(frozen=True)
class _Said:
    """What was said of a resident."""

    door: str
    name: str
    phone: str | None


@handles(AddResident)
def add_resident(work: Work, command: AddResident) -> Done:
    """What was said is taken apart; only a name that is missing is asked for."""
    hide_numbers(work)
    strange = _no_phone(command)
    if strange:
        return _ask_again(work, strange)
    said = _said(command)
    known = {"door": said.door, "called": said.name, "sealed": seal_words(said.phone or "")}
    if not said.door and command.household is None:
        raise Refusal("add_resident.no_door")
    if not is_persons_name(said.name):
        return _ask_name(work, command, said, known)
    door = _door(work, command, said, known)
    _not_there_already(work, command, said, door, known)
    door = entered(work, door)
    person = Person(name=said.name, **kept_phone(said.phone), home_grid_id=door.grid_id)
    work.session.add(person)
    work.session.flush()
    assert person.id is not None
    live_at(work, person.id, door)
    note(work, Deed.ENTER, Subject.PERSON, person.id)
    _reply(work, said, door)
    return Done({"resident": person.id, "household": door.id})


def _no_phone(command: AddResident) -> str:
    """What stands where a phone would, and is none."""
    if command.number and _without_phone(command.number)[0] is None:
        return command.number
    if command.household is not None:
        return ""
    return number_behind_name(_without_phone(command.door)[1])


def _ask_again(work: Work, strange: str) -> Done:
    """In a chat it is asked again, so that the number stays masked; elsewhere it is refused."""
    hide_numbers(work, strange)
    if work.back is None:
        raise Refusal("add_resident.wrong_phone")
    work.reply("add_resident.wrong_phone", choices=[])
    return Done(asks=("add_resident", "door", {}))


def _ask_name(work: Work, command: AddResident, said: _Said, known: dict[str, Any]) -> Done:
    """A name that is missing, or is none: a landline among it would lie open as part of a name.

    In a chat the second is asked again too, so that what was masked stays masked; elsewhere it is refused.
    """
    for number in _DIGITS.findall(plain(said.name)):
        hide_numbers(work, number)
    if said.name and work.back is None:
        raise Refusal("add_resident.called.wrong")
    work.reply("add_resident.called.wrong" if said.name else "add_resident.called.ask", choices=[])
    more = {"household": command.household, "grid": command.grid}
    kept = {**known, "called": "", **{k: v for k, v in more.items() if v}}
    return Done(asks=("add_resident", "called", kept))


def _reply(work: Work, said: _Said, door: Door) -> None:
    place = door_label(work, door)
    phone = mask_phone(said.phone or "") or work.word("said.none_kept")
    add = {
        "label": work.word("add_resident.one_more"),
        "do": "add_resident",
        "known": {"door": place, "household": door.id},
    }
    show = {
        "label": work.word("add_resident.show"),
        "do": "household",
        "known": {"door": place, "household": door.id},
    }
    work.reply("add_resident.done", name=said.name, phone=phone, place=place, choices=[add, show])


def _said(command: AddResident) -> _Said:
    """The phone wherever it stands, the door up to its last number, the name behind it or before it."""
    phone, words = _without_phone(f"{command.door} {command.number}{given_words(command.sealed)}".strip())
    called_phone, called = _without_phone(command.called)
    door, rest = split_door(words)
    if not door and command.household is not None:
        rest = ""
    name = called or next(iter(names_in(rest)), "")
    if not name and command.household is None:
        name, door = _name_before(door)
    name = name.strip(_SIGNS)
    return _Said(door or ("" if command.household is None else words), name, phone or called_phone)


def _without_phone(words: str) -> tuple[str | None, str]:
    found = next((number for number in find_personal(words) if number.kind is Personal.PHONE), None)
    if found is None:
        return None, words.strip()
    return found.value, f"{words[: found.start]} {words[found.end :]}".strip()


def _name_before(door: str) -> tuple[str, str]:
    """张三 3栋501: a name, a space and the door."""
    head, space, tail = door.partition(" ")
    is_name = bool(space) and not door_words(head).numbers and names_in(head)[:1] == [head]
    return (head, tail.strip()) if is_name and door_words(tail).numbers else ("", door)


# ---- which door ------------------------------------------------------------------------------------------


def _door(work: Work, command: AddResident, said: _Said, known: dict[str, Any]) -> Door:
    if command.household is not None:
        return door_of(work, RECORD, command.household)
    if command.grid is not None:
        return planned_door(work, command.grid, said.door)
    found = find_doors(work, said.door, RECORD)
    exact = [door for door in found.doors if _says_all(work, said.door, door)]
    if len(exact) == 1 and not found.left:
        return exact[0]
    if found.doors and not found.left:
        offered = door_choices(work, found.doors[:6], "add_resident", **known)
        raise Refusal("household.which", choices=offered, door=said.door[:30])
    return planned_door(work, grid_for(work, said.door, "add_resident", known), said.door)


def _says_all(work: Work, words: str, door: Door) -> bool:
    return len(door_words(words).numbers) >= len(door_words(f"{door.address} {door.door}").numbers) or (
        len(door_words(words).numbers) > 1
    )


# ---- who is there already --------------------------------------------------------------------------------


def _not_there_already(
    work: Work, command: AddResident, said: _Said, door: Door, known: dict[str, Any]
) -> None:
    """Raises Refusal where somebody of the name lives there, or of name and phone lives elsewhere."""
    if command.another:
        return
    where = {"household": door.id} if door.id else {"grid": door.grid_id}
    at = {**known, **where, "another": True}
    for one in behind(work, door):
        if one.name == said.name:
            again = {"label": work.word("add_resident.another"), "do": "add_resident", "known": at}
            raise Refusal("add_resident.there", name=said.name, place=door_label(work, door), choices=[again])
    for one in _may_be(work, said, door):
        moves = {"who": said.name, "resident": one.id, "to": said.door, **where}
        label = "add_resident.same" if one.door is None else "add_resident.moves"
        offered = [
            {"label": work.word(label), "do": "move_to", "known": moves},
            {"label": work.word("add_resident.another"), "do": "add_resident", "known": at},
        ]
        raise Refusal("add_resident.elsewhere", name=said.name, place=home_label(work, one), choices=offered)


def _may_be(work: Work, said: _Said, door: Door) -> list[Resident]:
    """Who could be meant: of name and phone, or of the name in the same grid without a door yet."""
    named = residents(work, RECORD, PEOPLE.c.name == said.name)
    area = area_of(work, door.grid_id)
    by_phone = [one for one in named if said.phone and one.phone and digits(one.phone) == digits(said.phone)]
    homeless = [
        one
        for one in named
        if one.door is None and area_of(work, one.grid_id) == area and not (said.phone and one.phone)
    ]
    return by_phone or homeless
