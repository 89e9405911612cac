"""Papers: what a link opens once, for the one who asked for it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Column, Field, SQLModel

from models.base import Moment, choice_type, in_values
from models.sealing import SealedJson


class PaperKind(StrEnum):
    """What is on it."""

    REPORT = "report"
    """What a list would bring, or has brought."""
    EXPORT = "export"
    """All lists of somebody's area."""
    POSTER = "poster"
    """An invitation to be printed."""


class Paper(SQLModel, table=True):
    """One paper; of its link and of the session that the link opens, only digests are kept."""

    __tablename__ = "paper"
    __table_args__ = (CheckConstraint(in_values("kind", PaperKind), name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: PaperKind = Field(sa_column=Column(choice_type(PaperKind), nullable=False))
    person_id: int = Field(foreign_key="person.id", index=True)
    about_id: int | None = None
    """Number of the list whose report it is."""
    data: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(SealedJson("paper.data"), nullable=False)
    )
    """What a poster shows: there is an invitation's secret in it."""
    digest: str = Field(unique=True)
    until: datetime = Field(sa_column=Column(Moment, nullable=False, index=True))
    """When the link opens nothing any more."""
    used_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    session: str | None = None
    session_until: datetime | None = Field(default=None, sa_column=Column(Moment))
