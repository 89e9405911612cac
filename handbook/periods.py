"""From when to when somebody is away, as people say it: 3天, 到周五, 明天下午, 25号到27号."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from handbook.calendar import WorkCalendar
from handbook.spans import Span
from handbook.words import CHINESE_DIGITS, chinese_number

_DAY = timedelta(days=1)
_NOON = time(12)
_NUMBER = rf"(?:\d{{1,2}}|[{CHINESE_DIGITS}]{{1,3}})"
_DATE = (
    rf"(?:(?:大后天|今天|今日|明天|明日|后天)|(?:下下|下|这|本)?(?:周|星期|礼拜)[一二三四五六日天]"
    rf"|{_NUMBER}月{_NUMBER}[日号]?|{_NUMBER}号)(?:上午|下午)?"
)
_RANGE = re.compile(rf"从?\s*({_DATE})\s*(?:起|开始)?\s*(?:[到至~、和-]|(?=[周星礼]))\s*({_DATE})")
_UNTIL = re.compile(rf"[到至]\s*({_DATE})")
_FROM = re.compile(rf"从?\s*({_DATE})\s*(?:起|开始)?")
_SPAN = re.compile(
    rf"(\d{{1,3}}|半|[{CHINESE_DIGITS}]{{1,3}})\s*个?\s*(工作日|小时|钟头|天|日|周|星期|礼拜|月)"
)
_PAST = re.compile("昨天|前天|上上?个?(?:周|星期|礼拜|月)")
_NEAR = {"今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3}
_WEEKDAYS = {letter: place for place, letter in enumerate("一二三四五六日")} | {"天": 6}
_WEEKS = {"下下": 2, "下": 1, "这": 0, "本": 0}


@dataclass(frozen=True)
class Period:
    """A stretch of time, half open; both ends aware."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.since.isoformat()}/{self.until.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read what `str` wrote, so that an answer can be kept as text.

        Raises:
            ValueError: text which is no pair of aware moments.
        """
        since, _, until = text.partition("/")
        period = cls(datetime.fromisoformat(since), datetime.fromisoformat(until))
        if period.since.tzinfo is None or period.until.tzinfo is None:
            raise ValueError(f"moments without a zone: {text!r}")
        return period


class Spoken(NamedTuple):
    """A period that was understood, and the words around it."""

    period: Period
    rest: str


def spoken_period(text: str, now: datetime, calendar: WorkCalendar, zone: ZoneInfo) -> Spoken | None:
    """Read from when to when, since nobody asks for leave in two dates with hours.

    Days are working days, weeks and months those of the calendar. What begins today begins now; days said
    after the day's work count from the next working day.

    Args:
        text: `plain`; other words may stand around.
        now: aware.
        calendar: whose days are worked.
        zone: of the place.

    Returns:
        the period with the words that were not used, or None when there is none or it is over already.
    """
    if _PAST.search(text):
        return None
    for read in (_range, _until, _from_span, _from) if _FROM.search(text) else (_span,):
        found = read(_Reader(now.astimezone(zone), calendar, zone), text)
        if found is not None:
            return found if found.period.until > max(now, found.period.since) else None
    return None


@dataclass(frozen=True)
class _Reader:
    """What day it is, and which days are worked."""

    now: datetime
    calendar: WorkCalendar
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.date()

    def at(self, day: date, hour: time = time(0)) -> datetime:
        return datetime.combine(day, hour, self.zone)

    def begins(self, words: str) -> datetime | None:
        """The first moment of a day or half day; now for today."""
        day = self.day(words)
        if day is None:
            return None
        begin = self.at(day, _NOON if words.endswith("下午") else time(0))
        return max(begin, self.now) if day == self.today else begin

    def ends(self, words: str, after: date | None = None) -> datetime | None:
        """The first moment after a day or half day."""
        day = self.day(words, after)
        if day is None:
            return None
        return self.at(day, _NOON) if words.endswith("上午") else self.at(day + _DAY)

    def day(self, words: str, after: date | None = None) -> date | None:
        """The day that is meant: the next of its name from today, or from another day, on."""
        name, start = re.sub("[上下]午$", "", words), after or self.today
        if name in _NEAR:
            return self.today + _NEAR[name] * _DAY
        if week := re.match("(下下|下|这|本)?(?:周|星期|礼拜)(.)", name):
            return self._weekday(week[1], _WEEKDAYS[week[2]], start)
        numbers = [chinese_number(number) for number in re.findall(_NUMBER, name)]
        return next(_dates(numbers, start), None)

    def _weekday(self, week: str | None, weekday: int, start: date) -> date:
        if week is None:
            return start + (weekday - start.weekday()) % 7 * _DAY
        monday = self.today - self.today.weekday() * _DAY
        return monday + (7 * _WEEKS[week] + weekday) * _DAY

    def works(self, day: date) -> bool:
        return bool(self.calendar.shifts_on(day))

    def first(self) -> datetime:
        """Now, or the next working day's beginning where today's work is done."""
        shifts = self.calendar.shifts_on(self.today)
        if shifts and shifts[-1][1] > self.now:
            return self.now
        return self.at(self._worked(self.today + _DAY, 1))

    def after(self, since: datetime, amount: str, unit: str) -> datetime | None:
        """When so much has gone by; a part of a day by its working hours."""
        if amount == "半" or unit in ("小时", "钟头"):
            return self._hours(since, amount, unit)
        number, day = chinese_number(amount), since.date()
        if not number:
            return None
        if unit in ("周", "星期", "礼拜"):
            return self.at(day + 7 * number * _DAY)
        if unit == "月":
            return self.at(_months_on(day, number))
        return self.at(self._worked(day, number) + _DAY) if number <= 366 else None

    def _hours(self, since: datetime, amount: str, unit: str) -> datetime | None:
        hours = 4 if amount == "半" and unit in ("天", "日") else chinese_number(amount)
        return self.calendar.due(since, Span(hours, "h")).at if hours else None

    def _worked(self, day: date, number: int) -> date:
        """The working day of that number from a day on."""
        for _ in range(3 * 366):
            number -= self.works(day)
            if number <= 0:
                return day
            day += _DAY
        return day


def _dates(numbers: list[int | None], start: date) -> Iterator[date]:
    """The days of a month and day, or of a day of the month, from a day on."""
    month, day = (numbers[0], numbers[1]) if len(numbers) > 1 else (None, numbers[0])
    first = start.replace(day=1)
    for ahead in range(13):
        at = _months_on(first, ahead)
        try:
            found = at.replace(day=day or 0)
        except ValueError:
            continue
        if found >= start and month in (None, at.month):
            yield found


def _months_on(day: date, months: int) -> date:
    """The same day some months later, or the month's last."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(years, month + 1, 1)
    last = (first.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
    return min(first + (day.day - 1) * _DAY, last)


def _range(reader: _Reader, text: str) -> Spoken | None:
    found = _RANGE.search(text)
    since = reader.begins(found[1]) if found else None
    if found is None or since is None:
        return None
    return _spoken(since, reader.ends(found[2], since.date()), _without(text, found))


def _until(reader: _Reader, text: str) -> Spoken | None:
    found = _UNTIL.search(text)
    return _spoken(reader.now, reader.ends(found[1]), _without(text, found)) if found else None


def _from_span(reader: _Reader, text: str) -> Spoken | None:
    start = _FROM.search(text)
    if start is None:
        return None
    length = _SPAN.search(_without(text, start))
    since = reader.begins(start[1])
    if length is None or since is None:
        return None
    return _spoken(since, reader.after(since, *length.groups()), _without(_without(text, start), length))


def _from(reader: _Reader, text: str) -> Spoken | None:
    found = _FROM.search(text)
    since = reader.begins(found[1]) if found else None
    if found is None or since is None:
        return None
    return _spoken(since, reader.ends(found[1]), _without(text, found))


def _span(reader: _Reader, text: str) -> Spoken | None:
    found = _SPAN.search(text)
    if found is None:
        return None
    partly = found[1] == "半" or found[2] in ("小时", "钟头")
    since = reader.now if partly else reader.first()
    return _spoken(since, reader.after(since, *found.groups()), _without(text, found))


def _spoken(since: datetime, until: datetime | None, rest: str) -> Spoken | None:
    return Spoken(Period(since, until), rest) if until is not None else None


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}".strip()
