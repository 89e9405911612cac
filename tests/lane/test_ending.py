"""Ending, and going on after a disk was full: nothing is lost, and nobody waits for ever."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from sqlalchemy.exc import OperationalError

from bot.lane import Lane
from bot.message import Inbound
from models import InboxState
from tests.lane.rows import letters, waiting
from tests.town import Town, founded

WORDS = "幸福社区第一网格2栋的路灯坏了"
LONG = WORDS + "天黑以后看不见台阶" * 150


@contextmanager
def full(town: Town) -> Iterator[None]:
    """The disk has no room for another page."""
    limit_pages(town, "PRAGMA page_count")
    yield
    limit_pages(town, "SELECT 1073741823")


def limit_pages(town: Town, most: str) -> None:
    with town.database.writer.connect() as connection:
        pages = connection.exec_driver_sql(most).scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


class Heard(logging.Handler):
    """Tells when the lane has logged that a commit failed, twice: it goes on trying."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0
        self.twice = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.times += record.getMessage().startswith("a commit failed")
        if self.times >= 2:
            self.twice.set()


@pytest.fixture
def failures() -> Iterator[Heard]:
    heard = Heard()
    log = logging.getLogger("xiaoge.lane")
    log.addHandler(heard)
    yield heard
    log.removeHandler(heard)


def test_all_that_is_queued_is_done_before_the_end(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        lane = Lane(town.desk, writers=1 if town.database.kind == "sqlite" else 3)
        messages = [town.inbound(f"居民{n}", WORDS) for n in range(150)]
        lane.start()
        asyncio.run(lane.accept(messages))
        job = lane.run_soon(lambda _: "done")
        lane.stop()

        assert job.result(0) == "done"
        assert waiting(town) == 0
        assert town.count() == len(messages)


def test_works_that_find_the_disk_full_are_told_so_and_the_lane_goes_on(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        with full(town):
            with pytest.raises(OperationalError, match="full"):
                asyncio.run(town.lane.accept([town.inbound(f"居民{n}", LONG) for n in range(20)]))
            during = letters(town)
        town.send(*(town.inbound(f"居民{n}", LONG) for n in range(20)))

        assert during == {}
        assert set(letters(town).values()) == {(InboxState.DONE, 0)}
        assert town.count() == 20


def test_no_message_is_to_blame_for_a_full_disk(sqlite_url: str, failures: Heard) -> None:
    with founded("default", sqlite_url) as town:
        messages = undecided(town)
        with full(town):
            town.lane.sweep()
            assert failures.twice.wait(30)
            during = outcome(town)
        town.lane.sweep()
        asyncio.run(town.settle())

        assert during.states <= {(InboxState.WAITING, 0), (InboxState.DONE, 0)}
        assert during.filed == during.done < len(messages)
        assert outcome(town) == Outcome({(InboxState.DONE, 0)}, len(messages), len(messages))


def test_a_full_disk_does_not_keep_the_program_from_ending(sqlite_url: str, failures: Heard) -> None:
    with founded("default", sqlite_url) as town:
        lane, messages = Lane(town.desk), undecided(town)
        with full(town):
            lane.start()
            assert failures.twice.wait(30)
            lane.stop()
        left = waiting(town)
        town.lane.sweep()
        asyncio.run(town.settle())

        assert left > 0
        assert outcome(town) == Outcome({(InboxState.DONE, 0)}, len(messages), len(messages))


def undecided(town: Town) -> list[Inbound]:
    """Messages that an ended process kept and did not decide."""
    messages = [town.inbound(f"居民{n}", LONG) for n in range(60)]
    Lane(town.desk)._writers[0]._keep(messages)
    return messages


class Outcome(NamedTuple):
    """What has become of all messages."""

    states: set[tuple[InboxState, int]]
    done: int
    filed: int


def outcome(town: Town) -> Outcome:
    states = list(letters(town).values())
    return Outcome(set(states), sum(state is InboxState.DONE for state, _ in states), town.count())
