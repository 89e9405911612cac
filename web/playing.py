"""A played platform as the demo's page shows it: whose phone one holds, and what was said on it."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from bot.channels.far_end import FarEnd

PATIENCE: Final = 6.0
"""Seconds until an answer is no longer waited for: the page shows it at its next look."""
_EVERY: Final = 0.1


@dataclass(frozen=True)
class Line:
    """One bubble."""

    words: str
    who: str = ""
    """Who of the people said it; empty: our bot."""


@dataclass
class Stage:
    """One played platform.

    Args:
        far_end: the stand-in's people.
        loop: in which it lives; the page has a loop of its own.
        people: account on the platform -> name to be shown.
        groups: the platform's name of a group -> name to be shown.
        ready: see below.
    """

    far_end: FarEnd
    loop: asyncio.AbstractEventLoop
    people: Mapping[str, str]
    groups: Mapping[str, str] = field(default_factory=dict)
    ready: "Future[None] | None" = None
    """Done when the platform knows where the program is."""
    _said: dict[str, list[Line]] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def lines(self, person: str, group: str = "") -> Sequence[Line]:
        """What this person's client shows of the chat, oldest first."""
        chat = group or person
        lines = self._said.setdefault(chat, [])
        heard = self._heard(person, group)
        lines += [Line(words) for words in heard[self._seen.get(chat, 0) :]]
        self._seen[chat] = len(heard)
        return lines

    def _heard(self, person: str, group: str) -> Sequence[str]:
        return self.far_end.heard_in_group(group) if group else self.far_end.heard(person)

    async def say(self, person: str, words: str, group: str = "") -> None:
        """Write as this person, and wait a little for what is answered."""
        if self.ready is not None:
            await asyncio.wait_for(asyncio.wrap_future(self.ready), PATIENCE)
        lines = self.lines(person, group)
        before = len(self._heard(person, group))
        self._said[group or person] = [*lines, Line(words, self.people[person])]
        said = self.far_end.say_in_group(group, person, words) if group else self.far_end.say(person, words)
        await self._there(said)
        waited = 0.0
        while waited < PATIENCE and len(self._heard(person, group)) == before:
            await asyncio.sleep(_EVERY)
            waited += _EVERY

    async def _there(self, said: Awaitable[None]) -> None:
        async def go() -> None:
            await said

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go(), self.loop))
