"""Invitations: what somebody shows to prove who they are, once and for a short time."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Column, Field, SQLModel

from models.base import Moment, choice_type, in_values


class Way(StrEnum):
    """What an invitation is made of, and what it is good for."""

    CODE = "code"
    """Six digits to be typed: an account becomes a person's."""
    LINK = "link"
    """The same by a link."""
    LOGIN = "login"
    """A link that opens the pages for the person who asked for it."""


class Invitation(SQLModel, table=True):
    """A secret that opens one thing once; only its digest is kept, and that until its time is over."""

    __tablename__ = "invitation"
    __table_args__ = (CheckConstraint(in_values("way", Way), name="way"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str | None = Field(default=None, unique=True)
    """None once its time is over: six digits come again."""
    way: Way = Field(sa_column=Column(choice_type(Way), nullable=False))
    person_id: int = Field(foreign_key="person.id", index=True)
    made_by: int | None = Field(default=None, foreign_key="person.id")
    """None: whoever runs the program."""
    made_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime = Field(sa_column=Column(Moment, nullable=False, index=True))
    used_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    tries: int = 0
    """Wrong answers to the question that proves whose it is."""


class WrongCode(SQLModel, table=True):
    """An account showed a code that opens nothing: who guesses is held up."""

    __tablename__ = "wrong_code"
    __table_args__ = (Index("ix_wrong_code_channel_handle", "channel", "handle"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    handle: str
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
