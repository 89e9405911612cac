"""Details: what is kept of a person or a door beyond the minimum, and records that were the same person."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Column, Field, SQLModel

from models.base import Moment
from models.sealing import Sealed, SealedJson

HIDDEN = "detail.hidden"
"""What a sealed value's seal and digest are made for; part of both, so it never changes."""


class Detail(SQLModel, table=True):
    """One thing kept by a module of the book: a mark (独居), or a value (a year, an ID number)."""

    __tablename__ = "detail"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) != (household_id IS NULL)", name="owner"),
        CheckConstraint("until IS NULL OR since <= until", name="order"),
        Index(
            "ix_detail_current_person",
            "person_id",
            "module",
            "mark",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        Index(
            "ix_detail_current_household",
            "household_id",
            "module",
            "mark",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_detail_module_mark", "module", "mark"),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    household_id: int | None = Field(default=None, foreign_key="household.id", index=True)
    module: str
    mark: str = ""
    """Key of the mark; empty for a module that keeps a value."""
    value: str | None = None
    hidden: str | None = Field(default=None, sa_column=Column(Sealed(HIDDEN)))
    """The value of a sealed module, which is found by its digest alone (docs/decisions/08)."""
    hidden_digest: str | None = Field(default=None, index=True)
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
    by_id: int | None = Field(default=None, foreign_key="person.id")
    """Who said so; None: a list that was brought in."""
    source: str
    """The channel by which it came."""


class Agreement(SQLModel, table=True):
    """A resident's yes to a module that needs one, and when they took it back."""

    __tablename__ = "agreement"
    __table_args__ = (UniqueConstraint("person_id", "module"),)

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    module: str
    given_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    noted_by: int | None = Field(default=None, foreign_key="person.id")
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class Joined(SQLModel, table=True):
    """Two records found to be one person: exactly what was changed, so that it can be taken back."""

    __tablename__ = "joined"

    id: int | None = Field(default=None, primary_key=True)
    kept_id: int = Field(index=True)
    gone_id: int = Field(index=True)
    by_id: int | None = Field(default=None, foreign_key="person.id")
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    changes: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(SealedJson("joined.changes"), nullable=False)
    )
    """In order: table, key, and the columns before and after (before: a row that was taken out)."""
    undone_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class Apart(SQLModel, table=True):
    """Two records that somebody said are two people, so that they are not asked about again."""

    __tablename__ = "apart"
    __table_args__ = (UniqueConstraint("one_id", "other_id"),)

    id: int | None = Field(default=None, primary_key=True)
    one_id: int = Field(foreign_key="person.id")
    other_id: int = Field(foreign_key="person.id")
    by_id: int | None = Field(default=None, foreign_key="person.id")
    at: datetime = Field(sa_column=Column(Moment, nullable=False))


class Swept(SQLModel, table=True):
    """How far the words of old messages and letters have been taken out: ids up to this one are done."""

    __tablename__ = "swept"

    what: str = Field(primary_key=True)
    upto: int = 0
