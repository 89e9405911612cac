"""Access tokens of platforms: one for all processes, fetched by whoever comes first."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import update
from sqlmodel import col

from bot.lane import Lane
from handlers.writing import Writing, insert_new
from models import PlatformToken

TOKENS = PlatformToken.__table__  # type: ignore[attr-defined]
FETCHING = timedelta(seconds=15)
"""How long whoever fetches a token is waited for."""
EARLY = timedelta(minutes=5)
"""So long before its end a token is replaced."""
LOOK_AGAIN = 0.2
"""Seconds between two looks whether another process has fetched it."""


@dataclass(frozen=True)
class Fetched:
    """A token as a platform gave it."""

    value: str = field(repr=False)
    seconds: float
    """How long it is good for."""


Fetch = Callable[[], Awaitable[Fetched]]
"""Asks the platform for a new token; raises what it wants when it gets none."""


class Tokens(Protocol):
    """Where channels get their tokens."""

    async def get(self, name: str, fetch: Fetch, *, stale: str | None = None) -> str:
        """The token of this name; `stale` is one that the platform has just refused."""
        ...


class LocalTokens:
    """Tokens of one process, for tests and for trials without a database."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def get(self, name: str, fetch: Fetch, *, stale: str | None = None) -> str:
        """Fetch once, and again when the kept one is stale."""
        async with self._lock:
            if self._kept.get(name) in (None, stale):
                self._kept[name] = (await fetch()).value
            return self._kept[name]


class SharedTokens:
    """Tokens in the database, for on most platforms a new token makes the last one void.

    Args:
        lane: the only way to write.
        now: gives aware UTC.
    """

    def __init__(self, lane: Lane, now: Callable[[], datetime]) -> None:
        self._lane = lane
        self._now = now
        self._known: dict[str, tuple[str, datetime]] = {}

    async def get(self, name: str, fetch: Fetch, *, stale: str | None = None) -> str:
        """Take the kept token, or fetch one while the others wait.

        Raises whatever `fetch` raises; the next one who asks tries again.
        """
        known = self._known.get(name)
        if known is not None and known[0] != stale and self._now() < known[1] - EARLY:
            return known[0]
        while True:
            found = await self._lane.run(partial(self._look, name=name, stale=stale), quiet=True)
            if isinstance(found, tuple):
                self._known[name] = found
                return found[0]
            if found:
                return await self._fetch(name, fetch)
            await asyncio.sleep(LOOK_AGAIN)

    def _look(self, session: Writing, name: str, stale: str | None) -> tuple[str, datetime] | bool:
        """The token with its end; else whether it is ours to fetch."""
        now = self._now()
        session.execute(insert_new(session, TOKENS).values(name=name))
        row = session.get(PlatformToken, name, with_for_update=True, populate_existing=True)
        assert row is not None
        if row.value is not None and row.value != stale and row.until and now < row.until - EARLY:
            return row.value, row.until
        if row.fetching_until is not None and now < row.fetching_until:
            return False
        row.fetching_until = now + FETCHING
        session.add(row)
        session.flush()
        return True

    async def _fetch(self, name: str, fetch: Fetch) -> str:
        try:
            fetched = await fetch()
        except BaseException:
            await self._lane.run(partial(_keep, name=name, value=None, until=None), quiet=True)
            raise
        until = self._now() + timedelta(seconds=fetched.seconds)
        await self._lane.run(partial(_keep, name=name, value=fetched.value, until=until), quiet=True)
        self._known[name] = fetched.value, until
        return fetched.value


def _keep(session: Writing, name: str, value: str | None, until: datetime | None) -> None:
    kept = {"fetching_until": None} | ({"value": value, "until": until} if value is not None else {})
    session.execute(update(TOKENS).where(col(PlatformToken.name) == name).values(kept))
