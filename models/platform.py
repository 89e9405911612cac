"""What the processes of one place share of a platform: its tokens, and who holds a connection."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel

from models.base import Moment
from models.sealing import Sealed

TOKEN = "platform_token.value"
"""What a token's seal is made for; part of it, so it never changes."""


class PlatformToken(SQLModel, table=True):
    """A platform's access token, fetched by one process for all: each new one makes the others void."""

    __tablename__ = "platform_token"

    name: str = Field(primary_key=True)
    """Platform and account: wecom:ww123:1000002."""
    value: str | None = Field(default=None, sa_column=Column(Sealed(TOKEN)))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
    fetching_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    """Somebody fetches a new one; when this has passed, anybody may."""


class Lease(SQLModel, table=True):
    """Who alone may do something for a while, such as hold a bot's one connection."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_column=Column(Moment, nullable=False))


class PlatformCursor(SQLModel, table=True):
    """How far a platform's messages have been pulled: kept when they are, so that none is left out."""

    __tablename__ = "platform_cursor"

    name: str = Field(primary_key=True)
    """Platform and account: wecom_kf:wk123."""
    value: str
