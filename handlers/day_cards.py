"""Day cards: everything a worker has to do, most pressing first, and the same every morning."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import load_only
from sqlmodel import col

from handlers.choices import MOST_PRESSING, cases
from handlers.command import Command, Done, OwnCommand, handles
from handlers.handovers import take_up_orphans
from handlers.lists import PAGE, all_late, items, listed
from handlers.option import MOST
from handlers.work import Reading, Work
from models import (
    IN_HAND,
    OPEN,
    TO_BE_DONE,
    Incident,
    Part,
    Participant,
    State,
)


class Todo(Command):
    """The worker's day card: overdue, due today, new, in hand, waiting for others."""

    name: ClassVar[str] = "todo"
    may: ClassVar[str | None] = "handle"


class SendDayCards(OwnCommand):
    """The clock: every worker who has something to do gets their card in the morning."""

    name: ClassVar[str] = "send_day_cards"
    slot: str


# ---- what lies on a table --------------------------------------------------------------------------------

Row = tuple[str, Incident]
"""The key of a heading, and a case under it."""
Section = tuple[str, Callable[[Incident, datetime, datetime], bool]]

_TO_APPROVE = "section.to_approve"
_SECTIONS: Sequence[Section] = (
    (
        "section.overdue",
        lambda c, now, night: c.state in TO_BE_DONE and c.resolve_due is not None and c.resolve_due <= now,
    ),
    ("section.new", lambda c, now, night: c.state is State.DISPATCHED),
    ("section.to_give_anew", lambda c, now, night: c.state in (State.RETURNED, State.ARBITRATION)),
    ("section.to_verify", lambda c, now, night: c.state is State.HANDLED),
    (
        "section.today",
        lambda c, now, night: c.state in IN_HAND and c.resolve_due is not None and c.resolve_due <= night,
    ),
    ("section.in_hand", lambda c, now, night: c.state in IN_HAND),
    ("section.waiting", lambda c, now, night: c.state is State.WAITING_REPORTER),
    ("section.paused", lambda c, now, night: c.state is State.PAUSED),
    ("section.other", lambda c, now, night: True),
)
"""The headings of a card from the top down; a case stands under the first that holds."""
_HELPING = "section.helping"
_DEPUTISING = "section.deputising"
_ORDER = {
    name: place
    for place, name in enumerate((_TO_APPROVE, *(name for name, _ in _SECTIONS), _DEPUTISING, _HELPING))
}
_TO_WAIT_FOR = ("section.waiting", "section.paused")


def todo_cases(reading: Reading) -> list[tuple[str, Incident]]:
    """Everything on a worker's table with the heading it stands under, most pressing first."""
    me, tables = reading.actor.id, reading.actor.tables
    mine = col(Incident.owner_id).in_(tables) | col(Incident.approver_id).in_(tables)
    query = select(Incident).where(mine, col(Incident.state).in_(OPEN)).order_by(*MOST_PRESSING)
    found = list(reading.session.execute(query).scalars())
    rows = _table(reading, me, found, cases(reading, "helping"))
    return [(reading.word(heading), case) for heading, case in rows]


def _table(
    reading: Reading, person: int | None, mine: Sequence[Incident], helping: Sequence[Incident]
) -> list[Row]:
    """A person's cases and those they help with, each with the key of its heading, in the card's order."""
    night = _end_of_day(reading)
    rows = [(_heading(reading, person, case, night), case) for case in mine]
    rows += [(_HELPING, case) for case in helping if case.owner_id != person]
    return sorted(rows, key=lambda row: _ORDER[row[0]])


def _heading(reading: Reading, person: int | None, case: Incident, night: datetime) -> str:
    if case.request is not None and case.approver_id == person:
        return _TO_APPROVE
    heading = next(name for name, holds in _SECTIONS if holds(case, reading.now, night))
    is_own = person in (case.owner_id, case.approver_id)
    return heading if is_own or heading in _TO_WAIT_FOR else _DEPUTISING


def _end_of_day(reading: Reading) -> datetime:
    local = reading.now.astimezone(reading.book.zone)
    return local.replace(hour=23, minute=59, second=59, microsecond=0).astimezone(reading.now.tzinfo)


