"""Cursors: how far a platform's messages were pulled, for platforms that do not deliver them."""

from functools import partial
from typing import Protocol

from sqlalchemy import update
from sqlmodel import col

from bot.lane import Lane
from handlers.writing import Writing, insert_new
from models import PlatformCursor

CURSORS = PlatformCursor.__table__  # type: ignore[attr-defined]


class Cursors(Protocol):
    """Where channels keep how far they are."""

    async def get(self, name: str) -> str:
        """The cursor of this name; empty at the beginning."""
        ...

    async def keep(self, name: str, value: str) -> None:
        """Go on from here next time. Only after the messages before it are kept."""
        ...


class LocalCursors:
    """Cursors of one process, for tests and for trials without a database."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, name: str) -> str:
        """The cursor of this name."""
        return self.kept.get(name, "")

    async def keep(self, name: str, value: str) -> None:
        """Go on from here next time."""
        self.kept[name] = value


class SharedCursors:
    """Cursors in the database, so that whichever process pulls next goes on where the last one ended.

    Args:
        lane: the only way to write.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def get(self, name: str) -> str:
        """The cursor of this name."""
        return await self._lane.run(partial(_look, name=name), quiet=True)

    async def keep(self, name: str, value: str) -> None:
        """Go on from here next time."""
        await self._lane.run(partial(_keep, name=name, value=value), quiet=True)


def _look(session: Writing, name: str) -> str:
    row = session.get(PlatformCursor, name, populate_existing=True)
    return "" if row is None else row.value


def _keep(session: Writing, name: str, value: str) -> None:
    session.execute(insert_new(session, CURSORS).values(name=name, value=value))
    session.execute(update(CURSORS).where(col(PlatformCursor.name) == name).values(value=value))
