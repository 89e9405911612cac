"""How much was said lately through a channel, in a chat, in a group: counted by all processes together."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment


class RateCount(SQLModel, table=True):
    """Messages in the slices of a time; a platform's limit is held over any stretch of it."""

    __tablename__ = "rate_count"

    name: str = Field(primary_key=True)
    """Channel, of what it is, which, and seconds: wecom|chat|u1|60."""
    slices: dict[str, int] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    """Number of a slice of time -> messages in it."""
    closed_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    """The platform asked to wait so long."""
