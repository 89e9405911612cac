"""Who may see and act on what: the only source of rows that are shown to somebody or changed for them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true
from sqlmodel import col

from handlers.refusal import NotFound
from handlers.work import Reading
from models import Grid, Incident, Part, Participant, Privacy, State


def in_area(reading: Reading) -> ColumnElement[bool]:
    """Condition: the case lies in the subtree of one of the actor's posts."""
    ranges = reading.actor.ranges
    if not ranges:
        return false()
    within = or_(*(and_(col(Grid.path) >= low, col(Grid.path) < high) for low, high in ranges))
    return col(Incident.grid_id).in_(select(col(Grid.id)).where(within))


def takes_part(reading: Reading, *parts: Part) -> ColumnElement[bool]:
    """Condition: the actor reported, follows or helps with the case."""
    mine = [
        col(Participant.incident_id) == col(Incident.id),
        col(Participant.person_id) == reading.actor.id,
    ]
    if parts:
        mine.append(col(Participant.part).in_(parts))
    return exists().where(*mine)


def is_concerned(reading: Reading) -> ColumnElement[bool]:
    """Condition: the case is on the actor's own table (owner, approver, handler), by a post they hold."""
    if not reading.actor.posts:
        return false()
    me = reading.actor.id
    return or_(col(Incident.owner_id) == me, col(Incident.approver_id) == me, col(Incident.handler_id) == me)


def seen_by(reading: Reading) -> Select[Incident]:
    """The only permitted select of cases for a person: their own, and those of their area by their posts."""
    conditions = [takes_part(reading), is_concerned(reading)]
    if reading.actor.posts:
        conditions.append(and_(in_area(reading), _not_secret(reading)))
    return select(Incident).where(or_(*conditions))


def _not_secret(reading: Reading) -> ColumnElement[bool]:
    """A secret case shows on nobody's board but the arbiter's and the supervisor's."""
    if reading.actor.may("arbitrate") or reading.actor.may("supervise"):
        return true()
    return col(Incident.privacy) != Privacy.SECRET


def find(reading: Reading, number: int, *, lock: bool = False) -> Incident:
    """The case with this number, if the actor may see it.

    `lock` holds the row until the work commits, and reads it anew: another process may have changed it since
    this one looked. Raises NotFound alike for what is absent and what is not theirs.
    """
    query = seen_by(reading).where(col(Incident.id) == number)
    if lock:
        reading.session.flush()
        query = query.with_for_update(of=Incident).execution_options(populate_existing=True)
    incident: Incident | None = reading.session.execute(query).scalar_one_or_none()
    if incident is None:
        raise NotFound(number=number)
    return incident


def find_main(reading: Reading, number: int, *, lock: bool = False) -> Incident:
    """The case a number leads to: the main one, where it was merged. Raises NotFound as `find`."""
    incident = find(reading, number, lock=lock)
    while incident.state is State.MERGED and incident.main_id is not None:
        incident = find(reading, incident.main_id, lock=lock)
    return incident


def is_reporter(reading: Reading, incident: Incident) -> bool:
    """Whether the actor is one of those who reported the case."""
    return _has_part(reading, incident, (Part.REPORTER,))


def is_helper(reading: Reading, incident: Incident) -> bool:
    """Whether the actor was asked to help with the case."""
    return _has_part(reading, incident, (Part.HELPER,))


def _has_part(reading: Reading, incident: Incident, parts: Sequence[Part]) -> bool:
    query = select(col(Participant.id)).where(
        col(Participant.incident_id) == incident.id,
        col(Participant.person_id) == reading.actor.id,
        col(Participant.part).in_(parts),
    )
    return reading.session.execute(query).first() is not None


def stands_above(reading: Reading, incident: Incident) -> bool:
    """Whether the case lies in the area of a post of the actor that can assign or supervise."""
    path = reading.tree.nodes[incident.grid_id].path
    return any(reading.actor.may_on(ability, path) for ability in ("assign", "supervise", "arbitrate"))
