"""A second opinion on the clocks of a case: one question at a time, asked of the whole log.

It shares no code with the product's clocks and remembers nothing. For each clock it looks for the event that
set it going, then for whatever has stopped it since. Days are counted either by the calendar, which ten
thousand walks have proven, or by such a walk itself, minute after minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from handbook.calendar import WorkCalendar
from handbook.spans import Span
from tests.calendar.oracle import Pauses, Walk, paused

Event = tuple[int, str, Mapping[str, Any]]
"""Seconds since 1970, the move, its data."""

GIVEN = ("dispatch", "transfer", "climb", "arbitrate", "reopen")
ENDED = (
    "close_solved",
    "close_unsolved",
    "close_not_ours",
    "close_invalid",
    "self_handle",
    "merge",
    "withdraw",
)
HALF_AN_HOUR = 1800
DAY = 86400


@dataclass(frozen=True)
class Found:
    """A clock that runs: since when, and until when it has time (None: it rests)."""

    since: int
    due: int | None
    certain: bool = True
    nudges: tuple[tuple[int, int], ...] = ()


class Days(Protocol):
    """How the time of a place is counted, in seconds since 1970."""

    def due(self, start: int, spans: Sequence[str], pauses: Pauses) -> tuple[int | None, bool]:
        """When span after span has run, and whether the calendar knew all its days."""

    def ran(self, start: int, end: int, pauses: Pauses, *, wall: bool) -> int:
        """How many seconds the clock has run."""

    def works(self, second: int) -> bool:
        """Whether anybody is at work."""


class Proven:
    """Days as the product's calendar counts them."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self.calendar = calendar

    def due(self, start: int, spans: Sequence[str], pauses: Pauses) -> tuple[int | None, bool]:
        """Ask the calendar."""
        first, *more = map(Span.parse, spans)
        at, certain = self.calendar.due(moment(start), first, _moments(pauses), more)
        return None if at is None else round(at.timestamp()), certain

    def ran(self, start: int, end: int, pauses: Pauses, *, wall: bool) -> int:
        """Ask the calendar for working time; clock time is what is not paused."""
        if wall:
            rests = [(max(since, start), min(end if till is None else till, end)) for since, till in pauses]
            return end - start - sum(max(0, till - since) for since, till in rests)
        return round(self.calendar.elapsed(moment(start), moment(end), _moments(pauses)).total_seconds())

    def works(self, second: int) -> bool:
        """Ask the calendar."""
        return self.calendar.is_working(moment(second))


