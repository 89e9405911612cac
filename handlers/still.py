"""Conditions that are checked once more when a promise is about to be sent: is it still true?"""

from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from models import OPEN, Incident, State


def _owner(incident: Incident, person_id: int | None) -> bool:
    return incident.owner_id == person_id


STILL: Mapping[str, Callable[[Incident, int | None], bool]] = {
    "open": lambda incident, _: incident.state in OPEN,
    "mine": lambda incident, person: incident.state in OPEN and _owner(incident, person),
    "not_accepted": lambda incident, person: incident.state is State.DISPATCHED and _owner(incident, person),
    "handled": lambda incident, person: incident.state is State.HANDLED and _owner(incident, person),
    "waiting": lambda incident, _: incident.state is State.WAITING_REPORTER,
    "requested": lambda incident, person: incident.request is not None and incident.approver_id == person,
}
"""Name kept on the promise -> whether it may still be sent to this person."""


def still_true(session: Session, still: str | None, incident_id: int | None, person_id: int | None) -> bool:
    """Whether what a promise says still holds. One without a condition always does.

    `mine@17` is said to somebody who stands in for person 17, whose case it must still be.
    """
    if still is None or incident_id is None:
        return True
    incident = session.execute(select(Incident).where(col(Incident.id) == incident_id)).scalar_one_or_none()
    condition, _, absent = still.partition("@")
    return incident is not None and STILL[condition](incident, int(absent) if absent else person_id)
