"""Leave: from when to when somebody is away, and who acts for them meanwhile."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Column, Field, SQLModel

from models.base import Moment


class Leave(SQLModel, table=True):
    """One stretch of absence. One that was taken back before it began has no length; none is ever deleted."""

    __tablename__ = "leave"
    __table_args__ = (
        CheckConstraint("since <= until", name="order"),
        Index("ix_leave_person_id_until", "person_id", "until"),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    deputy_id: int | None = Field(default=None, foreign_key="person.id")
    """Who was named; None: whoever stands above."""
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime = Field(sa_column=Column(Moment, nullable=False, index=True))
    said_by: int = Field(foreign_key="person.id")
    """Who entered it: the person, or somebody above."""
