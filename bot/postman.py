"""The postman: carries claimed letters to their channels, within the channels' rates, and keeps the
outcomes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.channel import Broken, Channel, Outcome, SendsTogether
from bot.figures import Figures
from bot.lane import Lane
from bot.outbox import LEASE, Letter, acknowledge, claim, give_back
from handbook import Book

log = logging.getLogger("xiaoge.postman")
ROUND = 50
TOGETHER = 500
"""Letters claimed at once where a channel tells many people in one call."""
ENOUGH = LEASE.total_seconds() / 2
"""Seconds after which a round sends no more: its leases must not run out while it does."""
A_WHILE = 0.2
"""Seconds after which a round no longer waits for letters that take long: others go on beside them."""
EVERY = 0.5
"""Seconds between looks when nothing nudges: other processes and retries are found this way."""


class Postman:
    """Sends what was promised. Never holds a transaction open across the network."""

    def __init__(
        self,
        lane: Lane,
        book: Book,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
        figures: Figures | None = None,
    ) -> None:
        """`now` gives aware UTC."""
        self._figures = figures or Figures()
        self._lane = lane
        self._book = book
        self._channels = channels
        self._now = now
        self._more = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._paces: dict[str, _Pace] = {name: _Pace(c.can.per_second) for name, c in channels.items()}
        self._chat_paces: dict[tuple[str, str], _Pace] = {}
        together = any(channel.can.together > 1 for channel in channels.values())
        self._most = TOGETHER if together else ROUND
        self._rows: dict[str, deque[tuple[Letter, float]]] = {name: deque() for name in channels}
        """Letters that are claimed and not yet on their way, and until when they may set out."""
        self._carriers: dict[str, set[asyncio.Task[None]]] = {name: set() for name in channels}

    def nudge(self) -> None:
        """Say, from any thread, that there may be something to send."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._more.set)

    async def run(self) -> None:
        """Send until told to stop."""
        self._loop = asyncio.get_running_loop()
        try:
            while not self._stopping:
                if not await self._round_or_rest() and not self._stopping:
                    await self._rest()
            await self._all_home()
        finally:
            for carrier in self._on_their_way():
                carrier.cancel()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._more.wait(), EVERY)
        self._more.clear()

    def stop(self) -> None:
        """Let `run` end: what is on its way is acknowledged, what is not is given back."""
        self._stopping = True
        self.nudge()

    async def drain(self) -> int:
        """Send everything that is due now and return how many letters went out (tests and shutdown)."""
        total, going_on = 0, True
        while going_on:
            under_way = bool(self._on_their_way())  # its recipient's next letter could not be claimed yet
            sent = await self.round()
            await self._all_home()
            total, going_on = total + sent, bool(sent) or under_way
        return total

    async def _round_or_rest(self) -> int:
        try:
            return await self.round()
        except Exception:
            log.exception("a round of mail failed")
            return 0

    async def round(self) -> int:
        """Claim some letters and send them; returns how many were claimed.

        What takes long is still on its way then: nobody else waits for a chat that is slow.
        """
        room = self._most - sum(len(row) for row in self._rows.values())
        letters = await self._lane.run(partial(self._claim, most=room), quiet=True) if room > 0 else []
        give_up = asyncio.get_running_loop().time() + ENOUGH
        for letter in letters:
            self._rows[letter.channel].append((letter, give_up))
        self._send_out()
        if carriers := self._on_their_way():
            await asyncio.wait(carriers, timeout=A_WHILE)
        return len(letters)

    def _send_out(self) -> None:
        """As many carriers for each channel as there are letters, and as it allows at once."""
        for name, row in self._rows.items():
            carriers = self._carriers[name]
            for _ in range(min(len(row), self._channels[name].can.at_once - len(carriers))):
                carrier = asyncio.create_task(self._carry(row), name=f"carrier-{name}")
                carriers.add(carrier)
                carrier.add_done_callback(carriers.discard)

    def _on_their_way(self) -> list[asyncio.Task[None]]:
        return [carrier for carriers in self._carriers.values() for carrier in carriers]

    async def _all_home(self) -> None:
        while carriers := self._on_their_way():
            await asyncio.wait(carriers)

    async def _carry(self, letters: "deque[tuple[Letter, float]]") -> None:
        """Take one letter after the other: the next one goes when the last one's outcome is kept for good.

        So a process that is killed has at most as many letters on their way, which the next one sends again,
        as a channel has carriers.
        """
        while letters:
            letter, give_up = letters.popleft()
            try:
                if self._stopping or asyncio.get_running_loop().time() > give_up:
                    await self._lane.run(partial(give_back, letter=letter), quiet=True)
                else:
                    await self._deliver([letter, *self._alike(letter, letters)])
            except Exception:
                log.exception("a letter was not carried", extra={"mail": letter.mail_id})
        self._more.set()

    def _claim(self, session: Session, most: int) -> list[Letter]:
        return claim(session, self._book, self._channels, self._now(), most)

    def _alike(self, letter: Letter, letters: "deque[tuple[Letter, float]]") -> list[Letter]:
        """Letters of the row that say the same to others, where the channel takes them in one call."""
        channel = self._channels[letter.channel]
        if channel.can.together < 2 or not isinstance(channel, SendsTogether) or letter.message.group:
            return []
        same = [pair for pair in letters if _said_by(pair[0]) == _said_by(letter)]
        same = same[: channel.can.together - 1]
        for pair in same:
            letters.remove(pair)
        return [one for one, _ in same]

    async def _deliver(self, letters: list[Letter]) -> None:
        """Say one letter, or the same to many in one call; each outcome is kept by itself."""
        first = letters[0]
        channel = self._channels[first.channel]
        await self._paces[first.channel].turn()
        if len(letters) == 1:
            await self._chat_pace(channel, first).turn()
            await self._keep(first, await self._send(channel, first))
            return
        for letter, outcome in zip(letters, await self._send_together(channel, letters), strict=True):
            await self._keep(letter, outcome)

    async def _send_together(self, channel: Channel, letters: list[Letter]) -> Sequence[Outcome]:
        assert isinstance(channel, SendsTogether)
        began = asyncio.get_running_loop().time()
        try:
            outcomes = await channel.send_together([letter.message for letter in letters])
        except Exception as trouble:
            log.exception("a channel raised", extra={"channel": channel.name, "letters": len(letters)})
            outcomes = [Broken(type(trouble).__name__)] * len(letters)
        for outcome in outcomes:
            self._figures.sent(channel.name, outcome, asyncio.get_running_loop().time() - began)
        return outcomes

    async def _keep(self, letter: Letter, outcome: Outcome) -> None:
        """Write an outcome down, again and again while the disk is full: lost, it would be sent once more."""
        until = asyncio.get_running_loop().time() + ENOUGH
        while True:
            try:
                await self._lane.run(
                    partial(
                        acknowledge,
                        letter=letter,
                        outcome=outcome,
                        now=self._now(),
                        can=self._channels[letter.channel].can,
                    ),
                    quiet=True,
                )
                return
            except Exception:
                if asyncio.get_running_loop().time() > until:
                    raise
                log.exception("an outcome could not be kept", extra={"mail": letter.mail_id})
                await asyncio.sleep(EVERY)

    async def _send(self, channel: Channel, letter: Letter) -> Outcome:
        began = asyncio.get_running_loop().time()
        try:
            outcome = await channel.send(letter.message)
        except Exception as trouble:
            log.exception("a channel raised", extra={"channel": letter.channel, "mail": letter.mail_id})
            outcome = Broken(type(trouble).__name__)
        self._figures.sent(letter.channel, outcome, asyncio.get_running_loop().time() - began)
        return outcome

    def _chat_pace(self, channel: Channel, letter: Letter) -> "_Pace":
        key = (letter.channel, letter.message.chat)
        if len(self._chat_paces) > 10_000:
            self._chat_paces.clear()
        return self._chat_paces.setdefault(key, _Pace(channel.can.per_chat_second, burst=3))


def _said_by(letter: Letter) -> object:
    """What is the same in letters that may be sent in one call."""
    message = letter.message
    return (
        message.parts,
        tuple(label for label, _ in message.buttons),
        message.photos,
        message.files,
        message.group,
        letter.answer,
    )


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
