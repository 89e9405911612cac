"""Closing: what reporters said, or did not say, ends a case or opens it again one level up."""

from sqlalchemy import update
from sqlmodel import col

from handlers.asking import silent_days
from handlers.cases import (
    Choices,
    about,
    choice_of,
    hand_to,
    make,
    participants,
    rank,
    role_and_name,
    rung_above,
    tell_reporters,
    tell_worker,
)
from handlers.dues import by_when, settle
from handlers.promise import read_promise
from handlers.reporting import tell_new
from handlers.work import Work
from models import Incident, Move, Part, Participant


def answer_for(work: Work, incident: Incident, part: Participant, answer: str, reason: str = "") -> None:
    """Write down what one reporter says: solved, or unsolved."""
    make(work, incident, Move.ANSWER, reason=reason or None, answer=answer, person=part.person_id)
    part.answer = answer
    work.session.flush()


def decide(
    work: Work, incident: Incident, *, reason: str = "", silent: bool = False, besides: int | None = None
) -> None:
    """More than half of those who were asked settle it at once; silence lets those who answered settle it.

    Where all have spoken and are divided evenly it is not solved. `besides` is somebody who need not be told
    that it is closed.
    """
    parts = [p for p in participants(work, incident, Part.REPORTER) if p.person_id != incident.handler_id]
    yes = sum(part.answer == "solved" for part in parts)
    no = sum(part.answer == "unsolved" for part in parts)
    asked = yes + no if silent else len(parts)
    if no * 2 > asked or (no and no * 2 == asked == yes + no):
        reopen(work, incident, reason=reason)
    elif yes * 2 > asked or silent:
        close(work, incident, silent=silent and not yes, besides=besides)


def close(work: Work, incident: Incident, *, silent: bool = False, besides: int | None = None) -> None:
    """Close as solved and ask each reporter for a rating; by silence that is said too."""
    make(work, incident, Move.CLOSE_SOLVED, silent=silent)
    text = "close.silent" if silent else "close.reporter"
    tell_reporters(
        work,
        incident,
        text,
        event=f"closed:{incident.version}",
        besides=besides,
        offer=lambda number: rating_choices(work, number),
        days=silent_days(work, incident),
    )
    if incident.handler_id != incident.reporter_id and incident.handler_id is not None:
        tell_worker(
            work,
            incident.handler_id,
            "close.handler",
            key=f"incident:{incident.id}:closed:{incident.version}:h",
            incident=incident,
            how=work.word("said.silent" if silent else "said.confirmed"),
            **about(work, incident),
        )


def close_by_silence(work: Work, incident: Incident) -> None:
    """The place's days are over without (enough of) an answer."""
    decide(work, incident, silent=True)
    settle(work, incident)


def rating_choices(work: Work, number: int) -> Choices:
    """The place's words for the three ratings, for a case by the number its reporter knows."""
    return [
        choice_of(label, "rate", number, rating=rating)
        for rating, label in work.book.incidents.ratings.items()
    ]


def reopen(work: Work, incident: Incident, *, reason: str) -> None:
    """One level up, a new clock; the old clocks stay in the log as kept or missed."""
    former = incident.handler_id
    owner, incident.step = _one_level_up(work, incident)
    incident.round += 1
    incident.returns = incident.extensions = 0
    incident.rating = incident.rating_reason = None
    work.session.execute(
        update(Participant)
        .where(col(Participant.incident_id) == incident.id)
        .values(answer=None, done_at=None)
    )
    hand_to(work, incident, Move.REOPEN, owner, reason=reason or None, round=incident.round)
    settle(work, incident)
    event = f"reopened:{incident.round}"
    tell_reporters(
        work,
        incident,
        "reopen.reporter",
        event=event,
        owner=role_and_name(work, owner),
        **by_when(incident),
    )
    tell_new(work, incident, event=event)
    if former is not None and former != owner:
        tell_worker(
            work,
            former,
            "reopen.former",
            key=f"incident:{incident.id}:{event}",
            incident=incident,
            owner=role_and_name(work, owner),
            reason=reason or work.word("said.no_reason"),
            **about(work, incident),
        )


def _one_level_up(work: Work, incident: Incident) -> tuple[int, int]:
    """(person, rung): above whoever had it last; where nobody stands above, they have it again."""
    assert incident.owner_id is not None
    promise = read_promise(incident.promise)
    last = min((incident.owner_id, incident.handler_id or incident.owner_id), key=lambda p: rank(work, p))
    for start in (incident.step + 1, incident.step):
        found = rung_above(work, incident, promise, last, start=start)
        if found is not None:
            return found
    return last, incident.step
