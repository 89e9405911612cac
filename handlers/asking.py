"""Asking: a result goes to everybody who reported the case, each under the number they know."""

from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.cases import about, choice_of, known_number, make, participants, role_and_name, tell_owner
from handlers.people import has_account
from handlers.promise import read_promise
from handlers.refusal import NotAllowed
from handlers.work import Work
from models import Incident, IncidentEvent, Move, Part, Participant


def last_result(work: Work, incident: Incident) -> str:
    """What the handler said was done, the last time (in an earlier work)."""
    query = (
        select(col(IncidentEvent.data))
        .where(col(IncidentEvent.incident_id) == incident.id, col(IncidentEvent.move) == Move.FINISH)
        .order_by(col(IncidentEvent.id).desc())
        .limit(1)
    )
    data = work.session.execute(query).scalar()
    return str(data.get("result", "")) if data else ""


def ask_reporters(work: Work, incident: Incident, result: str) -> None:
    """Hand the question to everybody who reported the case. A worker's own find is closed by their own
    report.
    """
    make(work, incident, Move.ASK_REPORTER)
    incident.owner_id = incident.handler_id
    parts = participants(work, incident, Part.REPORTER)
    others = [part for part in parts if part.person_id != incident.handler_id]
    if not others:
        make(work, incident, Move.CLOSE_SOLVED, own=True)
        _tell_own(work, incident)
        return
    for part in parts:
        part.answer = None
    for part in others:
        ask(work, incident, part, result)
    if incident.owner_id == work.actor.id:
        work.reply(
            "finish.done",
            incident=incident,
            minutes=work.book.incidents.undo_minutes,
            **about(work, incident),
        )
    else:
        tell_owner(work, incident, "finish.passed", event=f"passed:{incident.version}")


def _tell_own(work: Work, incident: Incident) -> None:
    """A worker's own find is closed by their own result, also when somebody else has checked it."""
    if incident.handler_id == work.actor.id:
        work.reply("finish.own", incident=incident, **about(work, incident))
    else:
        tell_owner(work, incident, "finish.own", event=f"closed:{incident.version}")


def ask(work: Work, incident: Incident, part: Participant, result: str) -> None:
    """Ask one of those who reported the case whether it is solved."""
    person = who_answers(work, incident, part)
    number = known_number(incident, part)
    work.tell(
        person,
        "close.ask" if person == part.person_id else "close.ask_filer",
        key=f"incident:{incident.id}:ask:{incident.version}",
        incident=incident,
        choices=[
            choice_of(work.word("menu.solved"), "solved", number),
            choice_of(work.word("menu.unsolved"), "unsolved", number),
        ],
        still="waiting",
        number=str(number),
        title=incident.title,
        result=result,
        owner=role_and_name(work, incident.handler_id),
        days=silent_days(work, incident),
    )


def silent_days(work: Work, incident: Incident) -> int:
    """After how many days without an answer the case is closed."""
    return max(1, round(read_promise(incident.promise).silence.length.total_seconds() / 86400))


def who_answers(work: Work, incident: Incident, part: Participant) -> int:
    """The reporter, or who filed for them when they cannot be written to (and did not do the work)."""
    filer = _filer(work, incident, part)
    if part.person_id == filer or filer == incident.handler_id or has_account(work, part.person_id):
        return part.person_id
    return filer


def _filer(work: Work, incident: Incident, part: Participant) -> int:
    """Who wrote a reporter's own report, which may since have been merged into this case."""
    if part.told_as is None:
        return incident.filed_by_id
    query = select(col(Incident.filed_by_id)).where(col(Incident.id) == part.told_as)
    filer: int = work.session.execute(query).scalar_one()
    return filer


def reported(work: Work, number: int) -> tuple[Incident, Participant]:
    """The case a reporter means by their own number, and the part for which they may speak."""
    incident = access.find_main(work, number, lock=True)
    parts = [
        part
        for part in participants(work, incident, Part.REPORTER)
        if work.actor.id in (part.person_id, who_answers(work, incident, part))
    ]
    if not parts:
        raise NotAllowed("close.not_reporter", number=number)
    return incident, next((part for part in parts if known_number(incident, part) == number), parts[0])
