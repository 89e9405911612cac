"""Showing: who lives behind a door in a few lines, and what is not shown there, each at a word of its own."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import and_, false, or_
from sqlmodel import col

from handbook.doors import door_words
from handbook.personal import mask_name, mask_phone
from handlers import access
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotAllowed, Refusal
from handlers.residents.details import Kept, kept_of, may_see, said_of, shown
from handlers.residents.doors import numbers_of, one_door
from handlers.residents.scope import (
    LOOK_UP,
    RECORD,
    Door,
    Resident,
    area_of,
    behind,
    door_label,
    door_of,
    grids_below,
    may_at,
    resident_of,
)
from handlers.residents.who import Again, resident_meant
from handlers.sealed_words import seal_words
from handlers.work import Work
from models import OPEN, Deed, Incident, Privacy, Subject

MOST_SHOWN = 5
"""Residents and cases named in a brief; the rest is a number."""
MOST_CHOICES = 4


class LookUp(Command):
    """Who lives behind a door: names, key classes, open cases; every look is noted."""

    name: ClassVar[str] = "household"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = LOOK_UP
    door: Annotated[str, Ask("text"), Field(max_length=80)]
    household: Annotated[int | None, Ask("quiet")] = None
    resident: Annotated[int | None, Ask("quiet")] = None


class Reveal(Command):
    """A resident's whole phone, or a value that is sealed: one at a time, each noted."""

    name: ClassVar[str] = "reveal"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=80)]
    resident: Annotated[int | None, Ask("quiet")] = None
    module: Annotated[str | None, Ask("quiet")] = None


@handles(LookUp)
def look_up(work: Work, command: LookUp) -> Done:
    """By the door, or by the name of somebody who lives there."""
    door = _door_meant(work, command)
    people = behind(work, door)
    for resident in people:
        note(work, Deed.BRIEF, Subject.PERSON, resident.id)
    data = _brief(work, door, people)
    area = area_of(work, door.grid_id)
    work.reply(
        "household.brief",
        place=work.tree.named(area),
        door=door_label(work, door).removeprefix(work.tree.nodes[area].name),
        count=len(people),
        items=data["residents"][:MOST_SHOWN],
        more=work.word("household.more", count=len(people) - MOST_SHOWN)
        if len(people) > MOST_SHOWN
        else None,
        tags=data["tags"] and work.word("household.tags", tags=data["tags"]),
        cases=_case_words(work, data["cases"]),
        choices=_choices(work, door, people),
    )
    return Done({"household": door.id, "place": door_label(work, door), **data})


def _door_meant(work: Work, command: LookUp) -> Door:
    if command.household is not None:
        return door_of(work, LOOK_UP, command.household)
    if command.resident is not None or not door_words(command.door).numbers:
        again = Again("household", words="door")
        meant = resident_meant(work, command.door, command.resident, LOOK_UP, again).resident
        if meant.door is None:
            raise Refusal("household.no_door", name=meant.name, place=work.tree.named(meant.grid_id))
        return meant.door
    return one_door(work, command.door, LOOK_UP, "household")


def _brief(work: Work, door: Door, people: Sequence[Resident]) -> dict[str, Any]:
    records = may_at(work, RECORD, door.grid_id)
    kept = kept_of(work, [one.id for one in people], door.id)
    lines = [
        {
            "name": one.name if records else mask_name(one.name),
            "head": work.word("household.head") if one.head else "",
            "phone": mask_phone(one.phone or "") if records else "",
            "tags": shown(work, kept.get(one.id, ()), door.grid_id),
        }
        for one in people
    ]
    return {
        "residents": lines,
        "tags": shown(work, kept.get(0, ()), door.grid_id),
        "cases": [
            {"number": case.number, "what": case.title, "stage": work.stage(case.state)}
            for case in _cases(work, door, people)
        ],
    }


