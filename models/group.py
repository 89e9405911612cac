"""Chat groups of a grid: one for its workers, one for its residents, and what was said in them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type, in_values
from models.sealing import Sealed

KEY = "chat_group.secret"
"""What the seal of a group's key is made for; part of it, so it never changes."""


class Purpose(StrEnum):
    """Whom a group is for (一格两群)."""

    WORK = "work"
    """工作群: grid workers and whoever works with them."""
    SERVICE = "service"
    """服务群: residents."""


class Delivery(StrEnum):
    """How words come into a group."""

    WEBHOOK = "webhook"
    """A group robot's own address: it speaks and hears nothing."""
    APP_CHAT = "app_chat"
    """Our own account is in the group, or made it, and speaks itself."""
    OWNER_CONFIRM = "owner_confirm"
    """The platform asks the group's owner to confirm each message (客户群)."""
    RELAY = "relay"
    """Nobody but people may speak there (an ordinary 微信群): the owner gets a 转发包 to forward."""


class Group(SQLModel, table=True):
    """A group that was bound to a grid, from a day to a day."""

    __tablename__ = "chat_group"
    __table_args__ = (
        CheckConstraint(in_values("purpose", Purpose), name="purpose"),
        CheckConstraint(in_values("delivery", Delivery), name="delivery"),
        # A second work group, or one chat for two grids, is refused (鄞州 一格两群).
        Index(
            "uq_chat_group_open_purpose",
            "grid_id",
            "purpose",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        Index(
            "uq_chat_group_open_chat",
            "channel",
            "chat",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    grid_id: int = Field(foreign_key="grid.id", index=True)
    purpose: Purpose = Field(sa_column=Column(choice_type(Purpose), nullable=False))
    delivery: Delivery = Field(sa_column=Column(choice_type(Delivery), nullable=False))
    name: str
    channel: str | None = None
    """Through which words go there; None for a group that only people can speak in."""
    chat: str | None = None
    """The platform's name of the group; None where it has none for us."""
    secret: str | None = Field(default=None, sa_column=Column(Sealed(KEY)))
    """The key of a group's robot."""
    owner_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    """Who confirms or forwards what is said there."""
    token: str = Field(unique=True)
    """Stands in the links that are put into the group, so that what is opened is counted for it."""
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Moment))
    bound_by: int | None = Field(default=None, foreign_key="person.id")


class PostState(StrEnum):
    """What has become of something that is to be said in a group."""

    PREPARED = "prepared"
    WAITING_OWNER = "waiting_owner"
    """The owner was asked to confirm or to forward it."""
    SENT = "sent"
    DECLINED = "declined"
    """The owner thinks it unfit, and said so."""
    DROPPED = "dropped"
    """Recalled, or too old by the time."""
    FAILED = "failed"


class GroupPost(SQLModel, table=True):
    """One thing that is said in one group."""

    __tablename__ = "group_post"
    __table_args__ = (
        CheckConstraint(in_values("state", PostState), name="state"),
        Index(
            "ix_group_post_open",
            "state",
            "asked_at",
            sqlite_where=text("state IN ('prepared', 'waiting_owner')"),
            postgresql_where=text("state IN ('prepared', 'waiting_owner')"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """Deterministic, so that the same happening is never said twice."""
    group_id: int = Field(foreign_key="chat_group.id", index=True)
    text: str
    """Key of the text in the book."""
    args: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    photos: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    """Media keys of pictures that go with it."""
    words: str | None = None
    """The words as the owner changed them, or as they were sent."""
    link: str | None = None
    """Path of the page it leads to, without the group's token."""
    cause: str = Field(index=True)
    """What it was said for: notice:7, chain:3, board:12."""
    state: PostState = Field(
        default=PostState.PREPARED, sa_column=Column(choice_type(PostState), nullable=False)
    )
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    asked_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When the owner was asked."""
    reminded_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    ended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    handed: str | None = None
    """The platform's own name of what waits for the owner."""
    why: str | None = None
    """Why it was declined, dropped or failed."""
    prepared_by: int | None = Field(default=None, foreign_key="person.id")
    """Who is told when it cannot be said; None: the clock prepared it."""


class GroupCode(SQLModel, table=True):
    """Six digits that bind the group in which they are said; only their digest is kept, for ten minutes."""

    __tablename__ = "group_code"
    __table_args__ = (CheckConstraint(in_values("purpose", Purpose), name="purpose"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    grid_id: int = Field(foreign_key="grid.id")
    purpose: Purpose = Field(sa_column=Column(choice_type(Purpose), nullable=False))
    made_by: int = Field(foreign_key="person.id")
    until: datetime = Field(sa_column=Column(Moment, nullable=False))


class GroupOpen(SQLModel, table=True):
    """Some browser has opened what was put into a group; it is nobody's name, and counts once."""

    __tablename__ = "group_open"
    __table_args__ = (UniqueConstraint("post_id", "browser"),)

    id: int | None = Field(default=None, primary_key=True)
    post_id: int = Field(foreign_key="group_post.id")
    browser: str
    """A random word of the browser's own, as its digest."""
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
