"""Mail: what came in (Inbox) and what was promised to be said (Outbox)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Index,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type, in_values


class InboxState(StrEnum):
    """What has become of a message that was accepted."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class Inbox(SQLModel, table=True):
    """One message a channel delivered, kept before it is decided; unique by channel and message id."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "message_id"),
        CheckConstraint(in_values("state", InboxState), name="state"),
        Index(
            "ix_inbox_waiting",
            "chat_key",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_inbox_dead",
            "received_at",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        # Our own pages read a chat back; every other channel keeps its history itself.
        Index(
            "ix_inbox_webchat",
            "chat_key",
            "id",
            sqlite_where=text("channel = 'webchat'"),
            postgresql_where=text("channel = 'webchat'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    message_id: str
    chat_key: str
    """Channel, chat and handle: messages with the same key are decided in order."""
    body: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    received_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    state: InboxState = Field(
        default=InboxState.WAITING, sa_column=Column(choice_type(InboxState), nullable=False)
    )
    tries: int = 0
    trouble: str | None = None


class MailSort(StrEnum):
    """What sort of word a letter is; it decides what may hold it back (handlers.gate)."""

    ANSWER = "answer"
    """It answers what was just said: it goes at once, always."""
    ALARM = "alarm"
    """Somebody's life or limbs: it goes at any hour."""
    DUTY = "duty"
    """Something with a clock was given to them, or is about to be late."""
    NEWS = "news"
    """How something of theirs goes on."""
    NOTICE = "notice"
    """A notice that was approved."""
    NUDGE = "nudge"
    """A reminder of something that was said before."""
    CARD = "card"
    """A card of the day, into which others may be merged."""


class MailState(StrEnum):
    """What has become of a promise to say something."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENT = "sent"
    DROPPED = "dropped"
    """No longer true when its time came."""
    DEAD = "dead"
    """Could not be delivered; shown to the keeper."""


UNSENT: tuple[ColumnElement[str], ...] = (literal_column("'waiting'"), literal_column("'claimed'"))
"""States of letters still to be sent, written out: for no others SQLite takes the index of open letters."""


class Outbox(SQLModel, table=True):
    """A promise to tell somebody something, written in the transaction of what caused it."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(in_values("state", MailState), name="state"),
        CheckConstraint(in_values("sort", MailSort), name="sort"),
        Index(
            "ix_outbox_open",
            "recipient",
            "id",
            sqlite_where=text("state IN ('waiting', 'claimed')"),
            postgresql_where=text("state IN ('waiting', 'claimed')"),
        ),
        Index(
            "ix_outbox_dead",
            "not_before",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        Index("ix_outbox_incident_id", "incident_id"),
        Index("ix_outbox_cause", "cause"),
        Index(
            "ix_outbox_webchat",
            "handle",
            "id",
            sqlite_where=text("channel = 'webchat'"),
            postgresql_where=text("channel = 'webchat'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """Deterministic, so that the same happening can never be promised twice."""
    recipient: str
    """p17 for a person, g5 for a group, c:channel:chat for a place to answer in: order is kept for each."""
    group_id: int | None = Field(default=None, foreign_key="chat_group.id")
    """The group it is said in, unasked."""
    post_id: int | None = Field(default=None, foreign_key="group_post.id")
    """What is kept of it there."""
    person_id: int | None = Field(default=None, foreign_key="person.id")
    channel: str | None = None
    chat: str | None = None
    handle: str | None = None
    """Set for an answer: it goes where the question came from."""
    in_group: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    """Others read it too, so nobody's numbers may stand in it."""
    text: str
    """Key of the text in the book."""
    args: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    choices: list[dict[str, Any]] = Field(sa_column=Column(Json, nullable=False))
    photos: list[str] | None = Field(default=None, sa_column=Column(Json))
    """Media keys of pictures that go with the words."""
    files: list[str] | None = Field(default=None, sa_column=Column(Json))
    """Media keys of files that go with the words, where the channel can."""
    incident_id: int | None = None
    sort: MailSort = Field(
        default=MailSort.NEWS,
        sa_column=Column(choice_type(MailSort), nullable=False, server_default=MailSort.NEWS),
    )
    cause: str | None = None
    """Why it was said: notice:7, chain:3."""
    still: str | None = None
    """Name of the condition that is checked again when it is sent."""
    urgent: bool = False
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    not_before: datetime = Field(sa_column=Column(Moment, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """After which it is too old to be of use, and is dropped with that reason."""
    state: MailState = Field(
        default=MailState.WAITING, sa_column=Column(choice_type(MailState), nullable=False)
    )
    tries: int = 0
    lease_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    words: str | None = None
    """The words that were actually sent."""
    sent_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    sent_as: str | None = None
    """The platform's own name of the message."""
    held: str | None = None
    """Why it waited last, or what it passed by."""
    recalls: int | None = None
    """It says nothing: it takes back this letter."""
    outcome: str | None = None
