"""Periods: from when to when somebody is away, as people say it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from handbook.periods import Period, spoken_period
from tests.handbook.books import book_of

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 1, tzinfo=UTC)
"""Nine o'clock there."""


def said(words: str, now: datetime = MONDAY) -> str | None:
    found = spoken_period(words, now, book_of("default").calendars["office"], ZONE)
    if found is None:
        return None
    ends = (moment.astimezone(ZONE) for moment in (found.period.since, found.period.until))
    return " ".join((*(f"{end:%m-%d %H:%M}" for end in ends), found.rest)).strip()


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("3天", "11-23 09:00 11-26 00:00"),
        ("三日", "11-23 09:00 11-26 00:00"),
        ("5个工作日", "11-23 09:00 11-28 00:00"),
        ("六天", "11-23 09:00 12-01 00:00"),
        ("一周", "11-23 09:00 11-30 00:00"),
        ("一个月", "11-23 09:00 12-23 00:00"),
        ("半天", "11-23 09:00 11-23 15:00"),
        ("4小时", "11-23 09:00 11-23 15:00"),
        ("今天", "11-23 09:00 11-24 00:00"),
        ("今天下午", "11-23 12:00 11-24 00:00"),
        ("明天上午", "11-24 00:00 11-24 12:00"),
        ("明天起3天", "11-24 00:00 11-27 00:00"),
        ("到周五", "11-23 09:00 11-28 00:00"),
        ("至下周三上午", "11-23 09:00 12-02 12:00"),
        ("周四周五", "11-26 00:00 11-28 00:00"),
        ("周五到周一", "11-27 00:00 12-01 00:00"),
        ("下周一起两周", "11-30 00:00 12-14 00:00"),
        ("11月25日", "11-25 00:00 11-26 00:00"),
        ("25号到27号", "11-25 00:00 11-28 00:00"),
        ("11月30日到12月2日", "11-30 00:00 12-03 00:00"),
        ("30号到2号", "11-30 00:00 12-03 00:00"),
        ("十一月二十五号", "11-25 00:00 11-26 00:00"),
        ("1月5号", "01-05 00:00 01-06 00:00"),
        ("3天 由小李代", "11-23 09:00 11-26 00:00 由小李代"),
        ("到周五 周丽代", "11-23 09:00 11-28 00:00 周丽代"),
    ],
)
def test_from_when_to_when(words: str, period: str) -> None:
    assert said(words) == period


@pytest.mark.parametrize("words", ["", "很久", "0天", "到2月30日", "13月5日", "三栋", "昨天", "上周五"])
def test_what_names_no_time_to_come_is_none(words: str) -> None:
    assert said(words) is None


def test_days_said_after_work_count_from_the_next_working_day() -> None:
    assert said("2天", datetime(2026, 11, 27, 10, tzinfo=UTC)) == "11-30 00:00 12-02 00:00"


def test_half_a_day_that_is_over_is_none() -> None:
    assert said("今天上午", datetime(2026, 11, 23, 6, tzinfo=UTC)) is None


def test_it_is_kept_as_text() -> None:
    found = spoken_period("3天", MONDAY, book_of("default").calendars["office"], ZONE)

    assert found is not None
    assert Period.parse(str(found.period)) == found.period
    for text in ("", "3天", "2026-01-01/2026-01-02", "2026-01-01T00:00"):
        with pytest.raises(ValueError, match=r"."):
            Period.parse(text)
