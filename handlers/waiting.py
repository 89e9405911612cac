"""Tells people, once, that what they have half filled in is kept: they may have forgotten it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import select, update
from sqlmodel import col

from handlers.actor import Actor
from handlers.command import Done, OwnCommand, handles
from handlers.work import Return, Work
from models import Account, Conversation

TALKS = Conversation.__table__  # type: ignore[attr-defined]
STALE = timedelta(minutes=30)
"""How long a talk rests before what is half said counts as forgotten."""


class TellWaiting(OwnCommand):
    """The clock: whoever left a form half filled is told that it waits."""

    name: ClassVar[str] = "tell_waiting"
    limit: int = 200


@handles(TellWaiting)
def tell_waiting(work: Work, command: TellWaiting) -> Done:
    """Said where the talk was held, and not again for the same form; a form without any answer is let go."""
    query = (
        select(TALKS)
        .where(col(Conversation.half_done), col(Conversation.touched_at) <= work.now - STALE)
        .order_by(col(Conversation.touched_at))
        .limit(command.limit)
        .with_for_update(skip_locked=True)
    )
    rows = work.session.execute(query).mappings().all()
    told = [row["chat_key"] for row in rows if _has_answers(row["state"])]
    for row in rows:
        if row["chat_key"] in told:
            _say(work, row)
    _settle(work, [row["chat_key"] for row in rows])
    return Done({"told": len(told)})


def _has_answers(state: dict[str, Any]) -> bool:
    form = state.get("form") or {}
    return bool(form.get("known")) and not form.get("optional")


def _say(work: Work, row: Any) -> None:
    """An answer, though nobody has just asked: it goes to the chat where the form was begun."""
    back = Return(row["channel"], row["chat"], row["handle"], _is_group(work, row))
    name = f"form_waiting:{row['chat_key']}:{row['touched_at'].isoformat()}"
    there = Work(
        work.session,
        work.now,
        work.book,
        work.tree,
        Actor(row["person_id"], ""),
        message_id=name,
        back=back,
    )
    there.reply("form.waiting")
    there.flush()


def _is_group(work: Work, row: Any) -> bool:
    """Whether others read along: a chat that is not the account's own."""
    own = select(col(Account.chat)).where(
        col(Account.channel) == row["channel"], col(Account.handle) == row["handle"]
    )
    return bool(work.session.execute(own).scalar() != row["chat"])


def _settle(work: Work, chats: Sequence[str]) -> None:
    work.session.execute(update(TALKS).where(TALKS.c.chat_key.in_(chats)).values(half_done=False))