def _cases(work: Work, door: Door, people: Sequence[Resident]) -> list[Incident]:
    """Open cases that the actor may see: reported openly by whoever lives there, or naming the door."""
    numbers = numbers_of(work, door)
    area = work.tree.nodes[area_of(work, door.grid_id)]
    last = numbers[-1] if numbers else ""
    named = and_(
        col(Incident.grid_id).in_(grids_below(area.path)),
        or_(col(Incident.what).contains(last), col(Incident.spot).contains(last)) if last else false(),
    )
    mine = and_(
        col(Incident.reporter_id).in_([one.id for one in people]), col(Incident.privacy) == Privacy.OPEN
    )
    query = access.seen_by(work).where(col(Incident.state).in_(OPEN), or_(named, mine))
    found = work.session.execute(query.order_by(col(Incident.id)).limit(50)).scalars()
    own = {one.id for one in people}
    return [case for case in found if case.reporter_id in own or _names(work, case, numbers)]


def _names(work: Work, case: Incident, numbers: Sequence[str]) -> bool:
    """Whether a case's words name all numbers of a door (1501 is not 501)."""
    here = door_words(work.tree.at(case.grid_id).name).numbers
    said = {*here, *door_words(case.what).numbers, *door_words(case.spot).numbers}
    return len(numbers) > 1 and set(numbers) <= said


def _case_words(work: Work, cases: Sequence[dict[str, Any]]) -> str | None:
    if not cases:
        return None
    named = "；".join(work.word("household.case", **case) for case in cases[:2])
    return work.word("household.cases", count=len(cases), cases=named)


def _choices(work: Work, door: Door, people: Sequence[Resident]) -> list[dict[str, Any]]:
    if not may_at(work, RECORD, door.grid_id):
        return []
    found = [
        {
            "label": work.word("household.call", name=one.name),
            "do": "reveal",
            "known": {"who": one.name, "resident": one.id},
        }
        for one in people
        if one.phone
    ]
    add = {"door": door_label(work, door), "household": door.id}
    return [
        *found[:MOST_CHOICES],
        {"label": work.word("household.add"), "do": "add_resident", "known": add},
    ]


# ---- what the brief does not show ------------------------------------------------------------------------


@handles(Reveal)
def reveal(work: Work, command: Reveal) -> Done:
    """The words are taken out of what was sent within a day (handlers.residents.keeping)."""
    again = Again("reveal", {"module": command.module})
    meant = resident_meant(work, command.who, command.resident, RECORD, again)
    resident = resident_of(work, RECORD, meant.resident.id)
    said = said_of(work.book, meant.rest) if command.module is None else None
    module = command.module or (said.module if said is not None else None)
    if module is None:
        return _phone(work, resident)
    return _sealed(work, resident, module)


def _phone(work: Work, resident: Resident) -> Done:
    if not resident.phone:
        raise Refusal("reveal.no_phone", name=resident.name)
    note(work, Deed.PHONE, Subject.PERSON, resident.id)
    phone = {"sealed": seal_words(resident.phone)}
    work.reply("reveal.phone", name=resident.name, phone=phone)
    return Done({"resident": resident.id, "phone": resident.phone})


def _sealed(work: Work, resident: Resident, module: str) -> Done:
    spec = work.book.residents.on.get(module)
    if spec is None or not may_see(work, spec, resident.grid_id):
        raise NotAllowed()
    kept = [one for one in kept_of(work, [resident.id]).get(resident.id, ()) if one.module == module]
    if not kept:
        raise Refusal("reveal.nothing", name=resident.name, what=spec.name)
    note(work, Deed.SECRET, Subject.PERSON, resident.id)
    value = _whole(work, kept)
    shown = {"sealed": seal_words(value)}
    work.reply("reveal.detail", name=resident.name, what=spec.name, value=shown)
    return Done({"resident": resident.id, "module": module, "value": value})


def _whole(work: Work, kept: Sequence[Kept]) -> str:
    modules = work.book.residents.modules
    return "、".join(one.hidden or one.shown(work, modules[one.module]) for one in kept)
