"""The postman: carries claimed letters to their channels, within the channels' rates, and keeps the
outcomes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.channel import Broken, Channel, Outcome
from bot.lane import Lane
from bot.outbox import LEASE, Letter, acknowledge, claim, give_back
from handbook import Book

log = logging.getLogger("xiaoge.postman")
ROUND = 50
ENOUGH = LEASE.total_seconds() / 2
"""Seconds after which a round sends no more: its leases must not run out while it does."""
EVERY = 0.5
"""Seconds between looks when nothing nudges: other processes and retries are found this way."""


class Postman:
    """Sends what was promised. Never holds a transaction open across the network."""

    def __init__(
        self, lane: Lane, book: Book, channels: Mapping[str, Channel], now: Callable[[], datetime]
    ) -> None:
        """`now` gives aware UTC."""
        self._lane = lane
        self._book = book
        self._channels = channels
        self._now = now
        self._more = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._paces: dict[str, _Pace] = {name: _Pace(c.can.per_second) for name, c in channels.items()}
        self._chat_paces: dict[tuple[str, str], _Pace] = {}

    def nudge(self) -> None:
        """Say, from any thread, that there may be something to send."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._more.set)

    async def run(self) -> None:
        """Send until told to stop."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            sent = await self._round_or_rest()
            if sent or self._stopping:
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), EVERY)
            self._more.clear()

    def stop(self) -> None:
        """Let `run` end: what is on its way is acknowledged, what is not is given back."""
        self._stopping = True
        self.nudge()

    async def drain(self) -> int:
        """Send everything that is due now and return how many letters went out (tests and shutdown)."""
        total = 0
        while sent := await self.round():
            total += sent
        return total

    async def _round_or_rest(self) -> int:
        try:
            return await self.round()
        except Exception:
            log.exception("a round of mail failed")
            return 0

    async def round(self) -> int:
        """Claim, send and acknowledge up to fifty letters; returns how many were claimed."""
        letters = await self._lane.run(self._claim, quiet=True)
        give_up = asyncio.get_running_loop().time() + ENOUGH
        rows: dict[str, deque[Letter]] = {}
        for letter in letters:
            rows.setdefault(letter.channel, deque()).append(letter)
        carriers = (
            self._carry(row, give_up)
            for name, row in rows.items()
            for _ in range(min(len(row), self._channels[name].can.at_once))
        )
        await asyncio.gather(*carriers)
        return len(letters)

    async def _carry(self, letters: "deque[Letter]", give_up: float) -> None:
        """Take one letter after the other: the next one goes when the last one's outcome is kept for good.

        So a process that is killed has at most one letter on its way which the next one sends again.
        """
        while letters:
            letter = letters.popleft()
            if self._stopping or asyncio.get_running_loop().time() > give_up:
                await self._lane.run(partial(give_back, letter=letter), quiet=True)
            else:
                await self._deliver(letter)

    def _claim(self, session: Session) -> list[Letter]:
        return claim(session, self._book, self._channels, self._now(), ROUND)

    async def _deliver(self, letter: Letter) -> None:
        channel = self._channels[letter.channel]
        await self._paces[letter.channel].turn()
        await self._chat_pace(channel, letter).turn()
        await self._keep(letter, await self._send(channel, letter))

    async def _keep(self, letter: Letter, outcome: Outcome) -> None:
        """Write an outcome down, again and again while the disk is full: lost, it would be sent once more."""
        until = asyncio.get_running_loop().time() + ENOUGH
        while True:
            try:
                await self._lane.run(
                    partial(acknowledge, letter=letter, outcome=outcome, now=self._now()), quiet=True
                )
                return
            except Exception:
                if asyncio.get_running_loop().time() > until:
                    raise
                log.exception("an outcome could not be kept", extra={"mail": letter.mail_id})
                await asyncio.sleep(EVERY)

    async def _send(self, channel: Channel, letter: Letter) -> Outcome:
        try:
            return await channel.send(letter.message)
        except Exception as trouble:
            log.exception("a channel raised", extra={"channel": letter.channel, "mail": letter.mail_id})
            return Broken(type(trouble).__name__)

    def _chat_pace(self, channel: Channel, letter: Letter) -> "_Pace":
        key = (letter.channel, letter.message.chat)
        if len(self._chat_paces) > 10_000:
            self._chat_paces.clear()
        return self._chat_paces.setdefault(key, _Pace(channel.can.per_chat_second, burst=3))


class _Pace:
    """A bucket of permits that fills at a steady rate; waiting for a turn keeps the order of asking."""

    def __init__(self, per_second: float, burst: float | None = None) -> None:
        self._rate = per_second
        self._most = burst or max(1.0, per_second)
        self._left = self._most
        self._at = 0.0
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until one more message may go."""
        if self._rate == float("inf"):
            return
        async with self._lock:
            self._fill()
            if self._left < 1:
                await asyncio.sleep((1 - self._left) / self._rate)
                self._fill()
            self._left -= 1

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._at:
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
