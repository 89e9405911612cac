"""Showing: one case to whoever may see it, with what they can do now, and what became of their reports."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.audit import note_look
from handlers.cases import (
    about,
    call_of,
    choice,
    choice_of,
    is_backstop,
    owner_words,
    reporter_words,
    responsible,
    role_and_name,
)
from handlers.command import Ask, Command, Done, handles
from handlers.lists import PAGE, is_overdue, items, listed
from handlers.timeline import timeline
from handlers.work import Reading, Work
from models import IN_HAND, TO_BE_DONE, Incident, Part, Participant, State


class Show(Command):
    """One case: where it stands, who has it, until when, and what one can do about it."""

    name: ClassVar[str] = "show"
    incident: Annotated[int, Ask("case", among="seen")]


class Progress(Command):
    """What became of what I reported."""

    name: ClassVar[str] = "progress"


class Looked(Command):
    """Somebody opens a case on a page or by the API, which shows it by itself."""

    name: ClassVar[str] = "looked"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    number: int


@handles(Looked)
def looked(work: Work, command: Looked) -> Done:
    """Every look at a case is noted, by whatever door, leaders' looks included."""
    note_look(work, access.find(work, command.number))
    return Done()


@handles(Show)
def show(work: Work, command: Show) -> Done:
    """A reporter sees where it stands; a worker also what they can do next."""
    incident = access.find_main(work, command.incident)
    note_look(work, incident)
    mine = access.is_reporter(work, incident) or incident.filed_by_id == work.actor.id
    staff = work.actor.has(incident.owner_id) or access.stands_above(work, incident)
    text = "show.worker" if staff else "show.reporter"
    work.reply(
        text,
        incident=incident,
        owner=_who_has_it(work, incident),
        phone=call_of(work, responsible(work, incident) or incident.handler_id),
        reporter=reporter_words(work, incident) if staff else None,
        last=timeline(work, incident)[-1].words,
        choices=next_choices(work, incident, reporter=mine, number=command.incident),
        **about(work, incident, command.incident if mine else None),
    )
    return Done(case_data(work, incident), command.incident if mine else incident.id)


def _who_has_it(work: Reading, incident: Incident) -> str:
    return owner_words(work, incident) if incident.owner_id else role_and_name(work, incident.handler_id)


def next_choices(
    reading: Reading, incident: Incident, *, reporter: bool, number: int | None = None
) -> list[dict[str, Any]]:
    """What this person can do with the case now, at most five; `number`: by which its reporter knows it."""
    if reading.actor.has(incident.approver_id) and incident.request is not None:
        return [choice(reading, "approve", incident), choice(reading, "disapprove", incident)]
    owner = reading.actor.has(incident.owner_id)
    found = [
        choice_of(reading.word(label), do, (incident.id if who == "owner" else number or incident.id) or 0)
        for label, do, states, who in _NEXT
        if incident.state in states and (owner if who == "owner" else reporter)
        if do not in _left_out(reading, incident, number)
    ]
    return found[:5]


def _left_out(reading: Reading, incident: Incident, number: int | None) -> set[str]:
    """What would only be refused: giving back at the top, putting right a report that was merged."""
    left_out = {"return_case"} if is_backstop(reading, incident) else set()
    return left_out | ({"amend"} if number not in (None, incident.id) else set())


_NEXT: Sequence[tuple[str, str, frozenset[State], str]] = (
    ("menu.accept", "accept", frozenset({State.DISPATCHED, State.RETURNED}), "owner"),
    ("label.pass_on", "dispatch", frozenset({State.RETURNED}), "owner"),
    ("menu.arbitrate", "arbitrate", frozenset({State.ARBITRATION}), "owner"),
    ("menu.arrive", "arrive", frozenset({State.ACCEPTED}), "owner"),
    ("menu.finish", "finish", IN_HAND, "owner"),
    ("menu.verify", "verify", frozenset({State.HANDLED}), "owner"),
    ("menu.rework", "rework", frozenset({State.HANDLED}), "owner"),
    ("menu.return_case", "return_case", TO_BE_DONE, "owner"),
    ("menu.transfer", "transfer", TO_BE_DONE, "owner"),
    ("menu.extend", "extend", IN_HAND, "owner"),
    ("menu.unsuspend", "unsuspend", frozenset({State.PAUSED}), "owner"),
    ("menu.solved", "solved", frozenset({State.WAITING_REPORTER}), "reporter"),
    ("menu.unsolved", "unsolved", frozenset({State.WAITING_REPORTER, State.CLOSED_SOLVED}), "reporter"),
    ("menu.urge", "urge", TO_BE_DONE, "reporter"),
    ("menu.amend", "amend", frozenset({State.DISPATCHED}), "reporter"),
)


def case_data(reading: Reading, incident: Incident) -> dict[str, Any]:
    """A case as the API and the board page show it."""
    return {
        "number": incident.id,
        "what": incident.what,
        "place": reading.tree.named(incident.grid_id),
        "spot": incident.spot,
        "category": reading.book.category(incident.category).name,
        "grade": reading.book.grade(incident.grade).name,
        "state": str(incident.state),
        "stage": reading.stage(incident.state),
        "owner": role_and_name(reading, incident.owner_id) if incident.owner_id else None,
        "opened_at": incident.opened_at,
        "resolve_due": incident.resolve_due,
        "due_certain": incident.due_certain,
        "overdue": is_overdue(reading, incident),
        "supervised": incident.supervised,
        "danger": incident.danger,
        "rating": incident.rating,
    }


@handles(Progress)
def progress(work: Work, command: Progress) -> Done:
    """The open ones first, then the latest that ended."""
    mine = access.takes_part(work, Part.REPORTER) | (col(Incident.filed_by_id) == work.actor.id)
    query = (
        access.seen_by(work)
        .where(mine, col(Incident.state) != State.MERGED)
        .order_by(col(Incident.ended_at).is_not(None), col(Incident.id).desc())
        .limit(PAGE)
    )
    found = list(work.session.execute(query).scalars())
    if not found:
        work.reply("progress.nothing")
        return Done({"items": []})
    known = _known_numbers(work, found)
    if len(found) == 1:
        return show(work, Show(incident=known[0]))
    work.reply(
        "progress.list",
        count=len(found),
        items=items(work, found, numbers=known),
        choices=[listed(case, number) for case, number in zip(found, known, strict=True)],
    )
    return Done({"items": [case_data(work, case) for case in found]})


def _known_numbers(reading: Reading, found: Sequence[Incident]) -> list[int]:
    """The numbers by which the actor knows cases: those of their own reports, also after a merge."""
    query = select(col(Participant.incident_id), col(Participant.told_as)).where(
        col(Participant.incident_id).in_([case.id for case in found]),
        col(Participant.person_id) == reading.actor.id,
        col(Participant.told_as).is_not(None),
    )
    told = {row.incident_id: row.told_as for row in reading.session.execute(query)}
    return [told.get(case.id) or case.id or 0 for case in found]
