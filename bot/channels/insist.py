"""Trying until it works, for what must listen for years: resting longer after each failure."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

Rest = Callable[[float], Awaitable[None]]
"""Waits so many seconds; a test's does not."""

FIRST_REST = 1.0
LONGEST_REST = 60.0


async def insist(
    attempt: Callable[[], Awaitable[None]],
    rest: Rest = asyncio.sleep,
    tell: Callable[[Exception], str] = repr,
    asked: Callable[[Exception], float] = lambda _: 0.0,
) -> None:
    """Try again until the attempt goes well.

    Args:
        attempt: what must succeed; any exception means that it did not.
        rest: waits between two attempts, from 1 second doubling up to 60.
        tell: words of a failure for the log, without secrets.
        asked: seconds the other side asked to wait, which are kept to when they are more.
    """
    pause = FIRST_REST
    while True:
        try:
            return await attempt()
        except Exception as error:  # noqa: BLE001 - whatever it was, listening must go on
            log.warning("trying again in %.0f s: %s", max(pause, asked(error)), tell(error))
            await rest(max(pause, asked(error)))
            pause = min(pause * 2, LONGEST_REST)
