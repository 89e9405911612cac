"""The clock: the one place that reads the machine's time, and a twin whose hands can be moved on."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever tells the time. Everything that needs it is handed one."""

    def now(self) -> datetime:
        """Tell the time as aware UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the time as aware UTC."""
        return datetime.now(UTC)


class SettableClock:
    """A clock for trials and tests: it can be moved on, never back, and may go on by itself in between.

    Going back would let a case be closed before it was opened, so it is refused. Any thread may use it.

    Args:
        start: what it shows at first, aware.
        running: whether it goes on with real time from there, or stands until it is moved.

    Raises:
        ValueError: a naive moment.
    """

    def __init__(self, start: datetime, running: bool = True) -> None:
        if start.tzinfo is None:
            raise ValueError(f"a moment without a zone: {start!r}")
        self._lock = threading.Lock()
        self._running = running
        self._shown = start.astimezone(UTC)
        self._since = time.monotonic()

    def now(self) -> datetime:
        """Tell the time as aware UTC."""
        with self._lock:
            return self._read()

    def move(self, delta: timedelta) -> datetime:
        """Put the hands forward. Returns the new time; raises ValueError for a step back."""
        with self._lock:
            shown = self._read()
            return self._put(shown + delta, shown)

    def set(self, at: datetime) -> datetime:
        """Put the hands to an aware moment. Returns it as UTC; raises ValueError when it has passed."""
        with self._lock:
            return self._put(at.astimezone(UTC), self._read())

    def reach(self, at: datetime) -> datetime:
        """Put the hands to an aware moment unless it has passed already. Returns the time as UTC."""
        with self._lock:
            shown = self._read()
            return self._put(max(at.astimezone(UTC), shown), shown)

    def _read(self) -> datetime:
        if not self._running:
            return self._shown
        return self._shown + timedelta(seconds=time.monotonic() - self._since)

    def _put(self, at: datetime, shown: datetime) -> datetime:
        if at < shown:
            raise ValueError(f"the clock shows {shown} and does not go back to {at}")
        self._shown, self._since = at, time.monotonic()
        return at
