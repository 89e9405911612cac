"""Work and Desk: one piece of work has one time, one session and one commit."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import Table
from sqlmodel import Session

from handbook import Book
from handlers.actor import CLOCK, Actor
from handlers.links import Links
from handlers.tree import Tree, load_tree, registry_version
from handlers.writing import Writing
from models import Incident, IncidentEvent, MailSort, Move, Outbox, State
from models.database import Database
from models.sealing import using

EVENTS: Table = IncidentEvent.__table__  # type: ignore[attr-defined]
MAIL: Table = Outbox.__table__  # type: ignore[attr-defined]
REPLY = ":reply:"
"""Stands in the key of every answer, and of no push."""


@dataclass(frozen=True)
class Return:
    """Where an answer goes: the chat the message came from."""

    channel: str
    chat: str
    handle: str
    group: bool = False
    """Others read it too: no phones, no names of reporters."""


@dataclass
class Reading:
    """A work that only reads: it has no `tell` and is never committed."""

    session: Session
    now: datetime
    book: Book
    tree: Tree
    actor: Actor

    def stage(self, state: State) -> str:
        """The place's word for a state."""
        return self.book.incidents.stages[str(state)]

    def word(self, key: str, **args: object) -> str:
        """A word of the place that stands inside others: a label, a heading, a unit of time."""
        return self.book.text(key).format(**args)


