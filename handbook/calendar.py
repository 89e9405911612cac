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

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, Self, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

Unit = Literal["s", "m", "h", "d"]
Pause = tuple[datetime, datetime | None]  # from, to; without a to it still goes on
Stretch = tuple[datetime, datetime]  # half open, both in UTC

_SPAN = re.compile(r"(0|[1-9][0-9]*)([smhd])( wall)?")
_SHIFT = re.compile(r"([0-9]{2}):([0-5][0-9])-([0-9]{2}):([0-5][0-9])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 3660 * 86400  # ten years: a longer span is a slip of the pen
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """How long something may take, in the book's own words, so that a case can keep the promise of its start.

    Args:
        amount: how many units; nought only as ``0d``, the same day's close.
        unit: seconds, minutes, hours or days; days are working days unless `wall`.
        wall: counted by the clock on the wall, whatever the calendar.

    Raises:
        ValueError: nothing at all, or more than ten years.
    """

    amount: int
    unit: Unit
    wall: bool = False

    def __post_init__(self) -> None:
        least = 0 if self.by_days else 1
        if not least <= self.amount <= _LONGEST // _SECONDS[self.unit]:
            raise ValueError(f"a span is more than nothing and at most ten years, not {self}")

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}{' wall' if self.wall else ''}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the book's text, since people write "4h" and not a number of seconds.

        Raises:
            ValueError: text which is no span; the message shows how one is written.
        """
        found = _SPAN.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is no span: write 15m, 4h, 2d (working time) or 2h wall, 1d wall")
        return cls(int(found[1]), cast(Unit, found[2]), found[3] is not None)

    @property
    def by_days(self) -> bool:
        """Tell working days apart, because they have a close but no length of their own."""
        return self.unit == "d" and not self.wall

    @property
    def length(self) -> timedelta:
        """Give the working or clock time of the span.

        Raises:
            ValueError: for working days, whose length depends on the calendar.
        """
        if self.by_days:
            raise ValueError(f"{self} has no length: a working day is as long as its calendar says")
        return timedelta(seconds=self.amount * _SECONDS[self.unit])

    def share(self, percent: int) -> "Span":
        """Take a part of the span, for nudges on the way to it.

        Hours are cut to the whole second (at least one), working days to the whole day; `WorkCalendar.nudge`
        divides the worked hours of the days instead.

        Args:
            percent: 1 to 100.

        Raises:
            ValueError: any other percent.
        """
        _check_percent(percent)
        if self.by_days:
            return Span(self.amount * percent // 100, "d")
        seconds = max(1, self.amount * _SECONDS[self.unit] * percent // 100)
        unit: Unit = "h" if seconds % 3600 == 0 else "m" if seconds % 60 == 0 else "s"
        return Span(seconds // _SECONDS[unit], unit, self.wall)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            json_schema_input_schema=core_schema.str_schema(pattern=f"^{_SPAN.pattern}$"),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def _read(cls, value: object) -> Self:
        return value if isinstance(value, cls) else cls.parse(str(value))


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
            raise ValueError(f"makeup_as names {_WEEK[self.makeup_as]}, a day without shifts")
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
        _check_percent(percent)
        stops = _merged(pauses)
        whole = self.due(start, span, stops, extensions)
        if whole.at is None:
            return whole
        begun = self._begin(start)
        seconds = self._ran(begun, whole.at, stops, span.wall) // _SECOND * percent // 100
        reached = self._after(begun, max(1, seconds) * _SECOND, stops, span.wall)
        return Deadline(reached.at if reached else None, whole.certain)

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


def _check_percent(percent: int) -> None:
    if not 1 <= percent <= 100:
        raise ValueError(f"a share is 1 to 100 percent, not {percent}")


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


class HoursSpec(BaseModel):
    """One named set of working hours as the book writes it, so that a place changes its hours without code.

    `shifts` maps days ("mon-fri", "sat", "mon, wed") to stretches such as "08:30-12:00"; `makeup_as` names
    the day whose shifts a make-up day borrows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str = "Asia/Shanghai"
    shifts: dict[str, tuple[str, ...]] = {}
    makeup_as: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    round_the_clock: bool = False

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if self.round_the_clock and self.shifts:
            raise ValueError("round_the_clock needs no shifts")
        WorkCalendar(self.zone, self.weekly(), round_the_clock=self.round_the_clock)
        return self

    def weekly(self) -> tuple[tuple[Shift, ...], ...]:
        """Spell the shifts out for Monday to Sunday.

        Raises:
            ValueError: unknown days, a day named twice, or a shift not written as 08:30-12:00.
        """
        week: dict[int, tuple[Shift, ...]] = {}
        for days, texts in self.shifts.items():
            for day in _weekdays(days):
                if day in week:
                    raise ValueError(f"{_WEEK[day]} has two sets of shifts")
                week[day] = tuple(sorted(_shift(text) for text in texts))
        return tuple(week.get(day, ()) for day in range(7))


