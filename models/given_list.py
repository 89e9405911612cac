"""Lists that leaders send in a chat: what was read from each, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type, in_values


class ListState(StrEnum):
    """How far a list has come."""

    NEW = "new"
    """To be fetched, read and compared."""
    SHOWN = "shown"
    """What it would bring was told; its sender has not said yes yet."""
    TO_WRITE = "to_write"
    """Its sender said yes."""
    WRITTEN = "written"
    OVER = "over"
    """Declined, of no use, or too old."""


class GivenList(SQLModel, table=True):
    """A file of somebody's, kept apart and sealed until its time is over, for there are phones in it."""

    __tablename__ = "given_list"
    __table_args__ = (
        CheckConstraint(in_values("state", ListState), name="state"),
        Index(
            "ix_given_list_to_do",
            "id",
            sqlite_where=text("state IN ('new', 'to_write')"),
            postgresql_where=text("state IN ('new', 'to_write')"),
        ),
        Index(
            "ix_given_list_until",
            "until",
            sqlite_where=text("file IS NOT NULL"),
            postgresql_where=text("file IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    channel: str
    chat: str
    handle: str
    """Where it came from, and where it is answered."""
    name: str
    """What its sender calls the file."""
    file: str | None = None
    """Key of the bytes, the channel's own until they are here; None once they are deleted."""
    report: str | None = None
    """Key of the report on all lines, kept as long as the file."""
    shown: str | None = None
    """Digest of what was told: the yes is for that, and for nothing else."""
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    state: ListState = Field(default=ListState.NEW, sa_column=Column(choice_type(ListState), nullable=False))
    tries: int = 0
    """How often it was begun: one that kills the program is given up."""
    lease_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    imported_id: int | None = Field(default=None, foreign_key="imported.id", index=True)
    """The import it became, from the first line that was written."""
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime = Field(sa_column=Column(Moment, nullable=False))
    """When the file and the report are deleted."""
