"""Due times of a case: what the log, the promise and the calendar say, set on the row for the clock to
find.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from handlers.clocks import Clocks, Due, Fact, Kind, agenda, clocks
from handlers.promise import read_promise
from handlers.work import EVENTS, Reading, Work
from models import CHANGEABLE, Incident, Move, State

_KINDS: Mapping[State, tuple[Kind, ...]] = {
    State.DISPATCHED: (Kind.ACCEPT, Kind.ARRIVE, Kind.RESOLVE),
    State.ACCEPTED: (Kind.ARRIVE, Kind.RESOLVE),
    State.ON_SITE: (Kind.RESOLVE,),
    State.RETURNED: (Kind.ASSIGN, Kind.RESOLVE),
    State.ARBITRATION: (Kind.ARBITRATE,),
    State.HANDLED: (Kind.VERIFY,),
    State.VERIFIED: (Kind.VERIFY,),
    State.WAITING_REPORTER: (Kind.SILENCE,),
}
"""The clocks that matter in each open state; a paused case waits for its day."""


def facts_of(reading: Reading, incident: Incident) -> list[Fact]:
    """The case's log as the clocks read it, with what this work has recorded and not yet written."""
    rows = reading.session.execute(
        select(EVENTS.c.at, EVENTS.c.move, EVENTS.c.data)
        .where(EVENTS.c.incident_id == incident.id)
        .order_by(EVENTS.c.id)
    )
    facts = [Fact(row.at, Move(row.move), row.data) for row in rows]
    if isinstance(reading, Work):
        assert incident.id is not None
        facts += [Fact(e["at"], e["move"], e["data"]) for e in reading.unwritten_events(incident.id)]
    return facts


def clocks_of(reading: Reading, incident: Incident) -> Clocks:
    """All clocks of a case, recomputed from its log."""
    return clocks(read_promise(incident.promise), facts_of(reading, incident), reading.book.calendars)


def settle(work: Work, incident: Incident) -> None:
    """Set the due columns from the log after one or more moves; an open case always gets a next due time."""
    set_dues(work, incident, facts_of(work, incident))


def set_dues(work: Work, incident: Incident, facts: Sequence[Fact]) -> None:
    """Set the due columns from the facts of a case; nothing for one that has ended."""
    if not incident.is_open:
        return
    running = _running(work, incident, facts)
    incident.accept_due = _due_of(running, Kind.ACCEPT)
    incident.arrive_due = _due_of(running, Kind.ARRIVE)
    resolve = running.running(Kind.RESOLVE)
    incident.resolve_due = resolve.due if resolve else None
    incident.due_certain = resolve.certain if resolve else True
    todo = [due.at for due in agenda(_KINDS.get(incident.state, ()), running, facts)]
    incident.paused_until = _pause_ends(facts) if incident.state is State.PAUSED else None
    todo += [until for until in (incident.request_until, incident.paused_until) if until is not None]
    incident.next_due = min(todo) if todo else _reminder(work, incident, facts)


def _running(work: Work, incident: Incident, facts: Sequence[Fact]) -> Clocks:
    return clocks(read_promise(incident.promise), facts, work.book.calendars, all_due=False)


def _reminder(work: Work, incident: Incident, facts: Sequence[Fact]) -> datetime:
    """Every clock has run out at the top of the ladder: once a day five times (as OnCall repeats), then
    weekly.
    """
    warned = [fact.at for fact in facts if fact.move is Move.WARN]
    wait = timedelta(days=1 if len(warned) <= 5 else 7)
    calendar = work.book.calendars[read_promise(incident.promise).calendar]
    return calendar.next_opening((warned[-1] if warned else work.now) + wait)


def due_now(work: Work, incident: Incident) -> list[Due]:
    """What the clock has to do for a case at this moment, earliest first."""
    facts = facts_of(work, incident)
    running = _running(work, incident, facts)
    return [d for d in agenda(_KINDS.get(incident.state, ()), running, facts) if d.at <= work.now]


def _pause_ends(facts: Sequence[Fact]) -> datetime:
    last = next(fact for fact in reversed(facts) if fact.move is Move.SUSPEND)
    return moment(last.data["until"])


def _due_of(running: Clocks, kind: Kind) -> datetime | None:
    leg = running.running(kind)
    return leg.due if leg else None


def moment(value: Mapping[str, str] | str) -> datetime:
    """A moment as it lies in an event's data."""
    return datetime.fromisoformat(value["moment"] if isinstance(value, Mapping) else value)


def deadline(incident: Incident) -> dict[str, Any] | str:
    """The resolution deadline for a text: a moment, marked when it lies beyond the known calendar.

    Words that it is not known yet for a case whose clock stands; nothing once the work is done.
    """
    if incident.resolve_due is None:
        return {"text": "due.unknown"} if incident.state in CHANGEABLE else ""
    shown: dict[str, Any] = {"moment": incident.resolve_due.isoformat()}
    if not incident.due_certain:
        shown["uncertain"] = True
    return shown


def by_when(incident: Incident) -> dict[str, Any]:
    """What texts say of the deadline, as a text of the book inside another.

    It begins with its own comma, and is nothing where there is nothing to say.
    """
    if incident.resolve_due is not None:
        return {"by_when": {"text": "due.by", "due": deadline(incident)}}
    return {"by_when": {"text": "due.open"} if incident.state in CHANGEABLE else ""}
