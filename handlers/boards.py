"""Boards: what a person has to do, what became of what they said, and what is not yet zero."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, false, func, or_, select, union
from sqlmodel import col

from handlers import access
from handlers.cases import (
    about,
    call_of,
    choice,
    choice_of,
    is_backstop,
    reporter_words,
    role_and_name,
)
from handlers.choices import MOST_PRESSING, cases
from handlers.command import Ask, Command, Done, handles
from handlers.dues import deadline
from handlers.timeline import timeline
from handlers.work import Reading, Work
from models import (
    IN_HAND,
    OPEN,
    TO_BE_DONE,
    Grid,
    Incident,
    IncidentEvent,
    Move,
    Part,
    Participant,
    State,
    path_range,
)

PAGE = 8


class Todo(Command):
    """The worker's day card: overdue, due today, new, in hand, waiting for others."""

    name: ClassVar[str] = "todo"
    may: ClassVar[str | None] = "handle"


class Show(Command):
    """One case: where it stands, who has it, until when, and what one can do about it."""

    name: ClassVar[str] = "show"
    incident: Annotated[int, Ask("case", among="seen")]


class Progress(Command):
    """What became of what I reported."""

    name: ClassVar[str] = "progress"


class Zero(Command):
    """What is not yet zero in one's area (小事时时清零、大事天天清零)."""

    name: ClassVar[str] = "zero"
    may: ClassVar[str | None] = "review"


class Board(Command):
    """Open cases of one's area, overdue first."""

    name: ClassVar[str] = "board"
    may: ClassVar[str | None] = "oversee"


class SendDayCards(Command):
    """The clock: every worker who has something to do gets their card in the morning."""

    name: ClassVar[str] = "send_day_cards"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    slot: str


class SendZeroBoards(Command):
    """The clock: every keeper of a community with open cases gets the zero board before the day ends."""

    name: ClassVar[str] = "send_zero_boards"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    slot: str


# ---- the day card ----------------------------------------------------------------------------------------

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
    return Done({"items": [_item(work, name, case) for name, case in rows]})


def _card(reading: Reading, rows: list[tuple[str, Incident]]) -> dict[str, Any]:
    shown = rows[:PAGE]
    return {
        "count": len(rows),
        "more": len(rows) - len(shown) or None,
        "items": [_item(reading, name, case) for name, case in shown],
        "choices": [_listed(case) for _, case in shown],
    }


def _item(reading: Reading, section: str, case: Incident, number: int | None = None) -> dict[str, Any]:
    return {
        "section": section,
        "number": str(number or case.id),
        "title": case.title,
        "place": reading.tree.named(case.grid_id),
        "due": deadline(case),
        "late": "已超时" if is_overdue(reading, case) else "",
        "stage": reading.stage(case.state),
    }


def _listed(case: Incident, number: int | None = None) -> dict[str, Any]:
    number = number or case.id or 0
    return {**choice_of(f"{number} {case.title}", "show", number), "listed": True}


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


# ---- one case --------------------------------------------------------------------------------------------


@handles(Show)
def show(work: Work, command: Show) -> Done:
    """A reporter sees where it stands; a worker also what they can do next."""
    incident = access.find_main(work, command.incident)
    mine = access.is_reporter(work, incident) or incident.filed_by_id == work.actor.id
    staff = incident.owner_id == work.actor.id or access.stands_above(work, incident)
    text = "show.worker" if staff else "show.reporter"
    work.reply(
        text,
        incident=incident,
        owner=role_and_name(work, incident.owner_id or incident.handler_id),
        phone=call_of(work, incident.owner_id or incident.handler_id),
        reporter=reporter_words(work, incident) if staff else None,
        last=timeline(work, incident)[-1].words,
        choices=next_choices(work, incident, reporter=mine, number=command.incident),
        **about(work, incident, command.incident if mine else None),
    )
    return Done(case_data(work, incident), command.incident if mine else incident.id)


def next_choices(
    reading: Reading, incident: Incident, *, reporter: bool, number: int | None = None
) -> list[dict[str, Any]]:
    """What this person can do with the case now, at most five; `number`: by which its reporter knows it."""
    if incident.approver_id == reading.actor.id and incident.request is not None:
        return [choice("同意", "approve", incident), choice("不同意", "disapprove", incident)]
    owner = incident.owner_id == reading.actor.id
    found = [
        choice(label, do, incident) if who == "owner" else choice_of(label, do, number or incident.id or 0)
        for label, do, states, who in _NEXT
        if incident.state in states and (owner if who == "owner" else reporter)
        if do not in _left_out(reading, incident, number)
    ]
    return found[:5]


