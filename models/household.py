"""Households: who lives behind which door."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Column, Field, SQLModel

from models.base import Moment, choice_type, in_values


class Ending(StrEnum):
    """Why somebody does not live in a household any more."""

    MOVED = "moved"
    """To another door that we know of."""
    LEFT = "left"
    DIED = "died"
    JOINED = "joined"
    """Two records were the same person, who lives elsewhere."""


class Household(SQLModel, table=True):
    """A door in a grid; who lives behind it are its members."""

    __tablename__ = "household"
    __table_args__ = (UniqueConstraint("grid_id", "address", "door"),)

    id: int | None = Field(default=None, primary_key=True)
    grid_id: int = Field(foreign_key="grid.id")
    address: str = ""
    door: str = ""


class Member(SQLModel, table=True):
    """A person who lives in a household from a moment to a moment."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("until IS NULL OR since <= until", name="order"),
        CheckConstraint(in_values("ending", Ending), name="ending"),
        Index(
            "ix_member_current",
            "household_id",
            "person_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        Index(
            "ix_member_ended",
            "until",
            sqlite_where=text("until IS NOT NULL"),
            postgresql_where=text("until IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    household_id: int = Field(foreign_key="household.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    head: bool = False
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
    ending: Ending | None = Field(default=None, sa_column=Column(choice_type(Ending)))
    """Set when `until` was said by somebody."""
    said_by: int | None = Field(default=None, foreign_key="person.id")
    """Who ended it last, or took it up again."""
