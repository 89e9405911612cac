"""What belongs to an incident: its events, its people, its photos, and what was set right by hand."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type
from models.moves import Move, State


class IncidentEvent(SQLModel, table=True):
    """One thing that happened to a case: who, when, by which message, why. Only ever added."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("ix_incident_event_actor_id_at", "actor_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    move: Move = Field(sa_column=Column(choice_type(Move), nullable=False))
    before: State | None = Field(default=None, sa_column=Column(choice_type(State)))
    after: State = Field(sa_column=Column(choice_type(State), nullable=False))
    actor_id: int | None = Field(default=None, foreign_key="person.id")
    """None: the clock."""
    channel: str
    message_id: str
    reason: str | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))


class Part(StrEnum):
    """Why a person is told about a case."""

    REPORTER = "reporter"
    HELPER = "helper"
    FOLLOWER = "follower"


class Participant(SQLModel, table=True):
    """A reporter (also of a merged case), a co-handler, or somebody who follows a case."""

    __tablename__ = "participant"
    __table_args__ = (
        Index("uq_participant_incident_person_part", "incident_id", "person_id", "part", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    part: Part = Field(sa_column=Column(choice_type(Part), nullable=False))
    told_as: int | None = None
    """Number of the case they reported, when it was merged into this one."""
    task: str = ""
    done_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    answer: str | None = Field(default=None, sa_column=Column(String(16)))
    """solved or unsolved, in the present round."""


class Attachment(SQLModel, table=True):
    """A photo, a voice message or a file that belongs to a case; the bytes lie apart from the database."""

    __tablename__ = "attachment"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    person_id: int = Field(foreign_key="person.id")
    kind: str
    key: str = Field(index=True)
    """Name in the media store, or how the channel names it until it is fetched."""
    at: datetime = Field(sa_column=Column(Moment, nullable=False))


class Correction(SQLModel, table=True):
    """A person set right what the words had suggested: kept to learn from later."""

    __tablename__ = "correction"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    incident_id: int = Field(foreign_key="incident.id", index=True)
    person_id: int = Field(foreign_key="person.id")
    field: str
    proposed: str
    chosen: str
    text: str
