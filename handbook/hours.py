"""Working hours and holidays as the book writes them, made into calendars."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from handbook.calendar import WEEK, Shift, WorkCalendar

_SHIFT = re.compile(r"([0-9]{2}):([0-5][0-9])-([0-9]{2}):([0-5][0-9])")
_DAY = timedelta(days=1)


class HoursSpec(BaseModel):
    """One named set of working hours as the book writes it, so that a place changes its hours without code.

    `shifts` maps days ("mon-fri", "sat", "mon, wed") to stretches such as "08:30-12:00"; `makeup_as` names
    the day whose shifts a make-up day borrows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = ()
    """How an office writes it in its lists; the first is the one we write."""
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
                    raise ValueError(f"{WEEK[day]} has two sets of shifts")
                week[day] = tuple(sorted(_shift(text) for text in texts))
        return tuple(week.get(day, ()) for day in range(7))


def _weekdays(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first not in WEEK or (last or first) not in WEEK[WEEK.index(first) :]:
            raise ValueError(f"{text!r} names no days: write mon-fri, sat or mon, wed")
        yield from range(WEEK.index(first), WEEK.index(last or first) + 1)


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
        makeup_as=WEEK.index(hours.makeup_as),
        known_from=holidays.known_from,
        known_until=holidays.known_until,
        round_the_clock=hours.round_the_clock,
    )