def _left_out(reading: Reading, incident: Incident, number: int | None) -> set[str]:
    """What would only be refused: giving back at the top, putting right a report that was merged."""
    left_out = {"return_case"} if is_backstop(reading, incident) else set()
    return left_out | ({"amend"} if number not in (None, incident.id) else set())


_NEXT: Sequence[tuple[str, str, frozenset[State], str]] = (
    ("接单", "accept", frozenset({State.DISPATCHED, State.RETURNED}), "owner"),
    ("派给别人", "dispatch", frozenset({State.RETURNED}), "owner"),
    ("裁定", "arbitrate", frozenset({State.ARBITRATION}), "owner"),
    ("到场", "arrive", frozenset({State.ACCEPTED}), "owner"),
    ("办结", "finish", IN_HAND, "owner"),
    ("核查通过", "verify", frozenset({State.HANDLED}), "owner"),
    ("返工", "rework", frozenset({State.HANDLED}), "owner"),
    ("退回", "return_case", TO_BE_DONE, "owner"),
    ("转派", "transfer", TO_BE_DONE, "owner"),
    ("延期", "extend", IN_HAND, "owner"),
    ("恢复", "unsuspend", frozenset({State.PAUSED}), "owner"),
    ("已解决", "solved", frozenset({State.WAITING_REPORTER}), "reporter"),
    ("未解决", "unsolved", frozenset({State.WAITING_REPORTER, State.CLOSED_SOLVED}), "reporter"),
    ("催办", "urge", TO_BE_DONE, "reporter"),
    ("改", "amend", frozenset({State.DISPATCHED}), "reporter"),
)


def case_data(reading: Reading, incident: Incident) -> dict[str, Any]:
    """A case as the API and the board page show it."""
    return {
        "number": incident.id,
        "what": incident.what,
        "place": reading.tree.named(incident.grid_id),
        "spot": incident.spot,
        "category": reading.book.category(incident.category).name,
        "grade": reading.book.grade(incident.grade).name,
        "state": str(incident.state),
        "stage": reading.stage(incident.state),
        "owner": role_and_name(reading, incident.owner_id) if incident.owner_id else None,
        "opened_at": incident.opened_at,
        "resolve_due": incident.resolve_due,
        "due_certain": incident.due_certain,
        "overdue": is_overdue(reading, incident),
        "supervised": incident.supervised,
        "danger": incident.danger,
        "rating": incident.rating,
    }


# ---- what I reported -------------------------------------------------------------------------------------


@handles(Progress)
def progress(work: Work, command: Progress) -> Done:
    """The open ones first, then the latest that ended."""
    mine = access.takes_part(work, Part.REPORTER) | (col(Incident.filed_by_id) == work.actor.id)
    query = (
        access.seen_by(work)
        .where(mine, col(Incident.state) != State.MERGED)
        .order_by(col(Incident.ended_at).is_not(None), col(Incident.id).desc())
        .limit(PAGE)
    )
    found = list(work.session.execute(query).scalars())
    if not found:
        work.reply("progress.nothing")
        return Done({"items": []})
    known = _known_numbers(work, found)
    if len(found) == 1:
        return show(work, Show(incident=known[0]))
    work.reply(
        "progress.list",
        count=len(found),
        items=[_item(work, "", case, number) for case, number in zip(found, known, strict=True)],
        choices=[_listed(case, number) for case, number in zip(found, known, strict=True)],
    )
    return Done({"items": [case_data(work, case) for case in found]})


def _known_numbers(reading: Reading, found: Sequence[Incident]) -> list[int]:
    """The numbers by which the actor knows cases: those of their own reports, also after a merge."""
    query = select(col(Participant.incident_id), col(Participant.told_as)).where(
        col(Participant.incident_id).in_([case.id for case in found]),
        col(Participant.person_id) == reading.actor.id,
        col(Participant.told_as).is_not(None),
    )
    told = {row.incident_id: row.told_as for row in reading.session.execute(query)}
    return [told.get(case.id) or case.id or 0 for case in found]


# ---- zero boards and the board ---------------------------------------------------------------------------


def zero_rows(reading: Reading) -> list[tuple[str, int, int, list[Incident]]]:
    """Per community of one's area: (name, small open, big open, the most pressing). Only what is not zero."""
    open_here = access.seen_by(reading).where(access.in_area(reading), col(Incident.state).in_(OPEN))
    counts: dict[int, list[int]] = {}
    for grid_id, is_big, many in _open_counts(reading, open_here):
        counts.setdefault(community_of(reading, grid_id), [0, 0])[is_big] += many
    worst: dict[int, list[Incident]] = {area: [] for area in counts}
    pressing = open_here.order_by(*MOST_PRESSING).limit(200)
    for case in reading.session.execute(pressing).scalars():
        worst.setdefault(community_of(reading, case.grid_id), []).append(case)
    names = dict(zip(counts, reading.tree.told_apart(list(counts)), strict=True))
    rows = [(names[area], small, big, worst[area]) for area, (small, big) in counts.items()]
    return sorted(rows, key=lambda row: -(row[1] + row[2]))


