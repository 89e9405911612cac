"""Households: who lives behind which door."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Column, Field, SQLModel

from models.base import Moment


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

    id: int | None = Field(default=None, primary_key=True)
    household_id: int = Field(foreign_key="household.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    head: bool = False
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
