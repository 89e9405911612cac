"""People: who they are, through which accounts they speak, and which posts they hold."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment
from models.sealing import Sealed

PHONE = "person.phone"
"""What a phone's seal and digest are made for; part of both, so it never changes."""


class Person(SQLModel, table=True):
    """A resident, a worker or a leader. Only what is needed to serve them."""

    __tablename__ = "person"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    phone: str | None = Field(default=None, sa_column=Column(Sealed(PHONE)))
    """Lies sealed in the database (docs/decisions/08): it is found by its digest alone."""
    phone_digest: str | None = Field(default=None, index=True)
    home_grid_id: int | None = Field(default=None, foreign_key="grid.id")
    party: bool | None = None
    """A member of the Party; None: not known."""
    seat: str | None = Field(default=None, index=True)
    """Short name of a seat in the demo; None for real people."""
    forgotten_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """Since when nothing is known of them any more."""
    died_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    joined_into: int | None = Field(default=None, index=True)
    """The record that this one was found to be the same person as; this one is empty since (no key, for it
    is no reference that follows when that one is joined in turn)."""


class Account(SQLModel, table=True):
    """One way to reach a person: a handle on a channel."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("channel", "handle"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    handle: str
    chat: str
    """Where a private message to this account goes (on most channels the handle itself)."""
    person_id: int = Field(foreign_key="person.id", index=True)
    used_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    gone: bool = False
    """The channel said that the account cannot be reached any more."""
    closed_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    """The channel may not write to it before its owner writes again; it is tried anew then."""


class Unit(SQLModel, table=True):
    """A department or company that handles cases for an area."""

    __tablename__ = "unit"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    grid_id: int = Field(foreign_key="grid.id", index=True)
    aliases: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    """What people call it: 物业, 供电."""
    calendar: str | None = None
    """Its own working hours in the book; None for those of the case's grade."""
    duties: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    """Kinds of case it is given first: keys of the book's categories."""
    backstop: bool = False
    """The 兜底: gets what belongs to a unit when the unit it belongs to has nobody."""


class Post(SQLModel, table=True):
    """A role held on a grid (or in a unit) from a moment to a moment."""

    __tablename__ = "post"

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    role: str
    grid_id: int = Field(foreign_key="grid.id", index=True)
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
    standing: str | None = None
    """What its holder is besides, as far as it is known: 村“两委”干部、村民代表."""
