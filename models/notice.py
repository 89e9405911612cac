"""Notices: words for many, that a second person approves; who got them, and who has read them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Column, Field, SQLModel

from models.base import Moment, choice_type, in_values


class NoticeState(StrEnum):
    """What has become of a notice."""

    DRAFT = "draft"
    ASKED = "asked"
    """Somebody else was asked to approve it."""
    APPROVED = "approved"
    """It is sent when its time has come."""
    SENT = "sent"
    CLOSED = "closed"
    """Nobody is reminded of it any more."""
    CANCELLED = "cancelled"
    RECALLED = "recalled"
    LATE = "late"
    """Its time had passed too long ago when it could have been sent."""


class NoticeMove(StrEnum):
    """What may be done with a notice."""

    ASK = "ask"
    RETURN = "return"
    APPROVE = "approve"
    SEND = "send"
    CLOSE = "close"
    CANCEL = "cancel"
    RECALL = "recall"
    MISS = "miss"


_OPEN = (NoticeState.DRAFT, NoticeState.ASKED, NoticeState.APPROVED)
NOTICE_MOVES: Mapping[NoticeMove, tuple[tuple[NoticeState, ...], NoticeState]] = {
    NoticeMove.ASK: ((NoticeState.DRAFT,), NoticeState.ASKED),
    NoticeMove.RETURN: ((NoticeState.ASKED,), NoticeState.DRAFT),
    NoticeMove.APPROVE: ((NoticeState.DRAFT, NoticeState.ASKED), NoticeState.APPROVED),
    NoticeMove.SEND: ((NoticeState.APPROVED,), NoticeState.SENT),
    NoticeMove.MISS: ((NoticeState.APPROVED,), NoticeState.LATE),
    NoticeMove.CLOSE: ((NoticeState.SENT,), NoticeState.CLOSED),
    NoticeMove.CANCEL: (_OPEN, NoticeState.CANCELLED),
    NoticeMove.RECALL: ((NoticeState.SENT, NoticeState.CLOSED), NoticeState.RECALLED),
}
"""Move -> from where it may be made, and where it leads."""


class WrongNoticeMove(Exception):
    """The notice stands where this move cannot be made."""


class Notice(SQLModel, table=True):
    """One notice, from its draft to its last answer."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(in_values("state", NoticeState), name="state"),
        Index("ix_notice_due", "state", "send_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """A key of the book's notices."""
    words: str
    audience: str
    """For whom, as its author said it; read on the author's behalf when it is sent."""
    grid_id: int = Field(foreign_key="grid.id", index=True)
    """The area that it is for."""
    author_id: int = Field(foreign_key="person.id", index=True)
    approver_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    state: NoticeState = Field(
        default=NoticeState.DRAFT, sa_column=Column(choice_type(NoticeState), nullable=False)
    )
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    send_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    sent_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    nudged_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    ended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    round: int = 0
    """How often it was sent for approval, so that each time is asked for anew."""

    def move(self, move: NoticeMove) -> None:
        """Make a move. Raises WrongNoticeMove where the table does not allow it."""
        before, after = NOTICE_MOVES[move]
        if self.state not in before:
            raise WrongNoticeMove(f"{move} from {self.state}")
        self.state = after


class Receipt(SQLModel, table=True):
    """That a notice was for somebody; whether it reached them stands on the letter."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("notice_id", "person_id"),
        Index(
            "ix_receipt_unread",
            "notice_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    notice_id: int = Field(foreign_key="notice.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    grid_id: int | None = Field(default=None, foreign_key="grid.id")
    """Where they were counted when it was sent."""
    read_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    answer: str | None = None


class OptOut(SQLModel, table=True):
    """A kind of notice that somebody does not want."""

    __tablename__ = "opt_out"
    __table_args__ = (UniqueConstraint("person_id", "kind"),)

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    kind: str
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
