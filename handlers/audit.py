"""The audit: notes who did what, tells who looked at somebody, and proves that no line was touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlmodel import Session, col

from handlers.work import Reading, Work
from handlers.writing import HEAD, LINES, Writing
from models import AuditLine, Deed, Incident, Joined, Part, Participant, Subject
from models.audit import BEGINNING, Entry

AT_ONCE = 1000
"""Lines read at a time by who proves the chain."""
CONSOLE = "console"
"""The channel of whoever runs the program."""
LOOKS = (Deed.LOOK, Deed.FIND, Deed.BRIEF, Deed.PHONE, Deed.SECRET, Deed.LIST)


def note(work: Work, what: Deed, subject: Subject, subject_id: int | None = None) -> None:
    """Add a line to the audit, kept with the work or not at all.

    Args:
        work: says who, when and by which message.
        what: the deed.
        subject: what kind of thing it was done to.
        subject_id: number of the case or person.
    """
    work.session.note(
        Entry(
            at=work.now,
            actor_id=work.actor.id,
            what=str(what),
            subject_kind=str(subject),
            subject_id=subject_id,
            channel=work.channel,
            message_id=work.message_id,
        )
    )


def note_program(session: Writing, now: datetime, what: Deed, message_id: str) -> None:
    """Add a line about all data that no work of a person leads to; `message_id` says what did."""
    session.note(Entry(now, None, str(what), str(Subject.DATABASE), None, CONSOLE, message_id))


def note_look(work: Work, incident: Incident) -> None:
    """Note that somebody opened a case with other people's words in it; one's own report is one's own."""
    if work.actor.id is not None and work.actor.id != incident.reporter_id:
        note(work, Deed.LOOK, Subject.CASE, incident.id)


# ---- who looked ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """Somebody looked at a person's data, or at a case they reported."""

    at: datetime
    actor_id: int
    case: int | None
    """None: at what is kept of the person."""
    what: str
    """The deed."""


def looks_at(reading: Reading, person_id: int, most: int) -> tuple[int, Sequence[Look]]:
    """Who looked at a person or at their cases.

    Returns:
        how often anybody did, and the latest `most` of them, the latest first.
    """
    theirs = _theirs(person_id)
    total = reading.session.execute(select(func.count()).select_from(AuditLine).where(theirs)).scalar_one()
    query = select(AuditLine).where(theirs).order_by(col(AuditLine.id).desc()).limit(most)
    return total, [
        Look(
            line.at,
            line.actor_id or 0,
            line.subject_id if line.subject_kind == Subject.CASE else None,
            line.what,
        )
        for line in reading.session.execute(query).scalars()
    ]


def _theirs(person_id: int) -> ColumnElement[bool]:
    """Condition: a line tells that somebody else looked at this person, or at a case they reported."""
    part = select(col(Participant.incident_id)).where(
        col(Participant.person_id) == person_id, col(Participant.part) == Part.REPORTER
    )
    told_as = select(col(Participant.told_as)).where(
        col(Participant.person_id) == person_id, col(Participant.told_as).is_not(None)
    )
    own = select(col(Incident.id)).where(col(Incident.reporter_id) == person_id)
    number = col(AuditLine.subject_id)
    case = and_(
        col(AuditLine.subject_kind) == str(Subject.CASE),
        or_(number.in_(own), number.in_(part), number.in_(told_as)),
    )
    halves = select(col(Joined.gone_id)).where(
        col(Joined.kept_id) == person_id, col(Joined.undone_at).is_(None)
    )
    person = and_(
        col(AuditLine.subject_kind) == str(Subject.PERSON), or_(number == person_id, number.in_(halves))
    )
    return and_(
        or_(case, person),
        col(AuditLine.what).in_([str(deed) for deed in LOOKS]),
        col(AuditLine.actor_id).is_not(None),
        col(AuditLine.actor_id) != person_id,
    )


# ---- the proof -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """What became of proving the chain."""

    lines: int
    end: str
    """Digest of the last line: who notes it elsewhere can later show that nothing before it was touched."""
    broken_at: int | None = None
    """Number of the first line that is not what was written; one more than there are when the end is gone."""


def prove(session: Session) -> Proof:
    """Go through the whole chain, from the first line to the one that the head names."""
    number, digest = 0, BEGINNING
    while lines := _after(session, number):
        for line in lines:
            if not _follows(line, number, digest):
                return Proof(number, digest, broken_at=number + 1)
            number, digest = line.id, line.digest
    head = session.execute(select(HEAD.c.number, HEAD.c.digest)).first()
    whole = head is not None and (head.number, head.digest) == (number, digest)
    return Proof(number, digest, broken_at=None if whole else number + 1)


def _after(session: Session, number: int) -> Sequence[Row[Any]]:
    query = select(LINES).where(LINES.c.id > number).order_by(LINES.c.id).limit(AT_ONCE)
    return session.execute(query).all()


def _follows(line: Row[Any], number: int, digest: str) -> bool:
    entry = Entry(
        line.at, line.actor_id, line.what, line.subject_kind, line.subject_id, line.channel, line.message_id
    )
    told: tuple[int, str, str] = (line.id, line.before, line.digest)
    return told == (number + 1, digest, entry.digest(line.id, digest))
