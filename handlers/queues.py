"""How long the queues are: what waits to be decided, to be sent, and for a group's owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from models import Inbox, InboxState, Lease, Outbox
from models.mail import UNSENT

FAILING = 4
"""Tries after which a letter that waits says that its channel does not work, and not that it had bad luck."""
DOWN = timedelta(minutes=15)
LOST = timedelta(minutes=10)
"""How long nobody may hold a connection that somebody held lately."""
LATELY = timedelta(days=2)
"""A connection that was held earlier than that was taken out of the settings."""


@dataclass(frozen=True)
class Queue:
    """Things of one kind that wait."""

    name: str
    """A channel's, or empty where there is none yet."""
    count: int
    oldest: datetime | None
    """Aware UTC; None where nothing waits."""


def undecided(session: Session) -> Queue:
    """Messages that were accepted and are not decided."""
    query = select(func.count(), func.min(col(Inbox.received_at))).where(
        col(Inbox.state) == InboxState.WAITING
    )
    count, oldest = session.execute(query).one()
    return Queue("", count, oldest)


def unsent(session: Session, now: datetime) -> Sequence[Queue]:
    """Letters whose time has come, by the channel they were last tried on."""
    due = (col(Outbox.state).in_(UNSENT), col(Outbox.not_before) <= now)
    return _by_channel(session, *due)


def held(session: Session, now: datetime) -> int:
    """Letters that were promised for later: in quiet hours, or for tomorrow."""
    query = select(func.count()).where(col(Outbox.state).in_(UNSENT), col(Outbox.not_before) > now)
    return int(session.execute(query).scalar_one())


def failing(session: Session, now: datetime) -> Sequence[Queue]:
    """Channels on which letters were tried again and again for a quarter of an hour."""
    tried = (
        col(Outbox.state).in_(UNSENT),
        col(Outbox.tries) >= FAILING,
        col(Outbox.not_before) <= now - DOWN,
        col(Outbox.channel).is_not(None),
    )
    return _by_channel(session, *tried)


def _by_channel(session: Session, *conditions: object) -> Sequence[Queue]:
    columns = col(Outbox.channel), func.count(), func.min(col(Outbox.not_before))
    query = select(*columns).where(*conditions).group_by(col(Outbox.channel))  # type: ignore[arg-type]
    found = session.execute(query.order_by(col(Outbox.channel))).all()
    return [Queue(name or "", count, oldest) for name, count, oldest in found]


def lost(session: Session, now: datetime) -> Sequence[str]:
    """Names of connections that nobody has held for a while, though somebody did lately."""
    until = col(Lease.until)
    query = select(col(Lease.name)).where(until < now - LOST, until > now - LATELY)
    return list(session.execute(query.order_by(col(Lease.name))).scalars())