def _open_counts(reading: Reading, cases_: Select[Incident]) -> list[tuple[int, bool, int]]:
    """(grid, big or not, how many), by the grades of the promises the cases were opened under."""
    big = col(Incident.promise)["daily_zero"].as_boolean().label("big")
    found = cases_.with_only_columns(col(Incident.grid_id), big).subquery()
    query = select(found.c.grid_id, found.c.big, func.count()).group_by(found.c.grid_id, found.c.big)
    return [(grid_id, bool(is_big), many) for grid_id, is_big, many in reading.session.execute(query)]


def community_of(reading: Reading, grid_id: int) -> int:
    """The village or community a grid lies in, by the level the place counts to zero by; else the grid."""
    node = reading.tree.at_level(grid_id, reading.book.incidents.zero_level)
    return node.id if node else grid_id


@handles(Zero)
def zero(work: Work, command: Zero) -> Done:
    """Small things at any time, big ones by the evening."""
    rows = zero_rows(work)
    if not rows:
        work.reply("zero.clear")
        return Done({"items": []})
    work.reply("zero.board", **_zero_card(work, rows))
    return Done({"items": [{"area": name, "small": small, "big": big} for name, small, big, _ in rows]})


def _zero_card(reading: Reading, rows: list[tuple[str, int, int, list[Incident]]]) -> dict[str, Any]:
    urgent = [case for _, _, _, found in rows for case in found][:PAGE]
    return {
        "areas": "、".join(f"{name}小事{small}件大事{big}件" for name, small, big, _ in rows[:4]),
        "count": sum(small + big for _, small, big, _ in rows),
        "items": [_item(reading, "", case) for case in urgent],
        "choices": [_listed(case) for case in urgent],
    }


@handles(SendZeroBoards)
def send_zero_boards(work: Work, command: SendZeroBoards) -> Done:
    """To the keeper of each community that is not at zero; a community at zero is left in peace."""
    told = 0
    for person_id, actor in work.tree.staff.items():
        if not actor.may("review") or not actor.ranges:
            continue
        level = work.book.incidents.zero_level
        if not any(work.tree.nodes[post.grid_id].level == level for post in actor.posts):
            continue
        rows = zero_rows(Reading(work.session, work.now, work.book, work.tree, actor))
        if rows:
            work.tell(person_id, "zero.evening", key=f"zero:{command.slot}", **_zero_card(work, rows))
            told += 1
    return Done({"told": told})


@handles(Board)
def board(work: Work, command: Board) -> Done:
    """What a leader opens first: how many, how many late, and the worst of them."""
    found = board_cases(work, limit=PAGE)
    total, late = board_counts(work)
    if not total:
        work.reply("board.clear")
        return Done({"items": []})
    work.reply(
        "board.card",
        count=total,
        overdue=late,
        items=[_item(work, "", case) for case in found],
        choices=[_listed(case) for case in found],
    )
    return Done({"items": [case_data(work, case) for case in found], "open": total, "overdue": late})


def board_cases(reading: Reading, *, limit: int = 200, area: int | None = None) -> list[Incident]:
    """Open cases of one's area (or of one grid in it), overdue first."""
    query = access.seen_by(reading).where(access.in_area(reading), col(Incident.state).in_(OPEN))
    if area is not None:
        low, high = path_range(reading.tree.nodes[area].path)
        within = select(col(Grid.id)).where(col(Grid.path) >= low, col(Grid.path) < high)
        query = query.where(col(Incident.grid_id).in_(within))
    query = query.order_by(*MOST_PRESSING)
    return list(reading.session.execute(query.limit(limit)).scalars())


def board_counts(reading: Reading) -> tuple[int, int]:
    """(open, overdue) in one's area."""
    mine = access.seen_by(reading).where(access.in_area(reading), col(Incident.state).in_(OPEN))
    shown = mine.with_only_columns(past_due(reading).label("late")).subquery()
    query = select(func.count(), func.count().filter(shown.c.late)).select_from(shown)
    total, overdue = reading.session.execute(query).one()
    return total, overdue


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


def is_overdue(reading: Reading, case: Incident) -> bool:
    """The same for a case at hand."""
    if any(due is not None and due <= reading.now for due in (case.resolve_due, case.accept_due)):
        return True
    if case.state is not State.DISPATCHED:
        return False
    query = select(col(Incident.id)).where(col(Incident.id) == case.id, past_due(reading))
    return reading.session.execute(query).first() is not None
