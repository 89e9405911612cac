"""Which slot is the last one up to a moment: checked against a look at every minute."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook import Book, open_book
from handbook.schema import JobTime
from handlers.schedule import latest_due, periods_ago, slot_at
from scheduler.jobs import JOBS, Job, check_schedule, latest_slot
from tests.scheduler.ticking import JOB_OF

BOOK = open_book("default")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31, 23), timezones=st.just(UTC))  # noqa: DTZ001
MINUTES = st.sampled_from([1, 2, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 720, 1440])
TIMES_OF_DAY = st.times().map(lambda at: at.strftime("%H:%M"))
DAILY = st.builds(JobTime, daily_at=TIMES_OF_DAY, working_days_only=st.booleans())
OFTEN = st.builds(JobTime, every_minutes=MINUTES)


def is_due(job: JobTime, minute: datetime) -> bool:
    """Whether a job is to run at a full minute; written apart from the code that looks backwards."""
    local = minute.astimezone(BOOK.zone)
    if job.every_minutes is not None:
        whole = local.minute if job.every_minutes <= 60 else local.hour * 60 + local.minute
        return whole % job.every_minutes == 0
    if job.working_days_only and not works(local.date()):
        return False
    return local.strftime("%H:%M") == job.daily_at


def works(day: date) -> bool:
    """Whether the office works at all on a date, from the sheets themselves."""
    table = BOOK.holidays.years[day.year]
    return day in table.makeup or (day.weekday() < 5 and day not in table.holidays)


def last_by_looking(job: JobTime, now: datetime) -> datetime | None:
    minute = now.replace(second=0, microsecond=0)
    oldest = now - timedelta(days=12)
    while minute >= oldest:
        if is_due(job, minute):
            return minute
        minute -= timedelta(minutes=1)
    return None


@given(job=DAILY | OFTEN, now=MOMENTS)
def test_the_latest_due_moment_is_the_one_found_by_looking_at_every_minute(
    job: JobTime, now: datetime
) -> None:
    found = latest_due(job, BOOK, now)

    assert found is not None
    expected = last_by_looking(job, now)
    if expected is not None or now - found <= timedelta(days=12):
        assert found == expected


@given(job=DAILY | OFTEN, now=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=40)))
def test_names_of_slots_sort_as_their_moments(job: JobTime, now: datetime, later: timedelta) -> None:
    first, second = latest_due(job, BOOK, now), latest_due(job, BOOK, now + later)

    assert first is not None
    assert second is not None
    assert (first <= second) == (slot_at(job, BOOK, first) <= slot_at(job, BOOK, second))
    assert (first == second) == (slot_at(job, BOOK, first) == slot_at(job, BOOK, second))


@given(job=DAILY | OFTEN, now=MOMENTS)
def test_a_slot_stays_the_latest_until_the_next_one(job: JobTime, now: datetime) -> None:
    due = latest_due(job, BOOK, now)

    assert due is not None
    assert due <= now
    assert latest_due(job, BOOK, due) == due


@given(job=DAILY | OFTEN, now=MOMENTS, periods=st.integers(1, 4))
def test_slots_are_counted_back_one_by_one(job: JobTime, now: datetime, periods: int) -> None:
    steps = [periods_ago(job, BOOK, now, n) for n in range(1, periods + 1)]
    found = [step for step in steps if step is not None]

    assert len(found) == periods
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == periods
    assert found[0] < now
    assert all(latest_due(job, BOOK, step) == step for step in found)


def at(text: str) -> datetime:
    """A moment by the place's own clock."""
    return datetime.fromisoformat(text).replace(tzinfo=BOOK.zone)


@pytest.mark.parametrize(
    ("job", "now", "slot"),
    [
        ("due_cases", "2026-11-23 10:07:59", "2026-11-23T02:07Z"),
        ("watch", "2026-11-23 10:07:59", "2026-11-23T02:05Z"),
        ("watch", "2026-11-23 00:00:00", "2026-11-22T16:00Z"),
        ("zero_board", "2026-11-23 17:11:59", "2026-11-22"),
        ("zero_board", "2026-11-23 17:12:00", "2026-11-23"),
        ("zero_board", "2026-03-01 17:11:00", "2026-02-28"),  # month end
        ("zero_board", "2027-01-01 00:00:00", "2026-12-31"),  # year end
        ("zero_board", "2028-02-29 18:00:00", "2028-02-29"),
        ("day_card", "2026-11-23 08:07:00", "2026-11-23"),
        ("day_card", "2026-11-23 08:06:59", "2026-11-20"),  # Monday: the last one was on Friday
        ("day_card", "2026-10-07 12:00:00", "2026-09-30"),  # within the National Day holidays
        ("day_card", "2026-10-10 09:00:00", "2026-10-10"),  # a Saturday worked instead
    ],
)
def test_slots_by_the_places_clock(job: str, now: str, slot: str) -> None:
    assert latest_slot(JOB_OF[job], BOOK, at(now)) == slot


def test_a_job_that_the_book_does_not_schedule_has_no_slots() -> None:
    stray = Job("mow_the_lawn", JOB_OF["watch"].command)

    assert latest_slot(stray, BOOK, at("2026-11-23 10:00")) is None
    assert check_schedule(BOOK, [*JOBS, stray]) == {"mow_the_lawn": "the book does not say when"}


@pytest.mark.parametrize("place", ["default", "minhou", "qingcao", "yulin", "shexian", "yinzhou"])
def test_every_place_schedules_every_job_and_nothing_else(place: str) -> None:
    book: Book = open_book(place)

    assert check_schedule(book) == {}
