"""Correcting: a resident's name, phone or who heads the household, put right by whoever serves them."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from sqlalchemy import select, update

from handbook.doors import lead_off
from handbook.personal import find_personal, mask_phone
from handbook.personal_kinds import Personal
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.phones import hide_numbers, kept_phone
from handlers.refusal import Refusal
from handlers.residents.marking import Mark, mark
from handlers.residents.scope import MEMBERS, PEOPLE, RECORD, Resident, home_label, lives_there
from handlers.residents.who import Again, resident_meant
from handlers.sealed_words import given_words
from handlers.work import Work
from models import Deed, Subject

LONGEST_NAME = 40
FieldKey = Literal["phone", "name", "head"]


class CorrectResident(Command):
    """Put right what is kept of a resident: 更正住户 张三 电话 13900000000."""

    name: ClassVar[str] = "correct_resident"
    stands_alone: ClassVar[bool] = True
    hides: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=160)]
    resident: Annotated[int | None, Ask("quiet")] = None
    what: Annotated[str, Ask("text"), Field(max_length=120)] = ""
    sealed: Annotated[str, Ask("quiet")] = ""
    """Words that were said already and are not to lie open among the choices of a letter."""


@handles(CorrectResident)
def correct_resident(work: Work, command: CorrectResident) -> Done:
    """What the modules keep is put right by noting it anew."""
    hide_numbers(work)
    again = Again("correct_resident", {"what": command.what})
    meant = resident_meant(work, command.who, command.resident, RECORD, again)
    resident, words = meant.resident, f"{meant.rest} {command.what}{given_words(command.sealed)}".strip()
    field, value = _field(work, words)
    if field is None and words:
        return mark(work, Mark(who=resident.name, resident=resident.id, what=words[:120]))
    if field is None or (field != "head" and not value):
        work.reply("correct_resident.what.ask", name=resident.name)
        more = work.book.residents.fields[field][0] if field is not None else ""
        return Done(asks=("correct_resident", "what", _known(resident, more)))
    if resident.id in work.tree.staff and field != "head":
        raise Refusal("correct_resident.staff", name=resident.name)
    shown = _CORRECT[field](work, resident, value)
    note(work, Deed.CORRECT, Subject.PERSON, resident.id)
    what = work.book.residents.fields[field][0]
    work.reply("correct_resident.done", name=resident.name, what=what, value=shown)
    return Done({"resident": resident.id, "field": field})


def _known(resident: Resident, more: str) -> dict[str, object]:
    return {"who": f"{resident.name} {more}".strip(), "resident": resident.id}


def _field(work: Work, words: str) -> tuple[FieldKey | None, str]:
    """The field that is put right, and its new value; a phone alone says which it is."""
    for key, names in work.book.residents.fields.items():
        for name in names:
            if words.startswith(name):
                return key, lead_off(words.removeprefix(name))
    is_phone = any(number.kind is Personal.PHONE for number in find_personal(words))
    return ("phone", words) if is_phone else (None, words)


def _phone(work: Work, resident: Resident, value: str) -> str:
    numbers = (number.value for number in find_personal(value) if number.kind in _PHONES)
    phone = next(numbers, None)
    if phone is None:
        raise Refusal("slot.phone")
    work.session.execute(update(PEOPLE).where(PEOPLE.c.id == resident.id).values(**kept_phone(phone)))
    return mask_phone(phone)


def _name(work: Work, resident: Resident, value: str) -> str:
    name = "".join(value.split())[:LONGEST_NAME]
    work.session.execute(update(PEOPLE).where(PEOPLE.c.id == resident.id).values(name=name))
    return name


def _head(work: Work, resident: Resident, value: str) -> str:
    """One head for each door."""
    if resident.door is None:
        raise Refusal("household.no_door", name=resident.name, place=home_label(work, resident))
    there = (MEMBERS.c.household_id == resident.door.id, lives_there(work.now))
    held = select(MEMBERS.c.id).where(*there).with_for_update()
    work.session.execute(held).all()
    work.session.execute(update(MEMBERS).where(*there).values(head=MEMBERS.c.person_id == resident.id))
    return resident.name


_PHONES = (Personal.PHONE, Personal.LANDLINE)
_CORRECT: Mapping[FieldKey, Callable[[Work, Resident, str], str]] = {
    "phone": _phone,
    "name": _name,
    "head": _head,
}
