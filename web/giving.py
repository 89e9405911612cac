"""Gives a command that came as JSON: in one work, once for each idempotency key."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import uuid4

from fastapi import HTTPException
from fastapi.encoders import jsonable_encoder
from pydantic import ValidationError
from sqlalchemy import delete, select, update
from sqlmodel import col

from bot.channels.edge import writable
from bot.render import words
from handbook import Book
from handlers.actor import Actor
from handlers.command import Command, Done, perform
from handlers.refusal import NotAllowed, Refusal
from handlers.tokens import actor_of
from handlers.writing import Writing, insert_new
from models import Inbox, InboxState
from web.bearer import Bearer
from web.parts import Parts
from web.photos import was_sent_by
from web.reading import Looks

API: Final = "api"
_DONE: Final = 201
MOST_PHOTOS: Final = 20
_LARGEST: Final = 2**31 - 1
"""The largest number that a row's id can be."""
C = TypeVar("C", bound=Command)


@dataclass(frozen=True)
class Outcome:
    """What the API answers."""

    status: int
    body: dict[str, Any]


def fit(command: C) -> C:
    """The command with texts any database takes. Raises a 422 for numbers that none does, and many photos."""
    fields = command.model_dump(exclude_unset=True)
    if len(fields.get("media", ())) > MOST_PHOTOS:
        raise HTTPException(422, f"一次最多附 {MOST_PHOTOS} 张照片。")
    if not all(_is_fit(value) for value in fields.values()):
        raise HTTPException(422, "数字超出范围。")
    try:
        return type(command).model_validate(writable(jsonable_encoder(fields)))
    except ValidationError:
        raise HTTPException(422, "提交的内容不对。") from None


def _is_fit(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= _LARGEST


class Giving:
    """Gives commands on behalf of a key's holder."""

    def __init__(self, parts: Parts, looks: Looks) -> None:
        self._parts = parts
        self._looks = looks

    async def give(self, key: Bearer, command: Command, idempotency_key: str | None) -> Outcome:
        """Carry out a command; with an idempotency key only once, and answer as the first time.

        The key's row is written in the transaction of the command's effects: both are there or neither. A
        refusal has no effects, so it keeps no key: the same may be asked again when things have changed.
        """
        actor = await self._looks(key.actor)
        message_id = f"{actor.id}:{idempotency_key or uuid4().hex}"

        def job(session: Writing) -> Outcome:
            if idempotency_key is None:
                return self._perform(session, actor, command, message_id)
            return self._once(session, actor, command, message_id)

        return await self._parts.lane.run(job)

    def _once(self, session: Writing, actor: Actor, command: Command, message_id: str) -> Outcome:
        asked = {"command": command.name, "fields": command.model_dump(mode="json", exclude_unset=True)}
        if not _enter(session, message_id, asked, self._parts.now()):
            return _as_before(session, message_id, asked)
        outcome = self._perform(session, actor, command, message_id)
        its_row = (col(Inbox.channel) == API, col(Inbox.message_id) == message_id)
        if outcome.status != _DONE:
            session.execute(delete(Inbox).where(*its_row))
            return outcome
        answered = {**asked, "status": outcome.status, "answer": outcome.body}
        session.execute(update(Inbox).where(*its_row).values(body=answered))
        return outcome

    def _perform(self, session: Writing, actor: Actor, command: Command, message_id: str) -> Outcome:
        work = self._parts.desk.work_in(session, actor, channel=API, message_id=message_id)
        work.actor = actor_of(session, work.tree, actor.id or 0) or actor
        if not all(was_sent_by(session, actor.id or 0, item.key) for item in getattr(command, "media", ())):
            return Outcome(422, {"error": "media", "message": "照片要先由您本人发来，才能附到事件上。"})
        outcome = perform(work, command)
        work.flush()
        return outcome_of(self._parts.book, outcome)


def _enter(session: Writing, message_id: str, asked: dict[str, Any], now: datetime) -> bool:
    """Take the key. Returns False when somebody did before."""
    row = {
        "channel": API,
        "message_id": message_id,
        "chat_key": API,
        "body": asked,
        "received_at": now,
        "state": InboxState.DONE,
        "tries": 0,
    }
    insert = insert_new(session, Inbox.__table__).returning(col(Inbox.id))  # type: ignore[attr-defined]
    return session.execute(insert, row).first() is not None


def _as_before(session: Writing, message_id: str, asked: dict[str, Any]) -> Outcome:
    query = select(col(Inbox.body)).where(col(Inbox.channel) == API, col(Inbox.message_id) == message_id)
    before = session.execute(query).scalar_one()
    if {name: before.get(name) for name in asked} != asked:
        return Outcome(422, {"error": "idempotency_key", "message": "这个 Idempotency-Key 已用于别的请求。"})
    return Outcome(before["status"], before["answer"])


def outcome_of(book: Book, outcome: Done | Refusal) -> Outcome:
    """What became of a command, as status and body."""
    if isinstance(outcome, Done):
        return Outcome(_DONE, jsonable_encoder(outcome.data))
    return Outcome(_status(outcome), {"error": outcome.text, "message": _words(book, outcome)})


def _status(no: Refusal) -> int:
    if no.gone:
        return 404
    return 403 if isinstance(no, NotAllowed) else 409


def _words(book: Book, no: Refusal) -> str:
    """The refusal in the place's words, its moments in the place's time."""
    shown = {
        name: _plain(value) for name, value in no.args_.items() if name != "choices" and value is not None
    }
    return words(book, no.text, shown)


def _plain(value: Any) -> Any:
    return {"moment": value.astimezone(UTC).isoformat()} if isinstance(value, datetime) else value
