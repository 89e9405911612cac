"""Help for the clock's tests: jobs that leave a trace which nothing hides, and runners in any number."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.lane import Lane
from handbook import Book, open_book
from handlers.command import HANDLERS, Command, Done
from handlers.founding import found_town, is_founded
from handlers.work import Desk, Work
from models import JobRun, Person
from models.database import Database, open_database
from scheduler.clock import SettableClock
from scheduler.jobs import JOBS, Job
from scheduler.runner import Runner

JOB_OF = {job.name: job for job in JOBS}


class Tick(Command):
    """Leave a row for each time it is carried out: no key forbids a second one."""

    name: ClassVar[str] = "tick"
    trace: str
    fails: bool = False


def tick(work: Work, command: Tick) -> Done:
    """Write the trace, and fail afterwards if told to."""
    work.session.add(Person(name=command.trace))
    work.session.flush()
    if command.fails:
        raise RuntimeError("told to fail")
    return Done()


def ticking(patch: pytest.MonkeyPatch, *names: str, failing: Sequence[str] = ()) -> list[Job]:
    """Jobs of these names that tick, for as long as the test runs."""
    handlers: dict[Any, Any] = HANDLERS
    patch.setitem(handlers, Tick, tick)
    return [job_that_ticks(name, fails=name in failing) for name in names]


def job_that_ticks(name: str, *, fails: bool = False) -> Job:
    """A job of this name that leaves a trace for each slot."""
    return Job(name, lambda slot: Tick(trace=f"{name}@{slot}", fails=fails))


@dataclass
class Station:
    """One process's share: its own connections, lane and runner."""

    database: Database
    desk: Desk
    lane: Lane
    clock: SettableClock
    runner: Runner

    def run_due(self, now: datetime | None = None) -> list[str]:
        """Wake once."""
        return asyncio.run(self.runner.run_due(now or self.clock.now()))

    def ticks(self) -> Counter[str]:
        """How often each trace was left."""
        with Session(self.database.reader) as session:
            names = session.execute(select(col(Person.name)).where(col(Person.name).contains("@"))).scalars()
            return Counter(names)

    def ledger(self) -> set[tuple[str, str]]:
        """The slots that have run."""
        with Session(self.database.reader) as session:
            return {tuple(row) for row in session.execute(select(col(JobRun.job), col(JobRun.slot)))}


@contextmanager
def station(
    url: str, at: datetime, jobs: Sequence[Job] = JOBS, *, book: Book | None = None
) -> Iterator[Station]:
    """A runner with all it needs over a migrated database, whose town is founded if it is not yet."""
    book = book or open_book("default")
    clock = SettableClock(at, running=False)
    database = open_database(url)
    desk = Desk(database, book, clock.now)
    with desk.work() as work:
        if not is_founded(work.session):
            found_town(work, channel="memory")
    lane = Lane(desk)
    lane.start()
    try:
        yield Station(database, desk, lane, clock, Runner(lane, desk, clock, jobs))
    finally:
        lane.stop()
        database.close()
