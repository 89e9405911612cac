"""Forwarding: what whoever was handed ready words for a group may answer, and the one reminder."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field
from sqlalchemy import func, literal, select
from sqlmodel import col

from handlers.command import Ask, Command, Done, OwnCommand, handles
from handlers.groups.saying import forwarder, hand_over, no_numbers
from handlers.refusal import Refusal
from handlers.work import Work
from models import Delivery, Group, GroupPost, MailSort, Outbox, PostState

REMIND_AFTER: Final = timedelta(hours=2)
GIVE_UP_AFTER: Final = timedelta(days=2)
"""After which nobody is waited for any more; whoever prepared it hears of it."""
_AWAKE: Final = (8, 21)
"""Hours of the place's day between which somebody is reminded (R4)."""
_AT_ONCE: Final = 50

Post = Annotated[int, Ask("quiet"), Field(ge=0)]


class Forwarded(Command):
    """Say that what one was handed was forwarded into its group."""

    name: ClassVar[str] = "forwarded"
    stands_alone: ClassVar[bool] = True
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    post: Post = 0


class ChangePack(Command):
    """Put other words into what one was handed, and see it once more."""

    name: ClassVar[str] = "change_pack"
    in_menu: ClassVar[bool] = False
    post: Post = 0
    words: Annotated[str, Ask("text", prose=True), Field(min_length=2, max_length=600)]


class DeclinePack(Command):
    """Say that what one was handed is not fit for the group."""

    name: ClassVar[str] = "decline_pack"
    in_menu: ClassVar[bool] = False
    post: Post = 0
    why: Annotated[str, Ask("text", offered=True), Field(max_length=200)] = ""


class RemindForwarders(OwnCommand):
    """The clock: who was handed something two hours ago is reminded once; after two days it is given up."""

    name: ClassVar[str] = "remind_forwarders"


@handles(Forwarded)
def forwarded(work: Work, command: Forwarded) -> Done:
    """Only what the actor was handed and nobody has forwarded yet; said twice, it is refused."""
    post = _handed_to_me(work, command.post)
    group = _end(work, post, PostState.SENT)
    work.reply("group.forwarded", group=group.name, left=_left(work))
    return Done({"post": post.id})


@handles(ChangePack)
def change_pack(work: Work, command: ChangePack) -> Done:
    """The forwarder knows the group: the words are theirs, but nobody's number comes in by it."""
    post = _handed_to_me(work, command.post)
    no_numbers(work, command.words)
    post.words = command.words
    work.session.add(post)
    group = work.session.get_one(Group, post.group_id)
    hand_over(work, group, post, again=True)
    return Done({"post": post.id})


@handles(DeclinePack)
def decline_pack(work: Work, command: DeclinePack) -> Done:
    """Whoever prepared it hears of it, with the reason where one was given."""
    post = _handed_to_me(work, command.post)
    post.why = command.why or None
    group = _end(work, post, PostState.DECLINED)
    work.reply("group.declined", group=group.name)
    if post.prepared_by is not None and post.prepared_by != work.actor.id:
        key = f"{post.key}:declined"
        work.tell(post.prepared_by, "group.declined_told", key=key, group=group.name, why=command.why or None)
    return Done({"post": post.id})


def _mine(work: Work) -> Any:
    """The posts that were handed to the actor and that nobody has answered for."""
    pack = col(GroupPost.key) + literal(f":pack:p{work.actor.id}")
    letter = select(col(Outbox.id)).where(col(Outbox.key) == pack).exists()
    return select(GroupPost).where(letter, col(GroupPost.state) == PostState.WAITING_OWNER)


def _handed_to_me(work: Work, number: int) -> GroupPost:
    query = _mine(work)
    if number:
        query = query.where(col(GroupPost.id) == number)
    newest = query.order_by(col(GroupPost.id).desc()).limit(1)
    post: GroupPost | None = work.session.execute(newest).scalar_one_or_none()
    if post is None:
        raise Refusal("group.nothing_to_forward")
    return post


def _left(work: Work) -> int:
    query = select(func.count()).select_from(_mine(work).subquery())
    return int(work.session.execute(query).scalar_one())


def _end(work: Work, post: GroupPost, state: PostState) -> Group:
    post.state, post.ended_at = state, work.now
    work.session.add(post)
    work.session.flush()
    return work.session.get_one(Group, post.group_id)


# ---- the clock -------------------------------------------------------------------------------------------


@handles(RemindForwarders)
def remind_forwarders(work: Work, _: RemindForwarders) -> Done:
    """In the night nobody is reminded; whoever is asked stands in for an owner who is on leave."""
    hour = work.now.astimezone(work.book.zone).hour
    if not _AWAKE[0] <= hour < _AWAKE[1]:
        return Done({"reminded": 0})
    waiting = (
        select(GroupPost)
        .join(Group, col(Group.id) == col(GroupPost.group_id))
        .where(col(GroupPost.state) == PostState.WAITING_OWNER, col(Group.delivery) == Delivery.RELAY)
        .where(col(GroupPost.asked_at) <= work.now - REMIND_AFTER)
        .order_by(col(GroupPost.id))
        .limit(_AT_ONCE)
    )
    over = col(GroupPost.asked_at) <= work.now - GIVE_UP_AFTER
    due = waiting.where(col(GroupPost.reminded_at).is_(None) | over)
    posts = list(work.session.execute(due.with_for_update(of=GroupPost, skip_locked=True)).scalars())
    for post in posts:
        _look_after(work, post)
    return Done({"reminded": len(posts)})


def _look_after(work: Work, post: GroupPost) -> None:
    group = work.session.get_one(Group, post.group_id)
    if post.asked_at is not None and post.asked_at <= work.now - GIVE_UP_AFTER:
        post.why = "not forwarded"
        _end(work, post, PostState.FAILED)
        if post.prepared_by is not None:
            key = f"{post.key}:unforwarded"
            work.tell(post.prepared_by, "group.unforwarded", key=key, group=group.name)
        return
    post.reminded_at = work.now
    work.session.add(post)
    person = forwarder(work, group)
    if person is not None:
        choices = [{"label": work.word("label.forwarded"), "do": "forwarded", "known": {"post": post.id}}]
        work.tell(
            person,
            "group.remind",
            key=f"{post.key}:remind",
            choices=choices,
            sort=MailSort.NUDGE,
            cause=post.cause,
            group=group.name,
        )
