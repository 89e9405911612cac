"""Finding bound groups: those of an area for whoever may see it, and the one a chat is bound as."""

from sqlalchemy import and_, false, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from handlers.work import Reading
from models import Grid, Group, GroupOpen, GroupPost, Purpose, path_range


def group_of_chat(session: Session, channel: str, chat: str) -> Group | None:
    """The group a chat is bound as today: whatever is said there is about its grid."""
    query = select(Group).where(
        col(Group.channel) == channel, col(Group.chat) == chat, col(Group.until).is_(None)
    )
    found: Group | None = session.execute(query).scalar_one_or_none()
    return found


def groups_below(reading: Reading, grid_id: int, purpose: Purpose | None = None) -> list[Group]:
    """The bound groups of a grid and of all below it that lie in the area of the actor's posts.

    The clock sees them all. In the order of the tree, so that lists and keys are the same each time.
    """
    low, high = path_range(reading.tree.at(grid_id).path)
    query = (
        select(Group)
        .join(Grid, col(Grid.id) == col(Group.grid_id))
        .where(col(Group.until).is_(None), col(Grid.path) >= low, col(Grid.path) < high)
        .order_by(col(Grid.path), col(Group.id))
    )
    if purpose is not None:
        query = query.where(col(Group.purpose) == purpose)
    if reading.actor.id is not None:
        within = (and_(col(Grid.path) >= a, col(Grid.path) < b) for a, b in reading.actor.ranges)
        query = query.where(or_(false(), *within))
    return list(reading.session.execute(query).scalars())


def reach(reading: Reading, cause: str) -> int:
    """How many browsers have opened the links of what was said for this cause, over all groups."""
    query = (
        select(func.count())
        .select_from(GroupOpen)
        .join(GroupPost, col(GroupPost.id) == col(GroupOpen.post_id))
        .where(col(GroupPost.cause) == cause)
    )
    return int(reading.session.execute(query).scalar_one())
