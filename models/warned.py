"""Warnings about numbers in groups: when each was given last, so that none becomes a nuisance."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel

from models.base import Moment


class Warned(SQLModel, table=True):
    """A group, or one of those who write in it, was warned."""

    __tablename__ = "warned"

    channel: str = Field(primary_key=True)
    chat: str = Field(primary_key=True)
    handle: str = Field(primary_key=True)
    """Empty: the group as a whole."""
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
