"""Says a trouble that lasts once in a while: a full disk must not be filled with what is said of it."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any


class Seldom:
    """Logs a trouble at once, and what follows within a while as a number in the next line.

    Args:
        log: where to.
        every: seconds between two lines of the same words.
        now: seconds that only go forward.
    """

    def __init__(self, log: logging.Logger, every: float, now: Callable[[], float] = monotonic) -> None:
        self._log = log
        self._every = every
        self._now = now
        self._met: dict[str, int] = {}
        self._next: dict[str, float] = {}

    def error(self, words: str, trouble: BaseException, **facts: object) -> None:
        """Log a trouble with its trace; `facts` are the latest one's, `times` counts since the last."""
        self._say(logging.ERROR, words, {"exc_info": trouble}, facts)

    def warning(self, words: str, **facts: object) -> None:
        """The same for what may mend itself."""
        self._say(logging.WARNING, words, {}, facts)

    def _say(self, level: int, words: str, trace: dict[str, Any], facts: dict[str, object]) -> None:
        met = self._met.get(words, 0) + 1
        late = self._now() >= self._next.get(words, 0.0)
        self._met[words] = 0 if late else met
        if late:
            self._next[words] = self._now() + self._every
            self._log.log(level, words, extra={**facts, "times": met}, **trace)
