"""Day cards: everything a worker has to do, most pressing first, and the same every morning."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CompoundSelect,
    select,
    union,
)
from sqlmodel import col

from handlers.choices import MOST_PRESSING, cases
from handlers.command import Command, Done, handles
from handlers.lists import PAGE, item, listed
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


class SendDayCards(Command):
    """The clock: every worker who has something to do gets their card in the morning."""

    name: ClassVar[str] = "send_day_cards"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    slot: str


Section = tuple[str, Callable[[Incident, datetime, datetime], bool]]

_SECTIONS: Sequence[Section] = (
    ("待您审批", lambda c, now, night: c.request is not None and c.approver_id is not None),
    (
        "已超时",
        lambda c, now, night: c.state in TO_BE_DONE and c.resolve_due is not None and c.resolve_due <= now,
    ),
    ("新派来", lambda c, now, night: c.state is State.DISPATCHED),
    ("退回待派", lambda c, now, night: c.state in (State.RETURNED, State.ARBITRATION)),
    ("待核查", lambda c, now, night: c.state is State.HANDLED),
    (
        "今天到期",
        lambda c, now, night: c.state in IN_HAND and c.resolve_due is not None and c.resolve_due <= night,
    ),
    ("办理中", lambda c, now, night: c.state in IN_HAND),
    ("等居民确认", lambda c, now, night: c.state is State.WAITING_REPORTER),
    ("挂账中", lambda c, now, night: c.state is State.PAUSED),
)


def todo_cases(reading: Reading) -> list[tuple[str, Incident]]:
    """Everything on a worker's table with the heading it stands under, most pressing first."""
    me = reading.actor.id
    mine = (col(Incident.owner_id) == me) | (col(Incident.approver_id) == me)
    query = select(Incident).where(mine, col(Incident.state).in_(OPEN)).order_by(*MOST_PRESSING)
    found = list(reading.session.execute(query).scalars())
    helping = [c for c in cases(reading, "helping") if c.owner_id != me]
    night = _end_of_day(reading)
    rows = [(rank, name, c) for c in found for rank, name in [_section(reading, c, night)]]
    rows += [(len(_SECTIONS), "协办", c) for c in helping]
    return [(name, c) for _, name, c in sorted(rows, key=lambda row: row[0])]


def _section(reading: Reading, case: Incident, night: datetime) -> tuple[int, str]:
    for rank, (name, holds) in enumerate(_SECTIONS):
        if rank == 0 and case.approver_id != reading.actor.id:
            continue
        if holds(case, reading.now, night):
            return rank, name
    return len(_SECTIONS), "其他"


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
    return Done({"items": [item(work, name, case) for name, case in rows]})


def _card(reading: Reading, rows: list[tuple[str, Incident]]) -> dict[str, Any]:
    shown = rows[:PAGE]
    return {
        "count": len(rows),
        "more": len(rows) - len(shown) or None,
        "items": [item(reading, name, case) for name, case in shown],
        "choices": [listed(case) for _, case in shown],
    }


@handles(SendDayCards)
def send_day_cards(work: Work, command: SendDayCards) -> Done:
    """Nobody with an empty table is written to."""
    told = 0
    for owner in _whose_turn_it_is(work):
        actor = work.tree.staff.get(owner)
        if actor is None:
            continue
        rows = [
            r for r in todo_cases(Reading(work.session, work.now, work.book, work.tree, actor)) if _to_act(r)
        ]
        if rows:
            work.tell(owner, "todo.morning", key=f"day_card:{command.slot}", **_card(work, rows))
            told += 1
    return Done({"told": told})


def _whose_turn_it_is(reading: Reading) -> list[int]:
    """Owners, approvers and helpers of open cases, each once."""
    is_open = col(Incident.state).in_(OPEN)
    helping = (
        select(col(Participant.person_id))
        .join(Incident, col(Incident.id) == col(Participant.incident_id))
        .where(is_open, col(Participant.part) == Part.HELPER, col(Participant.done_at).is_(None))
    )
    people: CompoundSelect[int] = union(
        select(col(Incident.owner_id)).where(is_open, col(Incident.owner_id).is_not(None)),
        select(col(Incident.approver_id)).where(is_open, col(Incident.approver_id).is_not(None)),
        helping,
    )
    return sorted(reading.session.execute(people).scalars())


def _to_act(row: tuple[str, Incident]) -> bool:
    return row[0] not in ("等居民确认", "挂账中")
