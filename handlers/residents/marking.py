"""Marking: what the modules that are on keep of a resident or a door, written and taken back."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from handbook.doors import door_words
from handbook.modules import ModuleSpec
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.phones import hide_numbers
from handlers.refusal import NotAllowed, NotFound, Refusal
from handlers.residents.details import (
    Said,
    agree,
    drop,
    has_agreed,
    keep,
    lock_person,
    may_see,
    owner_of_number,
    said_of,
    value_of,
)
from handlers.residents.doors import one_door
from handlers.residents.scope import RECORD, Door, Resident, door_label, door_of, home_label
from handlers.residents.who import Again, resident_meant
from handlers.sealed_words import given_words, seal_words
from handlers.work import Work
from models import Deed, Subject


class _Marking(Command):
    stands_alone: ClassVar[bool] = True
    hides: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=160)]
    """张三 独居, 3栋501 出租, 张三 身份证 110..."""
    resident: Annotated[int | None, Ask("quiet")] = None
    household: Annotated[int | None, Ask("quiet")] = None
    what: Annotated[str, Ask("text"), Field(max_length=120)] = ""


class Mark(_Marking):
    """Keep something of a resident or a door beyond the minimum: 标注 张三 独居."""

    name: ClassVar[str] = "mark"
    agreed: Annotated[bool, Ask("quiet")] = False
    """The resident said yes to it, where the module needs one."""
    sealed: Annotated[str, Ask("quiet")] = ""
    """Words that were said already and are not to lie open among the choices of a letter."""


class Unmark(_Marking):
    """It does not hold any more: 取消标注 张三 独居."""

    name: ClassVar[str] = "unmark"


@handles(Mark)
def mark(work: Work, command: Mark) -> Done:
    """Refused where the module is off, is not the actor's to see, or the resident's yes is missing."""
    hide_numbers(work)
    said = said_of(work.book, f"{command.who} {command.what} {given_words(command.sealed)}")
    if said is None:
        return _ask_what(work, command, "mark")
    spec = work.book.residents.on[said.module]
    if spec.of == "household":
        return _mark_door(work, command, said, spec)
    resident = _resident(work, command, said, spec)
    _must_see(work, spec, resident.grid_id)
    value = _value(work, spec, said, resident)
    if spec.sealed and value:
        hide_numbers(work, said.value)
    asks = _agreement(work, command, said, value, resident)
    if asks is not None:
        return asks
    lock_person(work, resident.id)
    fresh = keep(work, said, value, person=resident.id)
    if fresh:
        note(work, Deed.MARK, Subject.PERSON, resident.id)
    shown = _words(spec, said)
    work.reply(
        "mark.done" if fresh else "mark.already",
        name=resident.name,
        place=home_label(work, resident),
        what=shown,
        purpose=spec.purpose,
        choices=[_take_back(work, resident.name, shown, resident=resident.id)] if fresh else [],
    )
    return Done({"resident": resident.id, "module": said.module, "mark": said.mark, "new": fresh})


@handles(Unmark)
def unmark(work: Work, command: Unmark) -> Done:
    """It is taken out, not kept as history: that somebody was once poor or ill is nobody's business."""
    said = said_of(work.book, f"{command.who} {command.what}")
    if said is None:
        return _ask_what(work, command, "unmark")
    spec = work.book.residents.on[said.module]
    mark_key = said.mark if spec.form == "marks" else ""
    if spec.of == "household":
        door = _door(work, command, said, spec, "unmark")
        gone = drop(work, said.module, mark_key, household=door.id)
        if gone:
            note(work, Deed.UNMARK, Subject.HOUSEHOLD, door.id)
        name = door_label(work, door)
    else:
        again = Again("unmark", {"what": command.what})
        resident = resident_meant(work, command.who, command.resident, RECORD, again).resident
        _must_see(work, spec, resident.grid_id)
        gone, name = drop(work, said.module, mark_key, person=resident.id), resident.name
        if gone:
            note(work, Deed.UNMARK, Subject.PERSON, resident.id)
    if not gone:
        raise Refusal("unmark.nothing", name=name, what=_words(spec, said))
    work.reply("unmark.done", name=name, what=_words(spec, said))
    return Done({"module": said.module, "mark": said.mark})


def _ask_what(work: Work, command: _Marking, name: str) -> Done:
    """Ask what is to be kept, with what the place keeps; tell where it keeps nothing beyond the minimum."""
    on = work.book.residents.on
    if not on:
        raise Refusal("mark.all_off")
    known = "、".join(words[0] for spec in on.values() for words in spec.marks.values())
    values = "、".join(spec.name for spec in on.values() if not spec.marks)
    shown = "、".join(filter(None, (known, values)))
    if command.what:
        raise Refusal("mark.unknown", what=command.what[:20], known=shown)
    resident = resident_meant(work, command.who, command.resident, RECORD, Again(name)).resident
    work.reply(_ASK[name], name=resident.name, known=shown)
    return Done(asks=(name, "what", {"who": resident.name, "resident": resident.id}))


