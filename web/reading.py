"""Looks into the database for a page, off the event loop and without ever waiting for the writer."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from handlers.actor import CLOCK, Actor
from handlers.work import Desk, Reading

T = TypeVar("T")
LOOKS = 8
"""Looks at once: as many as the database keeps reading connections for; more would only queue there."""


class Looks:
    """Runs reading works in threads, a few at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._limiter = CapacityLimiter(LOOKS)

    async def __call__(self, job: Callable[[Reading], T]) -> T:
        """Give what a job reads; it starts as nobody and becomes whoever it finds asking (`as_actor`)."""
        return await anyio.to_thread.run_sync(partial(self._look, job), limiter=self._limiter)

    def _look(self, job: Callable[[Reading], T]) -> T:
        with self._desk.reading(CLOCK) as reading:
            return job(reading)


def as_actor(reading: Reading, actor: Actor) -> Reading:
    """The same reading work with the rights of a person."""
    return replace(reading, actor=actor)