class Walked:
    """Days counted minute by minute."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def due(self, start: int, spans: Sequence[str], pauses: Pauses) -> tuple[int | None, bool]:
        """Walk."""
        return self.walk.due(start, spans, pauses)

    def ran(self, start: int, end: int, pauses: Pauses, *, wall: bool) -> int:
        """Walk, counting only where the clock runs."""
        if wall:
            return sum(not paused(second, pauses) for second in range(start, end))
        return self.walk.elapsed(start, end, pauses)

    def works(self, second: int) -> bool:
        """Look at the minute."""
        return self.walk.works(second)


class SlowClocks:
    """Answers about one log of one case."""

    def __init__(
        self, promise: Mapping[str, Any], log: Sequence[Event], state: str, days: Mapping[str, Days]
    ) -> None:
        self.promise, self.log, self.state, self.days = promise, log, state, days

    # ---- questions about the log -------------------------------------------------------------------------

    def last(self, *moves: str, before: int | None = None) -> int | None:
        """Where in the log one of these moves stands last."""
        end = len(self.log) if before is None else before
        return next((i for i in reversed(range(end)) if self.log[i][1] in moves), None)

    def since(self, start: int | None, *moves: str) -> bool:
        """Whether one of these moves has come after a place in the log."""
        return start is not None and any(event[1] in moves for event in self.log[start + 1 :])

    def rung(self, at: int) -> Mapping[str, Any]:
        """The rung of the ladder on which the case stood at a place in the log."""
        steps = [e[2]["step"] for e in self.log[: at + 1] if e[1] in GIVEN and "step" in e[2]]
        ladder: Sequence[Mapping[str, Any]] = self.promise["ladder"]
        return ladder[min(steps[-1] if steps else 0, len(ladder) - 1)]

    def calendar(self, at: int) -> str:
        """The working hours of whoever had the case at a place in the log."""
        given = self.last(*GIVEN, before=at + 1)
        return str(
            (self.log[given][2].get("calendar") if given is not None else None) or self.promise["calendar"]
        )

    def rests(self) -> list[tuple[int, int | None]]:
        """When the clocks stood: while the case was suspended, and while a result was checked in vain."""
        found: list[tuple[int, int | None]] = []
        for i, (at, move, _) in enumerate(self.log):
            later = [e for e in self.log[i + 1 :] if e[1] in ("resume", *ENDED)]
            if move == "suspend":
                found.append((at, later[0][0] if later else None))
            if move == "rework":
                finished = self.last("finish", before=i)
                assert finished is not None
                found.append((self.log[finished][0], at))
        return found

    # ---- the clocks ----------------------------------------------------------------------------------------

    def accept(self) -> Found | None:
        """Since the case was given to somebody, until they take it or it goes elsewhere."""
        start = self.last(*GIVEN)
        away = ("accept", "arrive", "finish", "return", "auto_return", "appeal_return", *ENDED)
        if start is None or self.since(start, *away):
            return None
        return self.timed(start, [self.rung(start)["accept"]])

    def began(self) -> int | None:
        """Where the time to get it done began anew: given for the first time, or taken to a new level."""
        anew = [
            i
            for i, (_, move, data) in enumerate(self.log)
            if move in ("climb", "arbitrate", "reopen") or (move == "transfer" and data.get("regraded"))
        ]
        first = next((i for i, event in enumerate(self.log) if event[1] in GIVEN), None)
        return anew[-1] if anew else first

    def resolve(self) -> Found | None:
        """Since then, with what was granted since, until it is finished for good."""
        start = self.began()
        finished = self.last("finish")
        done = finished is not None and start is not None and finished > start
        if (
            start is None
            or self.since(start, *ENDED)
            or (done and not self.since(finished, "rework", "retract"))
        ):
            return None
        granted = [event[2]["span"] for event in self.log[start + 1 :] if event[1] == "extend"]
        return self.timed(start, [self.rung(start)["resolve"], *granted], nudged=True)

    def arrive(self) -> Found | None:
        """Since the same moment, until somebody is there."""
        start = self.began()
        if start is None or self.promise["arrive"] is None or self.since(start, "arrive", "finish", *ENDED):
            return None
        return self.timed(start, [self.promise["arrive"]])

    def assign(self) -> Found | None:
        """Since it was given back, until it is given anew."""
        return self.between(("return", "auto_return"), ("accept", *GIVEN), "approval")

    def arbitrate(self) -> Found | None:
        """Since it was given back once too often, until it is settled whose it is."""
        return self.between(("appeal_return",), GIVEN, "arbitration")

    def verify(self) -> Found | None:
        """Since the result was reported, until it is checked."""
        return self.between(("finish",), ("verify", "rework", "retract", *GIVEN), "approval")

    def silence(self) -> Found | None:
        """Since the reporter was asked; this clock never rests."""
        return self.between(("ask_reporter",), ("retract", *GIVEN), "silence", rests=False)

    def between(
        self, starts: Sequence[str], ends: Sequence[str], span: str, *, rests: bool = True
    ) -> Found | None:
        """A clock that runs from one kind of event to another."""
        start = self.last(*starts)
        if start is None or self.since(start, *ends, *ENDED):
            return None
        return self.timed(start, [self.promise[span]], rests=rests)

    def timed(self, start: int, spans: list[str], *, nudged: bool = False, rests: bool = True) -> Found:
        """Walk along the calendar from an event, span after span."""
        days, at = self.days[self.calendar(start)], self.log[start][0]
        pauses = self.rests() if rests else []
        due, certain = days.due(at, spans, pauses)
        marks = self.marks(days, at, due, spans, pauses) if nudged and due is not None else ()
        return Found(at, due, certain, marks)

    def marks(
        self, days: Days, at: int, due: int, spans: list[str], pauses: list[tuple[int, int | None]]
    ) -> tuple[tuple[int, int], ...]:
        """When a share of the time has run: of working time, or of clock time for a wall span."""
        wall = spans[0].endswith("wall")
        whole = days.ran(at, due, pauses, wall=wall)
        suffix = "s wall" if wall else "s"
        found = []
        for percent in self.promise["nudges"]:
            share = max(1, whole * percent // 100)
            mark, _ = days.due(at, [f"{share}{suffix}"], pauses)
            assert mark is not None
            found.append((percent, mark))
        return tuple(found)

    # ---- what comes next -----------------------------------------------------------------------------------

    def next_due(self) -> int:
        """When somebody must look again."""
        if self.state == "paused":
            rest = self.last("suspend")
            assert rest is not None
            return seconds(self.log[rest][2]["until"])
        found = [moment for clock in self.open_clocks() for moment in self.moments(*clock)]
        return min(found) if found else self.reminder()

    def open_clocks(self) -> list[tuple[str, Found]]:
        """The clocks that matter where the case stands now."""
        matter = {
            "dispatched": ("accept", "arrive", "resolve"),
            "accepted": ("arrive", "resolve"),
            "on_site": ("resolve",),
            "returned": ("assign", "resolve"),
            "arbitration": ("arbitrate",),
            "handled": ("verify",),
            "verified": ("verify",),
            "waiting_reporter": ("silence",),
        }
        found = [(name, getattr(self, name)()) for name in matter.get(self.state, ())]
        return [(name, clock) for name, clock in found if clock is not None and clock.due is not None]

    def moments(self, name: str, clock: Found) -> list[int]:
        """The end of a clock and the nudges on the way to it, as far as nobody has been told of them."""
        assert clock.due is not None
        told = [event for event in self.log if event[2].get("clock") == name and event[0] >= clock.since]
        if any(event[1] == "warn" and event[0] >= clock.due for event in told):
            return []
        reached = max((event[2]["percent"] for event in told if event[1] == "nudge"), default=0)
        if clock.due - clock.since < HALF_AN_HOUR:
            return [clock.due]
        return [clock.due, *(at for percent, at in clock.nudges if percent > reached and at < clock.due)]

    def reminder(self) -> int:
        """Nothing is left to wait for: a day after the last word, later a week, when work begins."""
        warned = [event[0] for event in self.log if event[1] == "warn"]
        days, at = self.days[self.promise["calendar"]], warned[-1] + (DAY if len(warned) <= 5 else 7 * DAY)
        while not days.works(at):
            at += 60 - at % 60
        return at


def seconds(moment: str) -> int:
    """Seconds since 1970 of a moment as it stands in a log."""
    return round(datetime.fromisoformat(moment).timestamp())


def _moments(pauses: Pauses) -> list[tuple[datetime, datetime | None]]:
    return [(moment(since), None if till is None else moment(till)) for since, till in pauses]


def moment(second: int) -> datetime:
    """The moment of a number of seconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
