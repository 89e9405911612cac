"""The timeline of a case in plain words, for its reporter, its keeper and the board."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from handlers.cases import hidden_words, role_and_name
from handlers.work import Reading
from models import Incident, IncidentEvent, Move, Part, Participant, Privacy

_SIGNED = frozenset(
    {
        Move.ACCEPT,
        Move.ARRIVE,
        Move.FINISH,
        Move.RETRACT,
        Move.RETURN,
        Move.APPEAL_RETURN,
        Move.PART_DONE,
        Move.REQUEST,
    }
)
"""What only who works on a case can do: a hidden name there would tell that they reported it themselves."""


@dataclass(frozen=True)
class Line:
    """One thing that happened, as it is shown."""

    at: datetime
    words: str
    who: str
    reason: str
    stage: str


def timeline(reading: Reading, incident: Incident) -> list[Line]:
    """Everything that happened to a case, in order, each with who did it and why."""
    query = (
        select(IncidentEvent)
        .where(col(IncidentEvent.incident_id) == incident.id)
        .order_by(col(IncidentEvent.id))
    )
    hidden = hidden_reporters(reading, incident)
    return [_line(reading, event, hidden) for event in reading.session.execute(query).scalars()]


def hidden_reporters(reading: Reading, incident: Incident) -> dict[int, Privacy]:
    """Those who asked not to be named, by their own reports, which may since have been merged into this
    case.
    """
    own = func.coalesce(col(Participant.told_as), col(Participant.incident_id))
    query = (
        select(col(Participant.person_id), col(Incident.filed_by_id), col(Incident.privacy))
        .join(Incident, col(Incident.id) == own)
        .where(
            col(Participant.incident_id) == incident.id,
            col(Participant.part) == Part.REPORTER,
            col(Incident.privacy) != Privacy.OPEN,
        )
    )
    rows = reading.session.execute(query).all()
    return {person: row.privacy for row in rows for person in (row.person_id, row.filed_by_id)}


def _line(reading: Reading, event: IncidentEvent, hidden: dict[int, Privacy]) -> Line:
    words = reading.book.text(f"move.{event.move}")
    detail = _detail(reading, event)
    return Line(
        event.at,
        f"{words}{detail}",
        _who(reading, event, hidden),
        event.reason or "",
        reading.stage(event.after),
    )


def _who(reading: Reading, event: IncidentEvent, hidden: dict[int, Privacy]) -> str:
    if event.actor_id in hidden and event.move not in _SIGNED:
        return hidden_words(reading, hidden[event.actor_id])
    return role_and_name(reading, event.actor_id)


def _detail(reading: Reading, event: IncidentEvent) -> str:
    data = event.data
    if "to" in data:
        return f" → {role_and_name(reading, data['to'])}"
    if "result" in data:
        return f"：{data['result']}"
    if "percent" in data:
        return f"（{data['percent']}%）"
    if "rating" in data:
        return f"：{reading.book.incidents.ratings[data['rating']]}"
    if "answer" in data:
        return f"：{reading.word('menu.solved' if data['answer'] == 'solved' else 'menu.unsolved')}"
    return ""
