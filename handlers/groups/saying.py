"""Saying something in a bound group: the only way to, whoever or whatever may speak there."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from handbook.personal import find_personal
from handbook.personal_kinds import Personal
from handbook.signs import plain_number
from handlers.refusal import Refusal
from handlers.work import Work, plain_args
from models import Account, Delivery, Group, GroupPost, MailSort, PostState

_ANSWERS = (
    ("forwarded", "label.forwarded"),
    ("change_pack", "label.change_pack"),
    ("decline_pack", "label.decline_pack"),
)
"""What whoever was handed something may answer."""


def say_in_group(
    work: Work,
    group: Group,
    text: str,
    *,
    key: str,
    cause: str,
    photos: Sequence[str] = (),
    link: str | None = None,
    urgent: bool = False,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    sort: MailSort = MailSort.NOTICE,
    **args: Any,
) -> GroupPost:
    """Prepare something for a group and promise what its delivery needs.

    `text` is a key of the book, `key` deterministic: what was said once is given back and not said again.
    Where only people may speak, the ready words go to whoever forwards them (channels.md 2.9). Raises
    Refusal where somebody's number stands in what is to be said.
    """
    assert group.id is not None
    known = work.session.execute(select(GroupPost).where(col(GroupPost.key) == key)).scalar_one_or_none()
    if known is not None:
        return known  # type: ignore[no-any-return]
    no_numbers(work, args)
    post = GroupPost(
        key=key,
        group_id=group.id,
        text=text,
        args=plain_args(args),
        photos=list(photos),
        link=link,
        cause=cause,
        at=work.now,
        prepared_by=work.actor.id,
    )
    work.session.add(post)
    work.session.flush()
    how: dict[str, Any] = {"not_before": not_before, "urgent": urgent, "sort": sort, "cause": cause}
    how |= {"expires_at": expires_at, "photos": photos}
    if group.delivery is not Delivery.RELAY:
        work.post(group.id, text, key=key, post_id=post.id, **how, **args)
    else:
        hand_over(work, group, post, **how)
    return post


def hand_over(work: Work, group: Group, post: GroupPost, *, again: bool = False, **how: Any) -> None:
    """Ask whoever forwards: first where to, with what may be answered; then the ready words by themselves,
    so that they can be copied whole, with a link of the group's own below (channels.md 3).
    """
    person = forwarder(work, group)
    if person is None:
        post.state, post.ended_at, post.why = PostState.FAILED, work.now, "nobody to forward it"
        return
    mark = f":{work.now.isoformat()}" if again else ""
    plain = {name: value for name, value in how.items() if name != "photos"} | {"cause": post.cause}
    choices = [
        {"label": work.word(label), "do": name, "known": {"post": post.id}} for name, label in _ANSWERS
    ]
    key = f"{post.key}{mark}"
    work.tell(person, "group.forward", key=f"{key}:where", choices=choices, **plain, group=group.name)
    words = {"text": "group.changed", "words": post.words} if post.words else {"text": post.text, **post.args}
    plain |= {"photos": how.get("photos", post.photos)}
    work.tell(person, "group.pack", key=f"{key}:pack", **plain, words=words, link=_link(work, group, post))
    post.state, post.asked_at = PostState.WAITING_OWNER, post.asked_at or work.now
    work.session.add(post)


def _link(work: Work, group: Group, post: GroupPost) -> str | None:
    return work.links.group(group.token, post.id) if work.links.web and post.id is not None else None


def forwarder(work: Work, group: Group) -> int | None:
    """Who forwards into a group: its owner or who stands in, else the grid's keeper, else who speaks now.

    Nobody is asked whom we cannot reach.
    """
    return next((person for person in _candidates(work, group) if _has_account(work, person)), None)


def _candidates(work: Work, group: Group) -> Iterator[int]:
    if group.owner_id is not None:
        yield work.tree.away.get(group.owner_id, group.owner_id)
    yield from work.tree.keepers(group.grid_id)
    if work.actor.id is not None:
        yield work.actor.id


def _has_account(work: Work, person_id: int) -> bool:
    query = select(col(Account.id)).where(col(Account.person_id) == person_id, col(Account.gone).is_(False))
    return work.session.execute(query.limit(1)).first() is not None


def no_numbers(work: Work, args: Any) -> None:
    """Raise Refusal where somebody's number stands in what others will read; duty phones may."""
    public = {plain_number(number) for number in work.book.place.public_phones}
    for words in _strings(args):
        for found in find_personal(words):
            if found.kind is Personal.PLATE or plain_number(found.value) not in public:
                raise Refusal("group.personal")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