def _weekdays(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first not in _WEEK or (last or first) not in _WEEK[_WEEK.index(first) :]:
            raise ValueError(f"{text!r} names no days: write mon-fri, sat or mon, wed")
        yield from range(_WEEK.index(first), _WEEK.index(last or first) + 1)


def _shift(text: str) -> Shift:
    found = _SHIFT.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no shift: write 08:30-12:00")
    hours, minutes, till_hours, till_minutes = map(int, found.groups())
    return Shift(hours * 60 + minutes, till_hours * 60 + till_minutes)


def _dates(entries: object) -> frozenset[date]:
    if isinstance(entries, str) or not isinstance(entries, Iterable):
        raise ValueError("dates are written as a list")
    return frozenset(day for entry in entries for day in _days_of(str(entry)))


def _days_of(entry: str) -> Iterator[date]:
    first, _, last = entry.partition("..")
    since, till = date.fromisoformat(first), date.fromisoformat(last or first)
    if not 0 <= (till - since).days <= 31:
        raise ValueError(f"{entry!r} is no run of days: write first..last, a month at most")
    return (since + _DAY * n for n in range((till - since).days + 1))


Dates = Annotated[frozenset[date], BeforeValidator(_dates)]


class HolidayYear(BaseModel):
    """One year's notice: the days off, and the weekend days worked for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holidays: Dates
    makeup: Dates


class HolidaySpec(BaseModel):
    """The holiday table: the national years, and what a place adds, which wins over them.

    A region's own holiday (Guangxi's 三月三) goes into `local_holidays`, so no overlay repeats the years.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    known_until: date
    years: dict[int, HolidayYear]
    local_holidays: Dates = frozenset()
    local_makeup: Dates = frozenset()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for year, days in self.years.items():
            _check_year(year, days)
        if self.local_holidays & self.local_makeup:
            raise ValueError("a local day is either free or worked")
        if not self.years or self.known_until.year != max(self.years):
            raise ValueError("known_until lies in the last of the holiday years")
        if len(self.years) != max(self.years) - min(self.years) + 1:
            raise ValueError("the holiday years leave a gap")
        return self

    @property
    def known_from(self) -> date:
        """Give the first date of the table: a case from before it is as uncertain as one from after it."""
        return date(min(self.years), 1, 1)

    def free(self) -> frozenset[date]:
        """Give all dates without work."""
        national = frozenset(day for year in self.years.values() for day in year.holidays)
        return (national - self.local_makeup) | self.local_holidays

    def worked(self) -> frozenset[date]:
        """Give all make-up days (调休)."""
        national = frozenset(day for year in self.years.values() for day in year.makeup)
        return (national - self.local_holidays) | self.local_makeup


def _check_year(year: int, days: HolidayYear) -> None:
    if days.holidays & days.makeup:
        raise ValueError(f"{year}: a day is either free or worked")
    stray = sorted(day for day in days.holidays | days.makeup if day.year != year)
    if stray:
        raise ValueError(f"{stray[0]} stands under the year {year}")


def open_calendars(hours: Mapping[str, HoursSpec], holidays: HolidaySpec) -> dict[str, WorkCalendar]:
    """Build the book's calendars once, so that every due time of a place is counted by the same ones.

    Args:
        hours: the working hours by name.
        holidays: the table they share.

    Raises:
        ValueError: make-up days are to be worked like a day without shifts.
    """
    return {name: _open(spec, holidays) for name, spec in hours.items()}


def _open(hours: HoursSpec, holidays: HolidaySpec) -> WorkCalendar:
    return WorkCalendar(
        zone=hours.zone,
        weekly=hours.weekly(),
        holidays=holidays.free(),
        makeup=holidays.worked(),
        makeup_as=_WEEK.index(hours.makeup_as),
        known_from=holidays.known_from,
        known_until=holidays.known_until,
        round_the_clock=hours.round_the_clock,
    )
