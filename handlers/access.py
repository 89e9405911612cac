"""Who may see and act on what: the only source of rows that are shown to somebody or changed for them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, false, not_, or_, select, true
from sqlmodel import col

from handlers.complaints import hidden_words
from handlers.grids.spans import paths_ever
from handlers.refusal import NotFound
from handlers.work import Reading
from models import Grid, Incident, Part, Participant, Privacy, State, path_range


def in_area(reading: Reading) -> ColumnElement[bool]:
    """Condition: the case lies in the subtree of one of the actor's posts."""
    ranges = reading.actor.ranges
    if not ranges:
        return false()
    within = or_(*(and_(col(Grid.path) >= low, col(Grid.path) < high) for low, high in ranges))
    return col(Incident.grid_id).in_(select(col(Grid.id)).where(within))


def was_in_area(reading: Reading) -> ColumnElement[bool]:
    """Condition: the case was opened in the subtree of one of the actor's posts, as the tree stood then."""
    held = [post.grid_id for post in reading.actor.posts if post.unit_id is None]
    ranges = {path_range(path) for path in paths_ever(reading.session, held)} | set(reading.actor.ranges)
    opened_in = col(Incident.opened_in)
    return or_(false(), *(and_(opened_in >= low, opened_in < high) for low, high in sorted(ranges)))


def counted_for(reading: Reading) -> Select[Incident]:
    """The cases that figures of a time count for a person: those opened in what was their area then."""
    shown = or_(takes_part(reading), is_concerned(reading), _not_secret(reading))
    return select(Incident).where(was_in_area(reading), shown)


def takes_part(reading: Reading, *parts: Part) -> ColumnElement[bool]:
    """Condition: the actor reported, follows or helps with the case."""
    mine = [
        col(Participant.incident_id) == col(Incident.id),
        col(Participant.person_id) == reading.actor.id,
    ]
    if parts:
        mine.append(col(Participant.part).in_(parts))
    return exists().where(*mine)


_TABLE = (col(Incident.owner_id), col(Incident.approver_id), col(Incident.handler_id))


def is_concerned(reading: Reading) -> ColumnElement[bool]:
    """Condition: the case is on the actor's own table (owner, approver, handler), by a post they hold."""
    if not reading.actor.posts:
        return false()
    tables = reading.actor.tables
    return or_(*(column.in_(tables) for column in _TABLE))


def seen_by(reading: Reading) -> Select[Incident]:
    """The only permitted select of cases for a person: their own, and those of their area by their posts."""
    conditions = [takes_part(reading), is_concerned(reading)]
    if reading.actor.posts:
        conditions.append(and_(in_area(reading), _not_secret(reading)))
    return select(Incident).where(or_(*conditions))


def _not_secret(reading: Reading) -> ColumnElement[bool]:
    """A secret case shows on nobody's board but the arbiter's and the supervisor's.

    Not even theirs where it speaks of themselves: nobody reads a complaint about oneself.
    """
    is_open = col(Incident.privacy) != Privacy.SECRET
    if not (reading.actor.may("arbitrate") or reading.actor.may("supervise")):
        return is_open
    told = [col(Incident.what).contains(word, autoescape=True) for word in hidden_words(reading)]
    return or_(is_open, not_(or_(*told))) if told else true()


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
    path = reading.tree.at(incident.grid_id).path
    return any(reading.actor.may_on(ability, path) for ability in ("assign", "supervise", "arbitrate"))
