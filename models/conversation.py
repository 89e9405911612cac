"""Where a talk with one person in one chat stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment


class Conversation(SQLModel, table=True):
    """The state of one talk, locked before it is read."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index(
            "ix_conversation_half_done",
            "touched_at",
            sqlite_where=text("half_done"),
            postgresql_where=text("half_done"),
        ),
    )

    chat_key: str = Field(primary_key=True)
    channel: str
    chat: str
    handle: str
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    state: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    half_done: bool = False
    """A form is half filled, so the person may have to be told that it is kept."""
    prompt_mail: int = 0
    """Outbox id of the last prompt with numbers: a number answers this one and no other."""
    touched_at: datetime = Field(sa_column=Column(Moment, nullable=False))