@dataclass
class Work(Reading):
    """Everything one message, click or tick does: rows, events and promises, committed together."""

    log: ClassVar[logging.Logger] = logging.getLogger("xiaoge.work")

    session: Writing
    channel: str = "clock"
    message_id: str = ""
    back: Return | None = None
    links: Links = field(default_factory=Links)
    _events: list[dict[str, Any]] = field(default_factory=list)
    _mail: list[dict[str, Any]] = field(default_factory=list)
    _serial: int = 0

    def tell(
        self,
        person_id: int,
        text: str,
        *,
        key: str,
        choices: Sequence[dict[str, Any]] = (),
        incident: Incident | None = None,
        still: str | None = None,
        not_before: datetime | None = None,
        urgent: bool = False,
        sort: MailSort = MailSort.NEWS,
        cause: str | None = None,
        expires_at: datetime | None = None,
        photos: Sequence[str] = (),
        files: Sequence[str] = (),
        **args: Any,
    ) -> None:
        """Promise a person some words.

        `text` is a key of the book; `key` is deterministic so that the same happening is never told twice;
        `still` names the condition that must hold when it is sent; moments in `args` are shown in the
        place's time. What one tells oneself is said in the chat one is speaking in. `sort` and `cause` say
        what sort of word it is and why it was said; after `expires_at` it is of no use any more; `photos`
        and `files` are media keys.
        """
        own = self.back is not None and person_id == self.actor.id
        self._promise(
            key=f"{key}:p{person_id}",
            recipient=f"p{person_id}",
            person_id=person_id,
            text=text,
            args=args,
            choices=choices,
            incident=incident,
            still=still,
            not_before=not_before,
            urgent=urgent or own,
            back=self.back if own else None,
            sort=sort,
            cause=cause,
            expires_at=expires_at,
            photos=photos,
            files=files,
        )

    def post(
        self,
        group_id: int,
        text: str,
        *,
        key: str,
        post_id: int | None = None,
        not_before: datetime | None = None,
        urgent: bool = False,
        sort: MailSort = MailSort.NEWS,
        cause: str | None = None,
        expires_at: datetime | None = None,
        photos: Sequence[str] = (),
        **args: Any,
    ) -> None:
        """Promise a bound group some words. See `tell`; handlers.groups.saying decides how they get there."""
        self._promise(
            key=f"{key}:g{group_id}",
            recipient=f"g{group_id}",
            person_id=None,
            text=text,
            args=args,
            choices=(),
            incident=None,
            not_before=not_before,
            urgent=urgent,
            group_id=group_id,
            post_id=post_id,
            sort=sort,
            cause=cause,
            expires_at=expires_at,
            photos=photos,
        )

    def reply(
        self,
        text: str,
        *,
        choices: Sequence[dict[str, Any]] = (),
        incident: Incident | None = None,
        **args: Any,
    ) -> None:
        """Answer the actor where they spoke. Without a chat (API, clock) an answer goes nowhere."""
        if self.back is None:
            return
        self._serial += 1
        self._promise(
            key=f"{self.channel}:{self.message_id}{REPLY}{self._serial}",
            recipient=f"c{self.back.channel}|{self.back.chat}|{self.back.handle}"
            if self.actor.id is None
            else f"p{self.actor.id}",
            person_id=self.actor.id,
            text=text,
            args=args,
            choices=choices,
            incident=incident,
            urgent=True,
            back=self.back,
            sort=MailSort.ANSWER,
        )

    def whisper(self, private: Return, text: str, *, key: str, **args: Any) -> None:
        """Tell the actor something aside, in a private chat of theirs, though they spoke in a group."""
        self._promise(
            key=key,
            recipient=f"p{self.actor.id}",
            person_id=self.actor.id,
            text=text,
            args=args,
            choices=(),
            incident=None,
            urgent=True,
            back=private,
            sort=MailSort.ANSWER,
        )

    def _promise(
        self,
        *,
        key: str,
        recipient: str,
        person_id: int | None,
        text: str,
        args: dict[str, Any],
        choices: Sequence[dict[str, Any]],
        incident: Incident | None,
        still: str | None = None,
        not_before: datetime | None = None,
        urgent: bool = False,
        back: Return | None = None,
        group_id: int | None = None,
        post_id: int | None = None,
        sort: MailSort = MailSort.NEWS,
        cause: str | None = None,
        expires_at: datetime | None = None,
        photos: Sequence[str] = (),
        files: Sequence[str] = (),
    ) -> None:
        self._mail.append(
            {
                "key": key,
                "recipient": recipient,
                "person_id": person_id,
                "channel": back.channel if back else None,
                "chat": back.chat if back else None,
                "handle": back.handle if back else None,
                "in_group": back.group if back else group_id is not None,
                "group_id": group_id,
                "post_id": post_id,
                "sort": sort,
                "cause": cause,
                "expires_at": expires_at,
                "photos": list(photos) or None,
                "files": list(files) or None,
                "text": text,
                "args": plain_args(args),
                "choices": list(choices),
                "incident_id": incident.id if incident else None,
                "still": still,
                "urgent": urgent,
                "at": self.now,
                "not_before": not_before or self.now,
                "state": "waiting",
                "tries": 0,
            }
        )

    @property
    def answers(self) -> list[dict[str, Any]]:
        """Promises of this work that go back to where it was asked."""
        return [mail for mail in self._mail if mail["chat"] is not None]

    def record(
        self,
        incident: Incident,
        move: Move,
        *,
        before: State | None,
        after: State | None = None,
        reason: str | None = None,
        **data: Any,
    ) -> None:
        """Add the event of a move that was just made (`after`: where it led, if the case has moved on
        since).
        """
        assert incident.id is not None
        self._events.append(
            {
                "incident_id": incident.id,
                "at": self.now,
                "move": move,
                "before": before,
                "after": after or incident.state,
                "actor_id": self.actor.id,
                "channel": self.channel,
                "message_id": self.message_id,
                "reason": reason,
                "data": plain_args(data),
            }
        )

    def unwritten_events(self, incident_id: int) -> list[dict[str, Any]]:
        """Events of a case that this work has recorded but not yet written."""
        return [event for event in self._events if event["incident_id"] == incident_id]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the work that may be undone alone; its events and promises vanish with it."""
        events, mail, serial, actor = len(self._events), len(self._mail), self._serial, self.actor
        try:
            with self.session.part():
                yield
        except BaseException:
            del self._events[events:], self._mail[mail:]
            self._serial, self.actor = serial, actor
            raise

    def flush(self) -> None:
        """Write what was recorded and promised; a promise whose key exists already is not made twice."""
        self.session.flush()
        self.session.later(EVENTS, self._events)
        self.session.later(MAIL, self._mail, once=True)
        self._events, self._mail = [], []


def plain_args(args: dict[str, Any]) -> dict[str, Any]:
    """What a text is given, as it can be kept: moments in UTC, nothing that is None."""
    return {name: _plain_arg(value) for name, value in args.items() if value is not None}


def _plain_arg(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"moment": value.astimezone(UTC).isoformat()}
    if isinstance(value, list | tuple):
        return [_plain_arg(item) for item in value]
    if isinstance(value, dict):
        return plain_args(value)
    return value


class Desk:
    """Opens works. The only place that commits."""

    def __init__(self, database: Database, book: Book, now: Callable[[], datetime]) -> None:
        """`now` gives aware UTC; the desk asks it once per work."""
        self.database = database
        self.book = book
        self.now = now
        self.links = Links()
        """Set by whoever knows under which addresses the program is reached."""
        self._tree: Tree | None = None

    @contextmanager
    def session(self) -> Iterator[Writing]:
        """A session that commits when its block ends and rolls back when it breaks."""
        with using(self.database.keys), Writing(self.database.writer) as session:
            yield session
            session.commit()

    def tree(self, session: Session) -> Tree:
        """The registry's snapshot, read anew when its version has grown, or a post has begun or ended."""
        tree, now = self._tree, self.now()
        if tree is None or tree.has_changed(now) or tree.version != registry_version(session):
            self._tree = tree = load_tree(session, self.book, now)
        return tree

    def work_in(
        self,
        session: Writing,
        actor: Actor = CLOCK,
        *,
        channel: str = "clock",
        message_id: str = "",
        back: Return | None = None,
        now: datetime | None = None,
    ) -> Work:
        """A work inside a session somebody else commits (many works to a commit)."""
        return Work(
            session,
            now or self.now(),
            self.book,
            self.tree(session),
            actor,
            channel,
            message_id,
            back,
            self.links,
        )

    @contextmanager
    def work(
        self,
        actor: Actor = CLOCK,
        *,
        channel: str = "clock",
        message_id: str = "",
        back: Return | None = None,
    ) -> Iterator[Work]:
        """A work of its own: flushed and committed at the end of the block."""
        with self.session() as session:
            work = self.work_in(session, actor, channel=channel, message_id=message_id, back=back)
            yield work
            work.flush()

    @contextmanager
    def reading(self, actor: Actor) -> Iterator[Reading]:
        """A work that cannot write: lists, boards and digests."""
        with (
            using(self.database.keys),
            Session(self.database.reader, expire_on_commit=False, autoflush=False) as session,
        ):
            yield Reading(session, self.now(), self.book, self.tree(session), actor)
