"""What the lane's tests look at: rows as they lie in the database."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from models import Inbox, InboxState, Outbox
from tests.town import Town


def letters(town: Town) -> dict[str, tuple[InboxState, int]]:
    """Message -> what became of it, and after how many tries in vain."""
    with Session(town.database.reader) as session:
        rows = session.execute(select(col(Inbox.message_id), col(Inbox.state), col(Inbox.tries)))
        return {row.message_id: (row.state, row.tries) for row in rows}


def waiting(town: Town) -> int:
    """How many messages are kept and not decided."""
    with Session(town.database.reader) as session:
        query = select(func.count()).select_from(Inbox).where(col(Inbox.state) == InboxState.WAITING)
        found: int = session.execute(query).scalar_one()
        return found


def answered(town: Town, handle: str) -> list[str]:
    """Ids of the messages of a chat in the order in which they were first answered."""
    with Session(town.database.reader) as session:
        keys = session.execute(
            select(col(Outbox.key)).where(col(Outbox.handle) == handle).order_by(col(Outbox.id))
        ).scalars()
        return list(dict.fromkeys(key.split(":")[1] for key in keys if ":reply:" in key))
