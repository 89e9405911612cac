"""Decides waiting messages: those of many chats together, and one by one where something breaks."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.door import receive
from bot.message import Inbound
from bot.tracing import working_on
from handlers.actor import Actor
from handlers.people import met, recognise_all
from handlers.work import Desk, Return
from handlers.writing import Writing
from models import Conversation, Inbox, InboxState
from models.database import is_passing

log = logging.getLogger("xiaoge.lane")

INBOX = Inbox.__table__  # type: ignore[attr-defined]
CONVERSATION = Conversation.__table__  # type: ignore[attr-defined]
MESSAGES_OF_A_CHAT = 10
TRIES = 3

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class _Stand:
    """Where a talk stands."""

    state: dict[str, Any]
    person: int | None
    half_done: bool


@dataclass
class _Chat:
    """A conversation that is locked, and the messages that wait in it, oldest first."""

    key: str
    stand: _Stand
    rows: list[Row] = field(default_factory=list)


@dataclass
class Decided:
    """What came of a round."""

    messages: int = 0
    """Messages that were decided, or tried in vain."""
    again: list[str] = field(default_factory=list)
    """Chats with more to decide."""
    failed: dict[str, int] = field(default_factory=dict)
    """Chats whose next message broke, and how often it was tried: it is tried again after a rest."""
    held: list[str] = field(default_factory=list)
    """Chats that another process is working on."""


def decide(
    desk: Desk, session: Writing, keys: Sequence[str], enough: Callable[[], bool] = lambda: False
) -> Decided:
    """Decide the waiting messages of some chats, in order within each; somebody else commits.

    A message that breaks is tried three times, and is dead then; meanwhile the later messages of its chat
    wait, and no other chat does. The caller spaces the tries.

    Args:
        desk: gives time, book and tree.
        session: the writer's.
        keys: of the chats.
        enough: asked between chats; the rest is left for the next round once it says so.

    Raises:
        DBAPIError: the machine or another process is in the way; no message is to blame.
    """
    chats = _locked(session, keys)
    held = [key for key in keys if key not in chats]
    _read_waiting(session, chats)
    waiting = [chat for chat in chats.values() if chat.rows]
    try:
        with session.together():
            found = _Round(desk, session, waiting).decide(enough, careful=False)
    except Exception as trouble:
        if is_passing(trouble):
            raise
        found = _Round(desk, session, waiting).decide(enough, careful=True)
    found.held = held
    return found


def _locked(session: Writing, keys: Sequence[str]) -> dict[str, _Chat]:
    """Lock the conversations, then read them; one that another process holds is left for later."""
    columns = CONVERSATION.c
    query = (
        select(columns.chat_key, columns.state, columns.person_id, columns.half_done)
        .where(columns.chat_key.in_(keys))
        .order_by(columns.chat_key)
        .with_for_update(skip_locked=True)
    )
    return {
        row.chat_key: _Chat(row.chat_key, _Stand(row.state, row.person_id, row.half_done))
        for row in session.execute(query)
    }


def _read_waiting(session: Writing, chats: Mapping[str, _Chat]) -> None:
    query = (
        select(INBOX)
        .where(INBOX.c.chat_key.in_(chats), INBOX.c.state == InboxState.WAITING)
        .order_by(INBOX.c.id)
    )
    for row in session.execute(query).mappings():
        chats[row["chat_key"]].rows.append(row)


def _sender(row: Row) -> tuple[str, str]:
    return row["channel"], row["body"]["handle"]


class _Round:
    """One pass over some chats."""

    def __init__(self, desk: Desk, session: Writing, chats: Sequence[_Chat]) -> None:
        self._desk = desk
        self._session = session
        self._chats = chats
        self._tree = desk.tree(session)
        rows = [row for chat in chats for row in chat.rows]
        self._known = recognise_all(session, self._tree, {_sender(row) for row in rows})
        met(session, {_sender(row) for row in rows if not row["body"].get("group")}, desk.now())
        self._stands: dict[str, _Stand] = {}
        self._done: list[int] = []
        self._in_vain = 0
        self._failures: dict[str, int] = {}

    def decide(self, enough: Callable[[], bool], *, careful: bool) -> Decided:
        """Decide chat after chat. `careful`: each message in a part of its own."""
        again = []
        for chat in self._chats:
            more = True
            if not enough():
                self._stands[chat.key] = chat.stand
                decided = self._carefully(chat) if careful else self._plainly(chat)
                more = not decided or len(chat.rows) > MESSAGES_OF_A_CHAT
            if more and chat.key not in self._failures:
                again.append(chat.key)
        self._keep()
        return Decided(len(self._done) + self._in_vain, again, self._failures)

    def _plainly(self, chat: _Chat) -> bool:
        for row in chat.rows[:MESSAGES_OF_A_CHAT]:
            self._one(chat.key, row)
        return True

    def _carefully(self, chat: _Chat) -> bool:
        """Returns False when a message failed: those after it wait until it is decided or dead."""
        for row in chat.rows[:MESSAGES_OF_A_CHAT]:
            try:
                with self._session.part():
                    self._one(chat.key, row)
            except Exception as trouble:
                if is_passing(trouble):
                    raise
                self._failed(chat, row, trouble)
                return False
        return True

    def _one(self, key: str, row: Row) -> None:
        """Decide one message, by the sender as an earlier message of this round has left them."""
        inbound = Inbound.model_validate(row["body"])
        sender = (inbound.channel, inbound.handle)
        with working_on(f"{row['channel']}:{row['message_id']}"):
            talk, actor = receive(
                self._desk,
                self._session,
                self._tree,
                inbound,
                self._stands[key].state,
                self._known.get(sender),
                self._stands[key].person,
            )
        self._known[sender] = actor
        if self._session.accounts_moved:
            self._known.clear()
            self._session.accounts_moved = False
        state = talk.model_dump(mode="json", exclude_defaults=True)
        self._stands[key] = _Stand(state, actor.id, talk.form is not None)
        self._done.append(row["id"])

    def _failed(self, chat: _Chat, row: Row, trouble: Exception) -> None:
        log.error("a message could not be decided", exc_info=trouble, extra={"inbox": row["id"]})
        self._in_vain += 1
        tries = row["tries"] + 1
        dead = tries >= TRIES
        if dead:
            self._apologise(chat.stand.person, row)
        else:
            self._failures[chat.key] = tries
        self._session.execute(
            update(INBOX)
            .where(INBOX.c.id == row["id"])
            .values(
                tries=tries,
                trouble=type(trouble).__name__,
                state=InboxState.DEAD if dead else InboxState.WAITING,
            )
        )

    def _apologise(self, person: int | None, row: Row) -> None:
        """Tell the sender that this message is lost to us; whatever broke it must not break that as well."""
        try:
            with self._session.part():
                body = row["body"]
                group = bool(body.get("group"))
                back = Return(row["channel"], str(body["chat"]), str(body["handle"]), group)
                work = self._desk.work_in(
                    self._session,
                    Actor(person, ""),
                    channel=row["channel"],
                    message_id=row["message_id"],
                    back=back,
                )
                work.reply("trouble.sorry")
                work.flush()
        except Exception:
            log.exception("a sender could not be told", extra={"inbox": row["id"]})

    def _keep(self) -> None:
        """Keep where each talk stands now, and that its messages are done."""
        if self._stands:
            now = self._desk.now()
            self._session.execute(_KEEP, [_kept(key, stand, now) for key, stand in self._stands.items()])
        if self._done:
            done = update(INBOX).where(INBOX.c.id.in_(self._done)).values(state=InboxState.DONE)
            self._session.execute(done)


_KEEP = (
    update(CONVERSATION)
    .where(CONVERSATION.c.chat_key == bindparam("key_"))
    .values(
        state=bindparam("state_"),
        person_id=bindparam("person_"),
        half_done=bindparam("half_"),
        touched_at=bindparam("now_"),
    )
)


def _kept(key: str, stand: _Stand, now: datetime) -> dict[str, Any]:
    return {
        "key_": key,
        "state_": stand.state,
        "person_": stand.person,
        "half_": stand.half_done,
        "now_": now,
    }
