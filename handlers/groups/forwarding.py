"""Forwarding: whoever was handed ready words for a group says that they are there now."""

from typing import ClassVar

from sqlalchemy import func, literal, select
from sqlmodel import col

from handlers.command import Command, Done, handles
from handlers.refusal import Refusal
from handlers.work import Work
from models import Group, GroupPost, Outbox, PostState


class Forwarded(Command):
    """Say that what one was handed last was forwarded into its group."""

    name: ClassVar[str] = "forwarded"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False


@handles(Forwarded)
def forwarded(work: Work, command: Forwarded) -> Done:
    """Only what the actor was handed and nobody has forwarded yet; said twice, it is refused."""
    pack = col(GroupPost.key) + literal(f":pack:p{work.actor.id}")
    waiting = (
        select(GroupPost)
        .join(Outbox, col(Outbox.key) == pack)
        .where(col(GroupPost.state) == PostState.WAITING_OWNER)
    )
    post = work.session.execute(waiting.order_by(col(GroupPost.id).desc()).limit(1)).scalar_one_or_none()
    if post is None:
        raise Refusal("group.nothing_to_forward")
    post.state, post.ended_at = PostState.SENT, work.now
    work.session.flush()
    left = work.session.execute(select(func.count()).select_from(waiting.subquery())).scalar_one()
    group = work.session.get_one(Group, post.group_id)
    work.reply("group.forwarded", group=group.name, left=left)
    return Done({"post": post.id})
