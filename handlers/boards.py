"""Boards: the open cases of a leader's area, overdue first."""

from typing import ClassVar

from sqlalchemy import func, select
from sqlmodel import col

from handlers import access
from handlers.choices import MOST_PRESSING
from handlers.command import Command, Done, handles
from handlers.lists import PAGE, items, listed, past_due
from handlers.showing import case_data
from handlers.work import Reading, Work
from models import OPEN, Grid, Incident, path_range


class Board(Command):
    """Open cases of one's area, overdue first."""

    name: ClassVar[str] = "board"
    may: ClassVar[str | None] = "oversee"


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
        items=items(work, found),
        choices=[listed(case) for case in found],
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
