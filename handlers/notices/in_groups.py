"""Notices that are said in groups: in which, how far each is, and how they are taken back."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import col

from handlers.groups.binding import way_word
from handlers.groups.finding import groups_below
from handlers.groups.saying import say_in_group
from handlers.notices.audience import Audience
from handlers.notices.finding import facts
from handlers.work import Reading, Work
from models import Group, GroupOpen, GroupPost, Notice, PostState

_STATES = {
    PostState.PREPARED: "notice.post.prepared",
    PostState.WAITING_OWNER: "notice.post.waiting_owner",
    PostState.SENT: "notice.post.sent",
    PostState.DECLINED: "notice.post.declined",
    PostState.DROPPED: "notice.post.dropped",
    PostState.FAILED: "notice.post.failed",
}


def groups_of(reading: Reading, audience: Audience) -> list[Group]:
    """The bound groups that are meant; none where people are."""
    return groups_below(reading, audience.grid_id, audience.purpose) if audience.purpose else []


def groups_line(reading: Reading, groups: Sequence[Group]) -> str:
    """Which groups, and how words come into each: what its author reads before it goes out."""
    return "、".join(
        reading.word("notice.group_way", group=group.name, way=way_word(reading, group)) for group in groups
    )


def say_in_groups(work: Work, notice: Notice, groups: Sequence[Group]) -> None:
    """Say it once in each; whoever wrote it hears where that does not go well."""
    kind = work.book.notices.kinds[notice.kind]
    known = {name: facts(work, notice)[name] for name in ("number", "kind", "words")}
    for group in groups:
        post = say_in_group(
            work,
            group,
            "notice.in_group",
            key=f"notice:{notice.id}:group:{group.id}",
            cause=f"notice:{notice.id}",
            urgent=kind.always,
            expires_at=work.now + timedelta(hours=kind.too_old),
            **known,
        )
        post.prepared_by = notice.author_id
        work.session.add(post)


def correct_in_groups(work: Work, notice: Notice) -> int:
    """What is not said yet is dropped; where it stands already, a correction follows. How many groups."""
    posts = _posts(work, notice)
    for post in posts:
        if post.state in (PostState.PREPARED, PostState.WAITING_OWNER):
            post.state, post.ended_at, post.why = PostState.DROPPED, work.now, "recalled"
            work.session.add(post)
        elif post.state is PostState.SENT:
            group = work.session.get_one(Group, post.group_id)
            known = {name: facts(work, notice)[name] for name in ("number", "kind")}
            key, cause = f"{post.key}:recalled", f"recall:{notice.id}"
            say_in_group(work, group, "notice.recalled_in_group", key=key, cause=cause, **known)
    return len(posts)


def _posts(reading: Reading, notice: Notice) -> list[GroupPost]:
    query = select(GroupPost).where(col(GroupPost.cause) == f"notice:{notice.id}")
    return list(reading.session.execute(query.order_by(col(GroupPost.id))).scalars())


def group_lines(reading: Reading, notice: Notice) -> list[str]:
    """A line for each group: how far it is there, and how many browsers opened its link."""
    opened = (
        select(func.count())
        .where(col(GroupOpen.post_id) == col(GroupPost.id))
        .correlate(GroupPost)
        .scalar_subquery()
    )
    query = (
        select(col(Group.name), col(GroupPost.state), opened)
        .join(Group, col(Group.id) == col(GroupPost.group_id))
        .where(col(GroupPost.cause) == f"notice:{notice.id}")
        .order_by(col(GroupPost.id))
    )
    return [
        reading.word("notice.group_line", group=name, state=reading.word(_STATES[state]), opened=count)
        for name, state, count in reading.session.execute(query)
    ]
