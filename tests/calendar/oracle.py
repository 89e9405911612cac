"""A second opinion on deadlines: a slow walk along the clock, sharing no code and no idea with the product.

It writes down for every minute of some months whether a town works, by comparing texts such as "08:30", and
then counts minutes one by one (seconds where a minute is not whole). Moments are whole seconds since 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from math import inf
from zoneinfo import ZoneInfo

Pauses = Sequence[tuple[int, int | None]]
Minute = tuple[
    str, int, str
]  # the local date, its weekday (Monday is 0) and the clock: "2026-10-01", 3, "08:30"

CLOCKS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Rules:
    """When a town works, in the plainest words: the shifts by weekday, ISO dates free and worked."""

    zone: str
    week: Mapping[int, Sequence[str]]  # 0 is Monday: ["08:30-12:00", "14:00-17:30"]
    free: frozenset[str] = frozenset()
    worked: frozenset[str] = frozenset()
    worked_like: int = 0
    known: tuple[str, str] = ("2023-01-01", "2026-12-31")
    always: bool = False

    def works(self, minute: Minute) -> bool:
        day, weekday, clock = minute
        if self.always:
            return True
        if day in self.worked:
            weekday = self.worked_like
        elif day in self.free:
            return False
        return clock in self._worked_clocks.get(weekday, ())

    @cached_property
    def _worked_clocks(self) -> dict[int, set[str]]:
        return {
            weekday: {clock for clock in CLOCKS for shift in shifts if shift[:5] <= clock < shift[6:]}
            for weekday, shifts in self.week.items()
        }


@cache
def minutes_of(zone: str, first: int, last: int) -> list[Minute]:
    """Read the clock on the wall at each hour, and write down the sixty minutes which follow."""
    minutes: list[Minute] = []
    for second in range(first, last, 3600):
        now = datetime.fromtimestamp(second, ZoneInfo(zone))
        assert now.minute == 0
        day, weekday = now.date().isoformat(), now.weekday()
        minutes += [(day, weekday, clock) for clock in CLOCKS[now.hour * 60 : now.hour * 60 + 60]]
    return minutes


class Walk:
    """The minutes of a town from one moment to another, and the walks along them."""

    def __init__(self, rules: Rules, first: int, last: int) -> None:
        minutes = minutes_of(rules.zone, first, last)
        self.rules = rules
        self.first = first
        self.days = [day for day, _, _ in minutes]
        self.working = bytes(map(rules.works, minutes))
        self.closing = self._closing_minutes()

    def _closing_minutes(self) -> bytes:
        """Mark the last working minute of each local day, found by walking backwards."""
        marks = bytearray(len(self.days))
        seen = ""
        for n in reversed(range(len(self.days))):
            if self.working[n] and self.days[n] != seen:
                marks[n] = 1
                seen = self.days[n]
        return bytes(marks)

    def day(self, second: int) -> str:
        return self.days[(second - self.first) // 60]

    def works(self, second: int) -> bool:
        return bool(self.working[(second - self.first) // 60])

    def due(self, start: int, spans: Sequence[str], pauses: Pauses) -> tuple[int | None, bool]:
        """Walk span after span; tell where that ends, and whether the table knew all days walked."""
        at, day, certain = start, self.day(start), True
        for span in spans:
            end = self._close(at, day, span, pauses) if span.endswith("d") else self._run(at, span, pauses)
            if end is None:
                return None, True
            wall = span.endswith("wall")
            till = self.day(end) if wall else self.day(end - 1)
            certain = certain and (wall or (self._known(day) and self._known(till)))
            at, day = end, till
        return at, certain

    def elapsed(self, start: int, end: int, pauses: Pauses) -> int:
        """Count the working seconds from one moment to another."""
        running, ragged = self._running(False, pauses), self._ragged(pauses)
        at, total = start, 0
        while at < end:
            n = (at - self.first) // 60
            whole = at % 60 == 0 and end - at >= 60 and n not in ragged
            if running[n] and (whole or not paused(at, pauses)):
                total += 60 if whole else 1
            at += 60 if whole else 1
        return total

    def _known(self, day: str) -> bool:
        return self.rules.always or self.rules.known[0] <= day <= self.rules.known[1]

    def _run(self, at: int, span: str, pauses: Pauses) -> int | None:
        """Let the clock run until the span is used up."""
        left = int(span.rstrip("smhd wal")) * SECONDS[span.removesuffix(" wall")[-1]]
        running, ragged = self._running(span.endswith("wall"), pauses), self._ragged(pauses)
        forever = endless(pauses)
        while left:
            if at >= forever:
                return None
            n = (at - self.first) // 60
            if at % 60 or left < 60 or n in ragged:
                left -= running[n] and not paused(at, pauses)
                at += 1
            else:
                left -= 60 * running[n]
                at += 60
        return at

    def _running(self, wall: bool, pauses: Pauses) -> bytearray:
        """Copy the minutes, and blot out those which lie within a pause from end to end."""
        running = bytearray(b"\1" * len(self.days) if wall else self.working)
        for since, till in pauses:
            lo = max(-((self.first - since) // 60), 0)
            hi = len(running) if till is None else (till - self.first) // 60
            running[lo:hi] = bytes(len(running[lo:hi]))
        return running

    def _ragged(self, pauses: Pauses) -> set[int]:
        """Name the minutes within which a pause begins or ends."""
        edges = (edge for pause in pauses for edge in pause if edge is not None)
        return {(edge - self.first) // 60 for edge in edges if edge % 60}

    def _close(self, at: int, day: str, span: str, pauses: Pauses) -> int | None:
        """Look at minute after minute for the closes which count."""
        days = int(span[:-1])
        left = max(days, 1)
        forever = endless(pauses)
        minute = (at - self.first) // 60 - 1440  # a close at 24:00 has the next day's stamp
        while True:
            minute += 1
            close = self.first + (minute + 1) * 60
            if at < close > forever:
                return None
            if self.closing[minute] and close > at and not paused(close - 1, pauses):
                left -= self.days[minute] > day or days == 0
                if left == 0:
                    return close


def paused(second: int, pauses: Pauses) -> bool:
    return any(since <= second and (till is None or second < till) for since, till in pauses)


def endless(pauses: Pauses) -> float:
    """Tell from when on the clock stands still for good."""
    return min((since for since, till in pauses if till is None), default=inf)
