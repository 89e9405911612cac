"""When the clock's jobs are due, by the place's book: pure, so that every process finds the same slots."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from handbook import Book
from handbook.schema import JobTime

LOOK_BACK = timedelta(days=60)
"""Longer than any run of days off; what has no slot within it counts as having none."""


def latest_due(job: JobTime, book: Book, now: datetime) -> datetime | None:
    """Find the last moment, up to and including now, at which a job is to run.

    Args:
        job: its time in the book: every so many minutes from the full hour, or daily at a time of the place.
        book: for the place's zone, and the calendar `office` where only working days count.
        now: aware.

    Returns:
        aware UTC, or None when there is no such moment within LOOK_BACK.
    """
    local = now.astimezone(book.zone)
    if job.every_minutes is not None:
        return _full_minutes(local, job.every_minutes).astimezone(UTC)
    at = time.fromisoformat(str(job.daily_at))
    for day in _days_back(local.date()):
        due = datetime.combine(day, at, book.zone).astimezone(UTC)
        if due <= now and (not job.working_days_only or book.calendars["office"].shifts_on(day)):
            return due
    return None


def _full_minutes(local: datetime, every: int) -> datetime:
    """Count from the full hour, or from midnight where it is longer than an hour."""
    if every > 60:
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(minutes=(local.hour * 60 + local.minute) // every * every)
    return local.replace(minute=local.minute // every * every, second=0, microsecond=0)


def _days_back(day: date) -> Iterator[date]:
    for days in range(LOOK_BACK.days):
        yield day - timedelta(days=days)


def slot_at(job: JobTime, book: Book, due: datetime) -> str:
    """Name a due moment: the minute in UTC, or the place's date. Names sort as their moments do."""
    if job.every_minutes is not None:
        return due.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
    return due.astimezone(book.zone).date().isoformat()


def periods_ago(job: JobTime, book: Book, now: datetime, periods: int) -> datetime | None:
    """Find the due moment which lies so many slots back, the latest one being the first of them.

    A job whose last run is older than the third has missed three.
    """
    due: datetime | None = now
    for _ in range(periods):
        due = latest_due(job, book, due - timedelta(microseconds=1)) if due else None
    return due
