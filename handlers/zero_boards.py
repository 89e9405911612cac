"""Zero boards: what is not yet zero in an area (小事时时清零、大事天天清零)."""

from typing import Any, ClassVar

from sqlalchemy import Select, func, select
from sqlmodel import col

from handlers import access
from handlers.choices import MOST_PRESSING
from handlers.command import Command, Done, OwnCommand, handles
from handlers.lists import PAGE, items, listed
from handlers.work import Reading, Work
from models import OPEN, Incident


class Zero(Command):
    """What is not yet zero in one's area (小事时时清零、大事天天清零)."""

    name: ClassVar[str] = "zero"
    may: ClassVar[str | None] = "review"


class SendZeroBoards(OwnCommand):
    """The clock: every keeper of a community with open cases gets the zero board before the day ends."""

    name: ClassVar[str] = "send_zero_boards"
    slot: str


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
        "areas": "、".join(
            reading.word("area.open", name=name, small=small, big=big) for name, small, big, _ in rows[:4]
        ),
        "count": sum(small + big for _, small, big, _ in rows),
        "items": items(reading, urgent),
        "choices": [listed(case) for case in urgent],
    }


@handles(SendZeroBoards)
def send_zero_boards(work: Work, command: SendZeroBoards) -> Done:
    """To the keeper of each community that is not at zero; a community at zero is left in peace."""
    told = 0
    for person_id, actor in work.tree.staff.items():
        if not actor.may("review") or not actor.ranges or person_id in work.tree.away:
            continue
        level = work.book.incidents.zero_level
        if not any(work.tree.nodes[post.grid_id].level == level for post in actor.posts):
            continue
        rows = zero_rows(Reading(work.session, work.now, work.book, work.tree, actor))
        if rows:
            work.tell(person_id, "zero.evening", key=f"zero:{command.slot}", **_zero_card(work, rows))
            told += 1
    return Done({"told": told})
