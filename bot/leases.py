"""Leases: what only one process may do at a time, such as hold a bot's one connection."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import delete
from sqlmodel import col

from bot.lane import Lane
from handlers.writing import Writing, insert_new
from models import Lease

LEASES = Lease.__table__  # type: ignore[attr-defined]
LENGTH = timedelta(seconds=30)
"""How long a lease is good for; its holder takes it again every third of that."""


class Leases(Protocol):
    """Where channels ask whether something is theirs to do."""

    async def take(self, name: str) -> bool:
        """Take or prolong a lease; False while another process holds it."""
        ...

    async def give_back(self, name: str) -> None:
        """Let others have it at once."""
        ...


class LocalLeases:
    """Leases of a single process: always granted."""

    async def take(self, name: str) -> bool:
        """Grant it."""
        return True

    async def give_back(self, name: str) -> None:
        """Nobody waits for it."""


class SharedLeases:
    """Leases in the database.

    Args:
        lane: the only way to write.
        now: gives aware UTC.
        holder: names this process among all.
    """

    def __init__(self, lane: Lane, now: Callable[[], datetime], holder: str) -> None:
        self._lane = lane
        self._now = now
        self._holder = holder

    async def take(self, name: str) -> bool:
        """Take it where nobody holds it, or prolong one's own."""
        return await self._lane.run(partial(self._take, name=name), quiet=True)

    def _take(self, session: Writing, name: str) -> bool:
        now = self._now()
        mine = {"name": name, "holder": self._holder, "until": now + LENGTH}
        entered = session.execute(insert_new(session, LEASES).values(mine).returning(LEASES.c.name)).first()
        if entered is not None:
            return True
        row = session.get(Lease, name, with_for_update=True, populate_existing=True)
        if row is None or (row.holder != self._holder and row.until > now):
            return False
        row.holder, row.until = self._holder, now + LENGTH
        session.add(row)
        session.flush()
        return True

    async def give_back(self, name: str) -> None:
        """Let others have it at once, if it is ours."""
        mine = delete(LEASES).where(col(Lease.name) == name, col(Lease.holder) == self._holder)

        def job(session: Writing) -> None:
            session.execute(mine)

        await self._lane.run(job, quiet=True)
