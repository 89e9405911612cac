"""Exact time: how long something may take, and which moment that is by a place's working hours.

Everything here is a pure function of its arguments. Moments are aware and come back in UTC.

How the three kinds of span are counted:

- 工作时, ``15m`` and ``4h``: the first moment by which so much working time has run since the start.
- 工作日, ``2d``: the close of the second working day after the starting day. The starting day never counts,
  worked or not, early or late. ``0d`` is 当日: the close of the starting day, or of the next working day once
  that has passed. (The Civil Code counts so: article 201 leaves out the day of the start, article 203 ends a
  period with the close of business, on a day which is no holiday.)
- ``2h wall``, ``1d wall``: by the clock on the wall, day and night; ``1d wall`` is 24 hours.

A pause [from, to) takes its time out of all three. A working day is taken out when the clock stands still at
its close: a pause over noon gives no day away, and one which lasts into the next day takes exactly one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from handbook.spans import Span, check_percent

Pause = tuple[datetime, datetime | None]  # from, to; without a to it still goes on
Stretch = tuple[datetime, datetime]  # half open, both in UTC

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Deadline(NamedTuple):
    """When something is due, and whether the holiday table vouches for it.

    `at` is an aware UTC moment, or None while a pause without an end holds it off.
    `certain` is False when a date outside the table was needed, whose holidays nobody has announced: show it.
    """

    at: datetime | None
    certain: bool


class Shift(NamedTuple):
    """A stretch of work within one day, in minutes after local midnight; 1440 is the day's end."""

    opens: int
    closes: int


class _Reached(NamedTuple):
    at: datetime
    day: date  # the local day it belongs to: a close at 24:00 is still the old day's


_Run = tuple[date, datetime, datetime]  # the day of a stretch, and the stretch