@handles(Todo)
def todo(work: Work, command: Todo) -> Done:
    """Numbered, so that `1 接单` and `2 办结 已更换灯泡` work on it."""
    rows = todo_cases(work)
    if not rows:
        work.reply("todo.nothing")
        return Done({"items": []})
    work.reply("todo.card", **_card(work, rows))
    found, headings = [case for _, case in rows], [heading for heading, _ in rows]
    return Done({"items": items(work, found, headings=headings)})


def _card(
    reading: Reading, rows: Sequence[tuple[str, Incident]], late: Collection[int | None] | None = None
) -> dict[str, Any]:
    found = [case for _, case in rows[:PAGE]]
    headings = [heading for heading, _ in rows[:PAGE]]
    return {
        "count": len(rows),
        "more": len(rows) - len(found) or None,
        "items": items(reading, found, headings=headings, late=late),
        "choices": [listed(case) for case in found],
    }


# ---- every morning ---------------------------------------------------------------------------------------


@handles(SendDayCards)
def send_day_cards(work: Work, command: SendDayCards) -> Done:
    """Nobody with an empty table is written to; however many they are, the database is asked three times.

    What lies with somebody who holds no post any more is given to who answers for its place first.
    """
    mine = _by_person(work)
    if left := mine.keys() - work.tree.staff.keys():
        take_up_orphans(work, sorted(left))
        work.session.flush()
        mine = _by_person(work)
    helping, late = _helped_by(work), all_late(work)
    greeting = work.word(_greeting(work))
    told = 0
    _lay_before_deputies(work, mine)
    for person in sorted({*mine, *helping} & work.tree.staff.keys() - work.tree.away.keys()):
        table = _table(work, person, mine[person], helping[person][:MOST])
        rows = [(work.word(heading), case) for heading, case in table if heading not in _TO_WAIT_FOR]
        if rows:
            card = _card(work, rows, late)
            work.tell(person, "todo.morning", key=f"day_card:{command.slot}", greeting=greeting, **card)
            told += 1
    return Done({"told": told})


def _lay_before_deputies(reading: Reading, tables: defaultdict[int, list[Incident]]) -> None:
    """What lies on the table of somebody on leave is shown to who stands in for them."""
    for person, deputy in reading.tree.away.items():
        known = {case.id for case in tables[deputy]}
        tables[deputy] += [case for case in tables.pop(person, []) if case.id not in known]


_SHOWN = load_only(
    Incident.what,  # type: ignore[arg-type]
    Incident.grid_id,  # type: ignore[arg-type]
    Incident.state,  # type: ignore[arg-type]
    Incident.owner_id,  # type: ignore[arg-type]
    Incident.approver_id,  # type: ignore[arg-type]
    Incident.request,  # type: ignore[arg-type]
    Incident.accept_due,  # type: ignore[arg-type]
    Incident.resolve_due,  # type: ignore[arg-type]
    Incident.due_certain,  # type: ignore[arg-type]
)
"""What a card tells of a case; the rest stays in the database."""


def _by_person(reading: Reading) -> defaultdict[int, list[Incident]]:
    """The open cases that somebody owns or must decide on, by that person, most pressing first."""
    query = select(Incident).where(col(Incident.state).in_(OPEN)).order_by(*MOST_PRESSING).options(_SHOWN)
    found: defaultdict[int, list[Incident]] = defaultdict(list)
    for case in reading.session.execute(query).scalars():
        for person in {case.owner_id, case.approver_id} - {None}:
            found[person or 0].append(case)
    return found


def _helped_by(reading: Reading) -> defaultdict[int, list[Incident]]:
    """The open cases that somebody helps with and has not done their part of, most pressing first."""
    query = (
        select(col(Participant.person_id), Incident)
        .join(Incident, col(Incident.id) == col(Participant.incident_id))
        .where(col(Incident.state).in_(OPEN))
        .where(col(Participant.part) == Part.HELPER, col(Participant.done_at).is_(None))
        .order_by(*MOST_PRESSING)
        .options(_SHOWN)
    )
    found: defaultdict[int, list[Incident]] = defaultdict(list)
    for person, case in reading.session.execute(query):
        found[person].append(case)
    return found


def _greeting(reading: Reading) -> str:
    """The key of what one says at this hour of the place: after a fault a card may come late."""
    hour = reading.now.astimezone(reading.book.zone).hour
    hours = ((5, "evening"), (11, "morning"), (13, "noon"), (18, "afternoon"))
    part = next((part for until, part in hours if hour < until), "evening")
    return f"greeting.{part}"
