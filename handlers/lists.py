"""Lists of cases: how a case stands in one, by what it can be chosen, and whether it is late."""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlmodel import col

from handlers.cases import choice_of
from handlers.dues import deadline
from handlers.work import Reading
from models import Incident, IncidentEvent, Move, State

PAGE = 8


def item(reading: Reading, section: str, case: Incident, number: int | None = None) -> dict[str, Any]:
    """One line of a list; `number`: by which the reader knows the case."""
    return {
        "section": section,
        "number": str(number or case.id),
        "title": case.title,
        "place": reading.tree.named(case.grid_id),
        "due": deadline(case),
        "late": "已超时" if is_overdue(reading, case) else "",
        "stage": reading.stage(case.state),
    }


def listed(case: Incident, number: int | None = None) -> dict[str, Any]:
    """The same line as something to choose, which shows the case."""
    number = number or case.id or 0
    return {**choice_of(f"{number} {case.title}", "show", number), "listed": True}


def past_due(reading: Reading) -> ColumnElement[bool]:
    """Condition: a case is past its time, or has climbed and still nobody has taken it on."""
    climbed = exists().where(
        col(IncidentEvent.incident_id) == col(Incident.id), col(IncidentEvent.move) == Move.CLIMB
    )
    return or_(
        func.coalesce(col(Incident.resolve_due) <= reading.now, false()),
        func.coalesce(col(Incident.accept_due) <= reading.now, false()),
        and_(col(Incident.state) == State.DISPATCHED, climbed),
    )


def is_overdue(reading: Reading, case: Incident) -> bool:
    """The same for a case at hand."""
    if any(due is not None and due <= reading.now for due in (case.resolve_due, case.accept_due)):
        return True
    if case.state is not State.DISPATCHED:
        return False
    query = select(col(Incident.id)).where(col(Incident.id) == case.id, past_due(reading))
    return reading.session.execute(query).first() is not None
