"""The audit: who looked at what or changed it, when, by which message. Lines are only ever added.

A line's digest covers the line and the digest before it, so one that is changed, taken out or put in shows.
Triggers in the database refuse to change or take one out (migrations); the head says how many there are.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Index
from sqlmodel import Column, Field, SQLModel

from models.base import Moment

BEGINNING = "0" * 64
"""What stands in the first line in place of a digest before it."""


class Deed(StrEnum):
    """What somebody did that must be answered for."""

    LOOK = "look"
    FIND = "find"
    BRIEF = "brief"
    """Opened who lives behind a door."""
    PHONE = "phone"
    """Was shown somebody's whole phone."""
    SECRET = "secret"
    """Was shown a sealed value."""
    LIST = "list"
    """Was shown somebody in a list, the name masked."""
    ENTER = "enter"
    MOVE = "move"
    MARK = "mark"
    UNMARK = "unmark"
    JOIN = "join"
    PART = "part"
    AGREE = "agree"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    """What was kept for long enough was taken out."""
    EXPORT = "export"
    CORRECT = "correct"
    FORGET = "forget"
    GIVE_KEY = "give_key"
    TAKE_KEYS = "take_keys"
    BACKUP = "backup"
    SPLIT = "split"
    MERGE = "merge"
    RENAME = "rename"
    DRAW = "draw"
    """The boundaries of grids were brought in."""
    RESTORE = "restore"
    IMPORT = "import"
    UNDO_IMPORT = "undo_import"
    INVITE = "invite"
    BIND = "bind"
    UNBIND = "unbind"
    SHUT_OUT = "shut_out"
    CHANGE_NUMBER = "change_number"
    APPOINT = "appoint"
    DISMISS = "dismiss"


class Subject(StrEnum):
    """Of what kind the thing is that was looked at or changed."""

    CASE = "case"
    PERSON = "person"
    HOUSEHOLD = "household"
    DATABASE = "database"
    GRID = "grid"
    REGISTRY = "registry"
    """All lists of somebody's area."""
    IMPORT = "import"


class AuditLine(SQLModel, table=True):
    """One deed: who, what, when, by which message. `id` counts the lines from 1, without a gap."""

    __tablename__ = "audit_line"
    __table_args__ = (Index("ix_audit_line_subject", "subject_kind", "subject_id"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    actor_id: int | None = Field(default=None, index=True)
    """A person's number, though the person may be gone; None: the program, or whoever runs it."""
    what: str
    subject_kind: str
    subject_id: int | None = None
    channel: str
    message_id: str
    before: str
    """Digest of the line before this one."""
    digest: str


class AuditHead(SQLModel, table=True):
    """One row: how many lines there are and the digest of the last. Whoever adds lines locks it first."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, primary_key=True)
    number: int = 0
    digest: str = BEGINNING


@dataclass(frozen=True)
class Entry:
    """A line before it has its place in the chain."""

    at: datetime
    actor_id: int | None
    what: str
    subject_kind: str
    subject_id: int | None
    channel: str
    message_id: str

    def digest(self, number: int, before: str) -> str:
        """SHA-256 over the line as JSON, at its place and after the digest before it."""
        line = [
            *(number, self.at.astimezone(UTC).isoformat(timespec="microseconds"), self.actor_id, self.what),
            *(self.subject_kind, self.subject_id, self.channel, self.message_id, before),
        ]
        return sha256(json.dumps(line, separators=(",", ":")).encode()).hexdigest()
