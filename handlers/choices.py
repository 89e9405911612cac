"""Where the numbered choices of a question come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import col

from handlers import access
from handlers.cases import highest_in_reach, rank, role_and_name
from handlers.work import Reading
from models import (
    CHANGEABLE,
    IN_HAND,
    OPEN,
    REOPENABLE,
    TO_BE_DONE,
    Incident,
    Part,
    Participant,
    State,
)

MOST = 9
"""A list one can answer with a single digit."""
MOST_PRESSING = (col(Incident.resolve_due).is_(None), col(Incident.resolve_due), col(Incident.id))
"""Order of cases: the earliest due first, those without a deadline last on every database."""


@dataclass(frozen=True)
class Option:
    """One possible value of a field, and how it is shown."""

    value: int | str
    label: str
    category: str | None = None
    """Of a case: what it is about."""


def _mine(reading: Reading) -> ColumnElement[bool]:
    return col(Incident.owner_id) == reading.actor.id


def _reported(reading: Reading) -> ColumnElement[bool]:
    return or_(access.takes_part(reading, Part.REPORTER), col(Incident.filed_by_id) == reading.actor.id)


def _helping(reading: Reading) -> ColumnElement[bool]:
    return exists().where(
        col(Participant.incident_id) == col(Incident.id),
        col(Participant.person_id) == reading.actor.id,
        col(Participant.part) == Part.HELPER,
        col(Participant.done_at).is_(None),
    )


def _in(*states: State) -> ColumnElement[bool]:
    return col(Incident.state).in_(states)


CASES: Mapping[str, Callable[[Reading], ColumnElement[bool]]] = {
    "reported": lambda r: and_(_reported(r), _in(*OPEN)),
    "to_accept": lambda r: and_(_mine(r), _in(State.DISPATCHED, State.RETURNED)),
    "in_hand": lambda r: and_(_mine(r), _in(*IN_HAND, State.DISPATCHED)),
    "to_finish": lambda r: or_(and_(_mine(r), _in(*TO_BE_DONE)), and_(_helping(r), _in(*OPEN))),
    "seen": lambda r: and_(or_(_reported(r), _mine(r), _helping(r)), _in(*OPEN)),
    "mine": lambda r: and_(_mine(r), _in(*TO_BE_DONE, State.RETURNED, State.ARBITRATION)),
    "paused": lambda r: and_(_mine(r), _in(State.PAUSED)),
    "helping": lambda r: and_(_helping(r), _in(*OPEN)),
    "to_assign": lambda r: and_(_mine(r), _in(State.RETURNED, State.DISPATCHED, State.ACCEPTED)),
    "in_arbitration": lambda r: and_(_mine(r), _in(State.ARBITRATION)),
    "to_verify": lambda r: and_(_mine(r), _in(State.HANDLED)),
    "to_approve": lambda r: and_(col(Incident.approver_id) == r.actor.id, _in(*OPEN)),
    "to_confirm": lambda r: and_(_reported(r), _in(State.WAITING_REPORTER)),
    "to_reopen": lambda r: and_(_reported(r), _in(State.WAITING_REPORTER, *REOPENABLE)),
    "to_rate": lambda r: and_(
        _reported(r), _in(State.CLOSED_SOLVED, State.WAITING_REPORTER), col(Incident.rating).is_(None)
    ),
    "changeable": lambda r: and_(or_(_reported(r), _mine(r)), _in(*CHANGEABLE)),
    "in_area": lambda r: and_(or_(access.in_area(r), _mine(r)), _in(*OPEN)),
}
"""Which cases a question offers."""


def cases(reading: Reading, among: str, limit: int = MOST) -> list[Incident]:
    """Cases a person may mean, the most pressing first for workers, the latest first for reporters."""
    order = (
        (col(Incident.id).desc(),)
        if among in ("reported", "to_confirm", "to_reopen", "to_rate", "changeable")
        else MOST_PRESSING
    )
    query = access.seen_by(reading).where(CASES[among](reading)).order_by(*order).limit(limit)
    return list(reading.session.execute(query).scalars())


def options(reading: Reading, among: str) -> list[Option]:
    """What a field's question offers: cases, colleagues, categories, grades, ratings."""
    if among in CASES:
        return [
            Option(case.id or 0, f"{case.id} {case.title}（{reading.stage(case.state)}）", case.category)
            for case in cases(reading, among)
        ]
    return _LISTS[among](reading)


def _colleagues(reading: Reading) -> list[Option]:
    """Everybody who handles cases in the actor's town, nearest first."""
    anchor = reading.actor.posts[0].grid_id if reading.actor.posts else reading.tree.root.id
    town = reading.tree.town_of(anchor)
    line = [node.id for node in reading.tree.upward(anchor)]
    giver = rank(reading, reading.actor.id)
    highest = highest_in_reach(reading, anchor, giver) if reading.actor.ranges else 0
    found: list[tuple[int, int]] = []
    for person_id, actor in reading.tree.staff.items():
        if person_id == reading.actor.id or not actor.may("handle"):
            continue
        if rank(reading, person_id) < highest:
            continue  # a case is not passed over the head of the next one above
        post = actor.posts[0]
        if post.grid_id in line or post.path.startswith(town.path):
            shared = sum(post.path.startswith(reading.tree.nodes[g].path) for g in line)
            found.append((-shared, person_id))
    return [Option(person_id, role_and_name(reading, person_id)) for _, person_id in sorted(found)]


def _categories(reading: Reading) -> list[Option]:
    return [Option(c.code, c.name) for c in reading.book.categories]


def _grades(reading: Reading) -> list[Option]:
    return [Option(key, grade.name) for key, grade in reading.book.incidents.grades.items()]


def _ratings(reading: Reading) -> list[Option]:
    return [Option(key, label) for key, label in reading.book.incidents.ratings.items()]


_LISTS: Mapping[str, Callable[[Reading], list[Option]]] = {
    "colleagues": _colleagues,
    "categories": _categories,
    "grades": _grades,
    "ratings": _ratings,
}
