"""Confirming: the reporter's word on whether it is solved."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from handlers.asking import reported
from handlers.cases import (
    about,
    choice,
    owner_words,
)
from handlers.closing import answer_for, decide, rating_choices, reopen
from handlers.command import Ask, Command, Done, handles
from handlers.dues import by_when
from handlers.promise import read_promise
from handlers.refusal import Refusal
from handlers.work import Work
from models import REOPENABLE, Incident, State


class Solved(Command):
    """The reporter says that it is solved."""

    name: ClassVar[str] = "solved"
    incident: Annotated[int, Ask("case", among="to_confirm")]


class Unsolved(Command):
    """The reporter says that it is not: opened again, one level up, with a new clock."""

    name: ClassVar[str] = "unsolved"
    incident: Annotated[int, Ask("case", among="to_reopen")]
    reason: Annotated[str, Ask("text"), Field(max_length=1000)] = ""


@handles(Solved)
def solved(work: Work, command: Solved) -> Done:
    """Closes when more than half of those who reported it agree."""
    incident, part = reported(work, command.incident)
    if incident.state is State.CLOSED_SOLVED:
        return _closed_already(work, incident, command.incident)
    if incident.state is not State.WAITING_REPORTER:
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=command.incident)
    answer_for(work, incident, part, "solved")
    decide(work, incident)
    return noted(work, incident, command.incident)


def noted(work: Work, incident: Incident, number: int) -> Done:
    """The word counts, and it is said when it does not settle the matter alone."""
    if incident.state is State.WAITING_REPORTER:
        work.reply("close.noted", incident=incident, number=number, title=incident.title)
    return Done({"number": incident.id, "state": incident.state}, number)


def _closed_already(work: Work, incident: Incident, number: int) -> Done:
    work.reply(
        "close.already",
        incident=incident,
        choices=rating_choices(work, number) if incident.rating is None else (),
        **about(work, incident, number),
    )
    return Done({"number": incident.id, "state": incident.state}, number)


@handles(Unsolved)
def unsolved(work: Work, command: Unsolved) -> Done:
    """Never argued with while the place's days have not run out."""
    incident, part = reported(work, command.incident)
    if incident.state is State.WAITING_REPORTER:
        answer_for(work, incident, part, "unsolved", command.reason)
        decide(work, incident, reason=command.reason)
        noted(work, incident, command.incident)
    elif incident.state in REOPENABLE:
        _must_be_in_time(work, incident, command.incident)
        reopen(work, incident, reason=command.reason)
    else:
        raise Refusal(
            "unsolved.still_open", number=command.incident, title=incident.title, **_standing(work, incident)
        )
    reopened = not command.reason and incident.state is State.DISPATCHED
    data = {
        "number": incident.id,
        "state": incident.state,
        "round": incident.round,
        "category": incident.category,
    }
    return Done(data, command.incident, "explain" if reopened else None)


def _standing(work: Work, incident: Incident) -> dict[str, Any]:
    return {
        "stage": work.stage(incident.state),
        "owner": owner_words(work, incident),
        **by_when(incident),
    }


def _must_be_in_time(work: Work, incident: Incident, number: int) -> None:
    assert incident.ended_at is not None
    window = read_promise(incident.promise).reopen_within
    until = work.book.calendars[incident.promise["calendar"]].due(incident.ended_at, window).at
    if until is not None and work.now > until:
        raise Refusal(
            "unsolved.too_late",
            number=number,
            title=incident.title,
            choices=[choice(work, "report", label="label.report_again")],
        )
