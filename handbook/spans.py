"""How long something may take, as the book writes it: 15m, 4h, 2d, 2h wall."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Self, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from handbook.words import CHINESE_DIGITS, chinese_number

Unit = Literal["s", "m", "h", "d"]

_SPAN = re.compile(r"(0|[1-9][0-9]*)([smhd])( wall)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 3660 * 86400  # ten years: a longer span is a slip of the pen


_SPOKEN_UNITS: Mapping[str, tuple[int, Unit]] = {
    "工作日": (1, "d"),
    "工作时": (1, "h"),
    "工作小时": (1, "h"),
    "小时": (1, "h"),
    "钟头": (1, "h"),
    "分钟": (1, "m"),
    "天": (1, "d"),
    "日": (1, "d"),
    "周": (7, "d"),
    "星期": (7, "d"),
    "礼拜": (7, "d"),
}
_HALVES: Mapping[str, tuple[int, Unit]] = {"d": (4, "h"), "h": (30, "m")}
"""Half a day is a morning or an afternoon of work."""
SPOKEN_SPAN = re.compile(rf"(\d+|半|[{CHINESE_DIGITS}]+)\s*个?\s*({'|'.join(_SPOKEN_UNITS)})")
"""How long something takes, as it stands in a sentence: 3天, 十五天, 半个小时, 2个工作日."""


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
        check_percent(percent)
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


def check_percent(percent: int) -> None:
    """Refuse a share that is none."""
    if not 1 <= percent <= 100:
        raise ValueError(f"a share is 1 to 100 percent, not {percent}")


def spoken_span(text: str) -> Span:
    """Read how long something may take as people say it: 十五天, 半天, 两周, 30分钟, 2个工作日, or 4h.

    Raises:
        ValueError: no span, or none that is longer than nothing.
    """
    words = text.strip()
    found = SPOKEN_SPAN.fullmatch(words)
    span = _spoken(found[1], found[2]) if found else Span.parse(words)
    if not span.amount:
        raise ValueError(f"{text!r} is no time at all")
    return span


def _spoken(amount: str, words: str) -> Span:
    times, unit = _SPOKEN_UNITS[words]
    if amount == "半":
        if times > 1 or unit not in _HALVES:
            raise ValueError(f"half of {words} is no span")
        return Span(*_HALVES[unit])
    number = chinese_number(amount)
    if number is None:
        raise ValueError(f"{amount!r} is no number")
    return Span(number * times, unit)
