"""Tokens: the key to a door that has no chat account behind it (web pages, the API)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Column, Field, SQLModel

from models.base import Moment, choice_type, in_values


class Scope(StrEnum):
    """Which door a token opens."""

    CHAT = "chat"
    BOARD = "board"
    API = "api"


class Token(SQLModel, table=True):
    """Proof that a request comes from a person; only the digest is kept."""

    __tablename__ = "token"
    __table_args__ = (CheckConstraint(in_values("scope", Scope), name="scope"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    scope: Scope = Field(sa_column=Column(choice_type(Scope), nullable=False))
    made_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
    idle: int | None = None
    """Minutes without use after which it ends; using it puts `until` off. None: `until` stands."""


class RegistryVersion(SQLModel, table=True):
    """One row whose number grows with every change of the tree, the posts or the units."""

    __tablename__ = "registry_version"

    id: int = Field(default=1, primary_key=True)
    number: int = 0
