"""The timeline of a case in plain words, for its reporter, its keeper and the board."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from handlers.cases import role_and_name
from handlers.work import Reading
from models import Incident, IncidentEvent


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
    return [_line(reading, event) for event in reading.session.execute(query).scalars()]


def _line(reading: Reading, event: IncidentEvent) -> Line:
    words = reading.book.text(f"move.{event.move}")
    detail = _detail(reading, event)
    return Line(
        event.at,
        f"{words}{detail}",
        role_and_name(reading, event.actor_id),
        event.reason or "",
        reading.stage(event.after),
    )


def _detail(reading: Reading, event: IncidentEvent) -> str:
    data = event.data
    if "to" in data:
        return f" → {role_and_name(reading, data['to'])}"
    if "result" in data:
        return f":{data['result']}"
    if "percent" in data:
        return f"({data['percent']}%)"
    if "rating" in data:
        return f":{reading.book.incidents.ratings[data['rating']]}"
    if "answer" in data:
        return f":{'已解决' if data['answer'] == 'solved' else '未解决'}"
    return ""