@dataclass(frozen=True)
class WorkCalendar:
    """When a place works: weekly shifts in its own zone, less the holidays, plus the make-up days.

    A date outside the table is taken for a plain day of its week, and due times which need it are uncertain.
    A local time which a change of clocks skips or repeats is read by the clock before the change.

    Args:
        zone: IANA name, such as Asia/Shanghai.
        weekly: the shifts of Monday to Sunday, in order within a day.
        holidays: dates without work.
        makeup: dates (调休) worked like the weekday `makeup_as`, 0 for Monday.
        known_from, known_until: first and last date of the holiday table; without them no date is certain.
        round_the_clock: every day from 00:00 to 24:00; shifts and table are left aside.

    Raises:
        ValueError: an unknown zone, shifts which overlap or cross midnight, or a calendar which never opens.
    """

    zone: str
    weekly: tuple[tuple[Shift, ...], ...] = ((),) * 7
    holidays: frozenset[date] = frozenset()
    makeup: frozenset[date] = frozenset()
    makeup_as: int = 0
    known_from: date = date.min
    known_until: date = date.min
    round_the_clock: bool = False

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown zone {self.zone!r}") from error
        if self.round_the_clock:
            return
        if len(self.weekly) != 7 or not any(self.weekly):
            raise ValueError("a calendar needs seven days, and a shift on one of them")
        if self.makeup and not self.weekly[self.makeup_as]:
            raise ValueError(f"makeup_as names {WEEK[self.makeup_as]}, a day without shifts")
        for shifts in self.weekly:
            _check_shifts(shifts)

    def knows(self, day: date) -> bool:
        """Tell whether the holiday table covers a local date, so that doubt can be shown."""
        return self.round_the_clock or self.known_from <= day <= self.known_until

    def shifts_on(self, day: date) -> tuple[Stretch, ...]:
        """Give the stretches of work of a local date, in order, as UTC moments; none on a free day."""
        found = self._table.get(day)
        if found is None:
            found = self._table[day] = self._plan(day)
        return found

    def is_working(self, moment: datetime) -> bool:
        """Tell whether the place works at a moment; a shift's opening is within it, its close is not.

        Raises:
            ValueError: a naive moment (so in all methods).
        """
        at, day = self._begin(moment)
        return any(opens <= at < closes for opens, closes in self.shifts_on(day))

    def next_opening(self, moment: datetime) -> datetime:
        """Give the first working moment from `moment` on: itself within a shift, else the next opening."""
        return next(self._worked(self._begin(moment), ()))[1]

    def due(
        self,
        start: datetime,
        span: Span,
        pauses: Iterable[Pause] = (),
        extensions: Iterable[Span] = (),
    ) -> Deadline:
        """Find the moment by which something must be done, so that nobody argues about it afterwards.

        Args:
            start: when the clock began to run.
            span: how long it may take.
            pauses: when the clock stood still, in any order, overlapping or not.
            extensions: granted spans, each counted on from where the one before it ended.

        Returns:
            the deadline; `at` is None when a pause without an end began before it was reached.

        Raises:
            ValueError: a naive moment, or a pause which ends before it begins.
        """
        stops = _merged(pauses)
        reached = self._begin(start)
        certain = True
        for step in (span, *extensions):
            after = self._reach(reached, step, stops)
            if after is None:
                return Deadline(None, True)
            certain = certain and (step.wall or (self.knows(reached.day) and self.knows(after.day)))
            reached = after
        return Deadline(reached.at, certain)

    def nudge(
        self,
        start: datetime,
        span: Span,
        percent: int,
        pauses: Iterable[Pause] = (),
        extensions: Iterable[Span] = (),
    ) -> Deadline:
        """Find when `percent` (1 to 100) of the time until the deadline has run, to remind in good time.

        Time is working time, or clock time for a wall span, cut to the whole second; of working days, the
        worked hours are divided. The other arguments, the result and the errors are those of `due`.
        """
        return self.nudges(start, span, (percent,), pauses, extensions)[0]

    def nudges(
        self,
        start: datetime,
        span: Span,
        percents: Sequence[int],
        pauses: Iterable[Pause] = (),
        extensions: Iterable[Span] = (),
    ) -> tuple[Deadline, ...]:
        """Find several nudges of one clock at once, for the deadline and the way to it are the same."""
        for percent in percents:
            check_percent(percent)
        stops = _merged(pauses)
        whole = self.due(start, span, stops, extensions)
        if whole.at is None:
            return (whole,) * len(percents)
        begun = self._begin(start)
        ran = self._ran(begun, whole.at, stops, span.wall) // _SECOND
        reached = (
            self._after(begun, max(1, ran * percent // 100) * _SECOND, stops, span.wall)
            for percent in percents
        )
        return tuple(Deadline(there.at if there else None, whole.certain) for there in reached)

    def elapsed(self, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> timedelta:
        """Measure the working time of [start, end) less the pauses; nothing when the end comes first.

        Raises:
            ValueError: a naive moment, or a pause which ends before it begins.
        """
        return self._ran(self._begin(start), _utc(end), _merged(pauses), wall=False)

    @cached_property
    def _tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _table(self) -> dict[date, tuple[Stretch, ...]]:
        return {}  # each date is worked out once; the answer cannot change, as the calendar is frozen

    def _local_day(self, moment: datetime) -> date:
        return moment.astimezone(self._tz).date()

    def _begin(self, moment: datetime) -> _Reached:
        moment = _utc(moment)
        return _Reached(moment, self._local_day(moment))

    def _plan(self, day: date) -> tuple[Stretch, ...]:
        shifts = self._shifts(day)
        stretches = [(self._moment(day, opens), self._moment(day, closes)) for opens, closes in shifts]
        return tuple((since, till) for since, till in stretches if since < till)  # a skipped hour is no work

    def _shifts(self, day: date) -> tuple[Shift, ...]:
        if self.round_the_clock:
            return (Shift(0, 1440),)
        if day in self.makeup:
            return self.weekly[self.makeup_as]
        return () if day in self.holidays else self.weekly[day.weekday()]

    def _moment(self, day: date, minute: int) -> datetime:
        local = datetime(day.year, day.month, day.day, tzinfo=self._tz) + timedelta(minutes=minute)
        return local.astimezone(UTC)

    def _worked(self, start: _Reached, stops: Sequence[Stretch]) -> Iterator[_Run]:
        """Walk the stretches in which work and clock run; the walk ends only before an endless pause."""
        end = _stands_still_from(stops)
        at, day = start
        while True:
            for opens, closes in self.shifts_on(day):
                if opens >= end:
                    return
                if closes > at:
                    for since, till in _running(max(opens, at), closes, stops):
                        yield day, since, till
            day += _DAY

    def _clocked(self, start: _Reached, stops: Sequence[Stretch], wall: bool) -> Iterator[_Run]:
        if wall:
            return ((start.day, since, till) for since, till in _running(start.at, _NEVER, stops))
        return self._worked(start, stops)

    def _ran(self, start: _Reached, end: datetime, stops: Sequence[Stretch], wall: bool) -> timedelta:
        total = timedelta()
        for _, since, till in self._clocked(start, stops, wall):
            if since >= end:
                break
            total += min(till, end) - since
        return total

    def _reach(self, start: _Reached, span: Span, stops: Sequence[Stretch]) -> _Reached | None:
        if span.by_days:
            return self._close(start, span.amount, stops)
        return self._after(start, span.length, stops, span.wall)

    def _after(
        self, start: _Reached, left: timedelta, stops: Sequence[Stretch], wall: bool
    ) -> _Reached | None:
        """Find the first moment by which the clock has run for `left`."""
        for day, since, till in self._clocked(start, stops, wall):
            if till - since >= left:
                at = since + left
                return _Reached(at, self._local_day(at) if wall else day)
            left -= till - since
        return None

    def _close(self, start: _Reached, days: int, stops: Sequence[Stretch]) -> _Reached | None:
        """Find the close of the last of so many working days at whose close the clock runs."""
        end = _stands_still_from(stops)
        day = start.day + _DAY if days else start.day
        left = max(days, 1)
        while True:
            close = self.shifts_on(day)[-1][1] if self.shifts_on(day) else start.at
            if close > end:
                return None
            if close > start.at and not any(since < close <= till for since, till in stops):
                left -= 1
            if left == 0:
                return _Reached(close, day)
            day += _DAY


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"{moment} has no zone: moments are aware")
    return moment.astimezone(UTC)


def _check_shifts(shifts: tuple[Shift, ...]) -> None:
    for opens, closes in shifts:
        if not 0 <= opens < closes <= 1440:
            raise ValueError("a shift closes after it opens and may not cross midnight: write two of them")
    if any(later.opens < earlier.closes for earlier, later in pairwise(shifts)):
        raise ValueError("the shifts of a day stand in order and do not overlap")


def _merged(pauses: Iterable[Pause]) -> tuple[Stretch, ...]:
    """Put pauses in order as stretches which do not touch; an open one runs until never."""
    merged: list[Stretch] = []
    for since, till in sorted((_utc(since), _utc(till or _NEVER)) for since, till in pauses):
        if till < since:
            raise ValueError(f"a pause ends before it begins: {since} to {till}")
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], till))
        else:
            merged.append((since, till))
    return tuple(merged)


def _stands_still_from(stops: Sequence[Stretch]) -> datetime:
    return stops[-1][0] if stops and stops[-1][1] == _NEVER else _NEVER


def _running(since: datetime, till: datetime, stops: Sequence[Stretch]) -> Iterable[Stretch]:
    """Cut the pauses out of one stretch."""
    if not stops or till <= stops[0][0] or since >= stops[-1][1]:
        return ((since, till),)  # most stretches meet no pause
    return _cut(since, till, stops)


def _cut(since: datetime, till: datetime, stops: Sequence[Stretch]) -> Iterator[Stretch]:
    for stop, resume in stops:
        if since < stop < till:
            yield since, stop
        if stop < till:
            since = max(since, resume)
    if since < till:
        yield since, till