_ASK = {"mark": "mark.what.ask", "unmark": "unmark.what.ask"}


def _must_see(work: Work, spec: ModuleSpec, grid_id: int) -> None:
    if not may_see(work, spec, grid_id):
        raise NotAllowed()


def _value(work: Work, spec: ModuleSpec, said: Said, resident: Resident) -> str | None:
    if spec.form == "marks":
        return None
    year = work.now.astimezone(work.book.zone).year
    value = value_of(spec, said.value, year)
    if value is None:
        raise Refusal(_WRONG[spec.form], what=spec.name)
    other = owner_of_number(work, said.module, value) if spec.form == "id_number" else None
    if other is not None and other != resident.id:
        raise Refusal("mark.number_taken")
    return value


_WRONG = {"id_number": "mark.wrong_id_number", "year": "mark.wrong_year", "text": "mark.wrong_text"}


def _resident(work: Work, command: Mark, said: Said, spec: ModuleSpec) -> Resident:
    """Who is meant; where several could be, a value that is sealed does not lie open among the choices."""
    known = {"what": command.what, "agreed": command.agreed, "sealed": command.sealed}
    words = command.who
    if spec.sealed and said.value:
        known |= {"what": "", "sealed": seal_words(f"{spec.name} {said.value}")}
        words = words.replace(said.value, "")
    return resident_meant(work, words, command.resident, RECORD, Again("mark", known)).resident


def _agreement(work: Work, command: Mark, said: Said, value: str | None, resident: Resident) -> Done | None:
    """Ask for the yes where it is missing; what the worker says of it is kept with their name.

    In a chat the question is an answer, so that what was masked stays masked; elsewhere it is a refusal.
    """
    spec, module = work.book.residents.on[said.module], said.module
    if not spec.consent or has_agreed(work, resident.id, module):
        return None
    if command.agreed:
        agree(work, resident.id, module)
        note(work, Deed.AGREE, Subject.PERSON, resident.id)
        return None
    if work.back is None:
        raise Refusal("mark.ask_them", name=resident.name, purpose=spec.purpose)
    words = f"{spec.name} {value}" if value else _words(spec, said)
    known = {"who": resident.name, "resident": resident.id, "agreed": True}
    known |= {"sealed": seal_words(words)} if spec.sealed else {"what": words}
    yes = {"label": work.word("mark.agreed"), "do": "mark", "known": known}
    no = {"label": work.word("mark.not_agreed"), "do": "keep", "known": {}}
    work.reply("mark.ask_them", name=resident.name, purpose=spec.purpose, choices=[yes, no])
    return Done({"resident": resident.id, "module": module, "needs": "agreed"})


def _words(spec: ModuleSpec, said: Said) -> str:
    return spec.marks[said.mark][0] if said.mark else spec.name


def _take_back(work: Work, who: str, what: str, **known: Any) -> dict[str, Any]:
    known = {"who": f"{who} {what}", **known}
    return {"label": work.word("mark.take_back"), "do": "unmark", "known": known}


# ---- doors -----------------------------------------------------------------------------------------------


def _mark_door(work: Work, command: Mark, said: Said, spec: ModuleSpec) -> Done:
    door = _door(work, command, said, spec, "mark")
    fresh = keep(work, said, None if said.mark else said.value or None, household=door.id)
    if fresh:
        note(work, Deed.MARK, Subject.HOUSEHOLD, door.id)
    shown, name = _words(spec, said), door_label(work, door)
    work.reply(
        "mark.done" if fresh else "mark.already",
        name=name,
        place="",
        what=shown,
        purpose=spec.purpose,
        choices=[_take_back(work, name, shown, household=door.id)] if fresh else [],
    )
    return Done({"household": door.id, "module": said.module, "mark": said.mark, "new": fresh})


def _door(work: Work, command: _Marking, said: Said, spec: ModuleSpec, do: str) -> Door:
    """The door that is meant, which the actor may write and see. Raises Refusal."""
    if command.household is not None:
        door = door_of(work, RECORD, command.household)
    else:
        words = command.who
        for name in spec.marks.get(said.mark, ()):
            words = words.replace(name, "")
        if not door_words(words).numbers:
            raise NotFound("household.nobody_there", door=words[:30])
        door = one_door(work, words.strip(), RECORD, do, who=command.who)
    _must_see(work, spec, door.grid_id)
    return door
