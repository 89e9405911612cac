"""The board of a group: how its grid's cases go on, for everybody to read, and nobody to be known by."""

from collections import Counter
from typing import Any, ClassVar, Final

from sqlalchemy import func, select
from sqlmodel import col

from handlers.command import Command, Done, handles
from handlers.funnel import NOT_COUNTED, period_began
from handlers.groups.finding import group_of_chat
from handlers.refusal import Refusal
from handlers.work import Reading, Work
from models import ENDED, Grid, Incident, Privacy, Register, path_range

KINDS_SHOWN: Final = 5


class GroupProgress(Command):
    """How far the cases of the group's grid are: figures and kinds, without names, places and numbers."""

    name: ClassVar[str] = "group_progress"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    in_group: ClassVar[bool] = True


@handles(GroupProgress)
def group_progress(work: Work, _: GroupProgress) -> Done:
    """This month's figures, and of what kind the open ones are; whoever asks, a group reads the same."""
    back = work.back
    group = group_of_chat(work.session, back.channel, back.chat) if back is not None and back.group else None
    if group is None:
        raise Refusal("group.not_bound")
    return Done(show_board(work, group.grid_id))


def show_board(work: Work, grid_id: int) -> dict[str, Any]:
    """Answer with the board of a grid. Secret cases are in no figure: few are enough to be guessed by."""
    rows = work.session.execute(_counted(work, grid_id)).all()
    still = Counter[str]()
    for category, state, count in rows:
        if state not in ENDED:
            still[category] += count
    kinds = [
        {"kind": work.book.category(category).name, "count": count}
        for category, count in still.most_common(KINDS_SHOWN)
    ]
    figures = {
        "total": sum(count for _, _, count in rows),
        "ended": sum(count for _, state, count in rows if state in ENDED),
        "open": sum(still.values()),
    }
    month = work.now.astimezone(work.book.zone).month
    place = work.tree.named(grid_id)
    work.reply("group.board", place=place, month=month, items=kinds or None, **figures)
    return figures


def _counted(reading: Reading, grid_id: int) -> Any:
    """Appeals opened this month, and whatever is open from before."""
    low, high = path_range(reading.tree.at(grid_id).path)
    within = select(col(Grid.id)).where(col(Grid.path) >= low, col(Grid.path) < high)
    this_month = col(Incident.opened_at) >= period_began(reading, 1)
    return (
        select(col(Incident.category), col(Incident.state), func.count())
        .where(
            col(Incident.grid_id).in_(within),
            col(Incident.privacy) != Privacy.SECRET,
            col(Incident.filed_as) == Register.APPEAL,
            col(Incident.state).not_in(NOT_COUNTED),
            this_month | col(Incident.state).not_in(ENDED),
        )
        .group_by(col(Incident.category), col(Incident.state))
        .order_by(col(Incident.category))
    )
