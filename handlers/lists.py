"""Lists of cases: how a case stands in one, by what it can be chosen, and whether it is late."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlmodel import col

from handlers.cases import choice_of
from handlers.dues import deadline
from handlers.work import Reading
from models import OPEN, Incident, IncidentEvent, Move, State

PAGE = 8


def items(
    reading: Reading,
    found: Sequence[Incident],
    *,
    headings: Sequence[str] = (),
    numbers: Sequence[int] = (),
    late: Collection[int | None] | None = None,
) -> list[dict[str, Any]]:
    """The lines of a list.

    `headings`: what each line stands under; `numbers`: by which the reader knows the cases; `late`: the
    cases that are late, where they have been looked up already.
    """
    late = late_among(reading, found) if late is None else late
    mark = reading.word("late.mark")
    return [
        {
            "section": headings[at] if headings else "",
            "number": str(numbers[at] if numbers else case.id),
            "title": case.title,
            "place": reading.tree.named(case.grid_id),
            "due": deadline(case),
            "late": mark if case.id in late else "",
            "stage": reading.stage(case.state),
        }
        for at, case in enumerate(found)
    ]


def listed(case: Incident, number: int | None = None) -> dict[str, Any]:
    """The same line as something to choose, which shows the case."""
    number = number or case.id or 0
    return {**choice_of(f"{number} {case.title}", "show", number), "listed": True}


# ---- what is late ----------------------------------------------------------------------------------------


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


def late_among(reading: Reading, found: Sequence[Incident]) -> set[int | None]:
    """The cases of one list that are late, in one look at most."""
    late = {case.id for case in found if _is_past_due(reading, case)}
    rest = [case.id for case in found if case.state is State.DISPATCHED and case.id not in late]
    if not rest:
        return late
    query = select(col(Incident.id)).where(col(Incident.id).in_(rest), past_due(reading))
    return late | set(reading.session.execute(query).scalars())


def all_late(reading: Reading) -> set[int | None]:
    """Every open case that is late, for lists of many people at once."""
    query = select(col(Incident.id)).where(col(Incident.state).in_(OPEN), past_due(reading))
    return set(reading.session.execute(query).scalars())


def is_overdue(reading: Reading, case: Incident) -> bool:
    """The same for a case at hand."""
    return case.id in late_among(reading, [case])


def _is_past_due(reading: Reading, case: Incident) -> bool:
    return any(due is not None and due <= reading.now for due in (case.resolve_due, case.accept_due))
