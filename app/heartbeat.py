"""The heartbeat: an address outside hears that all is well, and somebody there notices when it does not."""

import asyncio
import logging
from typing import Final

import httpx

from bot.lane import Lane
from bot.seldom import Seldom
from handlers.actor import CLOCK
from handlers.watching import troubles
from handlers.work import Desk
from handlers.writing import Writing

log = logging.getLogger("xiaoge.app")

EVERY: Final = 300.0
"""Seconds between two beats."""
PATIENCE: Final = 10.0
_SERIOUS: Final = frozenset(
    {"no_owner", "left_behind", "old_mail", "stalled", "channel_down", "connection_lost"}
)
"""What must not be while the heart beats; the rest can wait for somebody to read of it."""


class Heartbeat:
    """Asks for an address every five minutes, unless something stands still.

    Args:
        lane: must still write.
        desk: opens the look at what must never be.
        url: of a monitoring service; empty: nothing is asked for.
        every: seconds between two beats.
    """

    def __init__(self, lane: Lane, desk: Desk, url: str, every: float = EVERY) -> None:
        self._lane = lane
        self._desk = desk
        self._url = url
        self._every = every
        self._complain = Seldom(log, 3600)

    async def run(self) -> None:
        """Beat until cancelled; returns at once where no address is set."""
        if not self._url:
            return
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            while True:
                await self.beat(client)
                await asyncio.sleep(self._every)

    async def beat(self, client: httpx.AsyncClient) -> bool:
        """Ask, if all is well. Returns whether it was heard. The address may hold a key: never log it."""
        try:
            await self._lane.run(_touch, quiet=True)
            found = await asyncio.to_thread(self._serious)
            if found:
                self._complain.warning("no heartbeat: something stands still", kinds=found)
                return False
            return (await client.get(self._url)).is_success
        except Exception as trouble:  # noqa: BLE001 - whatever it is, the next beat is tried
            self._complain.warning("the heartbeat was not heard", why=type(trouble).__name__)
            return False

    def _serious(self) -> list[str]:
        with self._desk.reading(CLOCK) as reading:
            return sorted({trouble.kind for trouble in troubles(reading)} & _SERIOUS)


def _touch(session: Writing) -> None:
    """A writer that hangs has no pulse."""
    session.write()
