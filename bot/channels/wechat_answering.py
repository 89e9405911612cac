"""Open answers: what is said to somebody while WeChat still waits, in the answer to their own message.

It costs nothing of the five messages of the window, and it is all that an account without 认证 can say.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from bot.channels.edge import Recent

PATIENCE: Final = 4.0
"""Seconds: WeChat cuts the line after five (channels.md 2.6)."""
GRACE: Final = 0.15
"""Seconds that the first letter waits for others which were claimed with it."""
REPEATED: Final = 20.0
"""Seconds within which a delivery that comes again is told the same: it was cut, and nobody has read that."""
LOST: Final = 3.0
"""Seconds."""
LONGEST: Final = 2048
"""Bytes of UTF-8."""


@dataclass
class _Offer:
    """One letter, and how many of its parts went into an answer."""

    parts: Sequence[str]
    told: "asyncio.Future[int]"


@dataclass
class _Question:
    """One message of a person, and the deliveries that wait for what is said to it; the newest is alive."""

    lines: "list[asyncio.Future[bool]]" = field(default_factory=list)
    offers: list[_Offer] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """Words for one answer."""

    words: str
    sent: Callable[[], None] | None
    """Called when they are written; None where that was counted before."""


class Answering:
    """The answers that are open in this process.

    Args:
        timer: seconds that only grow, the same by which requests are stamped.
        patience: seconds from a delivery's arrival until it is answered at the latest.
        grace: seconds that the first letter waits for others.
        lost: seconds after which an answer that was never written counts as not told.
    """

    def __init__(
        self,
        timer: Callable[[], float] = monotonic,
        patience: float = PATIENCE,
        grace: float = GRACE,
        lost: float = LOST,
    ) -> None:
        self._timer = timer
        self._lost = lost
        self._patience = patience
        self._grace = grace
        self._open: dict[str, dict[str, _Question]] = {}
        """By account and message, oldest first."""
        self._told: Recent[tuple[str, str], tuple[str, float]] = Recent(2000)

    async def wait(self, handle: str, message: str, arrived: float) -> Told | None:
        """What is said to somebody in time; None where nothing is, or a later delivery of it gets the words.

        Args:
            handle: who wrote.
            message: what WeChat calls what they wrote.
            arrived: when this delivery came.
        """
        again = self._again(handle, message)
        if again is not None:
            return again
        left = arrived + self._patience - self._timer()
        if left <= 0:  # keeping the message took too long: whoever asked may have hung up
            return None
        question = self._open.setdefault(handle, {}).setdefault(message, _Question())
        line = _join(question)
        try:
            await asyncio.wait([line], timeout=left)
            if not line.done() or not line.result():
                return None
            await asyncio.sleep(self._grace)
            return self._close(handle, message, question) if question.lines[-1] is line else None
        finally:
            self._part(handle, message, question, line)

    async def offer(self, handle: str, parts: Sequence[str]) -> int:
        """Put a letter into the answer that is open to its reader.

        Returns how many of its parts were told, once they are: none where no answer is open.
        """
        questions = self._open.get(handle)
        if not questions:
            return 0
        question = next(iter(questions.values()))
        offer = _Offer(parts, asyncio.get_running_loop().create_future())
        question.offers.append(offer)
        _call(question.lines[-1], to_answer=True)
        return await offer.told

    def _again(self, handle: str, message: str) -> Told | None:
        words, at = self._told.get((handle, message), ("", 0.0))
        return Told(words, None) if words and self._timer() < at + REPEATED else None

    def _close(self, handle: str, message: str, question: _Question) -> Told | None:
        """Take what fits, and let nothing more in."""
        offers, question.offers = question.offers, []
        self._forget(handle, message, question)
        words, counts = merged([offer.parts for offer in offers])

        def settle(*, told: bool) -> None:
            for offer, count in zip(offers, counts, strict=True):
                if not offer.told.done():
                    offer.told.set_result(count if told else 0)

        if not words:
            settle(told=False)
            return None
        self._told[handle, message] = words, self._timer()
        lost = asyncio.get_running_loop().call_later(self._lost, lambda: settle(told=False))

        def sent() -> None:
            lost.cancel()
            settle(told=True)

        return Told(words, sent)

    def _part(self, handle: str, message: str, question: _Question, line: "asyncio.Future[bool]") -> None:
        """One delivery is answered; with the last one the question is closed."""
        question.lines.remove(line)
        if question.lines:
            return
        self._forget(handle, message, question)
        for offer in question.offers:
            if not offer.told.done():
                offer.told.set_result(0)

    def _forget(self, handle: str, message: str, question: _Question) -> None:
        questions = self._open.get(handle, {})
        if questions.get(message) is question:
            del questions[message]
        if not questions:
            self._open.pop(handle, None)


def _join(question: _Question) -> "asyncio.Future[bool]":
    """Let one more delivery wait: WeChat has hung up on those before it."""
    for older in question.lines:
        _call(older, to_answer=False)
    line: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    question.lines.append(line)
    if question.offers:
        _call(line, to_answer=True)
    return line


def _call(line: "asyncio.Future[bool]", *, to_answer: bool) -> None:
    if not line.done():
        line.set_result(to_answer)


def merged(letters: Sequence[Sequence[str]]) -> tuple[str, list[int]]:
    """Words of several letters in one text that WeChat takes whole, and how many parts of each are in it.

    The order is kept: after the first part that does not fit nothing more goes in.
    """
    words, counts, full = "", [], False
    for parts in letters:
        count = 0
        for part in parts:
            longer = "\n\n".join(filter(None, (words, part.strip())))
            full = full or len(longer.encode("utf-8", "replace")) > LONGEST
            if full:
                break
            words, count = longer, count + 1
        counts.append(count)
    return words, counts
