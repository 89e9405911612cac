"""A disk that is full: nothing is promised or half kept, and it goes on by itself once there is room."""

import asyncio
import json
import resource
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from bot.message import Inbound
from handlers.writing import Writing
from models import Conversation, Inbox, Person
from models.database import TransactionLost, open_database
from tests.crash.kills import Report, look, message_of, summary
from tests.crash.serving import ANSWERED, Caller, Served, found, served, wait_until
from tests.crash.test_replays import quiet
from tests.town import Town, founded

UNAVAILABLE = 503
NO_LIMIT = resource.RLIM_INFINITY
ROOM = 48 * 1024  # bytes left on the disk that is getting full


def limit_pages(town: Town, more: int | None) -> None:
    """Let the database grow by so many pages at most; None: by any number."""
    with town.database.writer.connect() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        most = pages + more if more is not None else 2**30
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")


def kept(town: Town) -> tuple[int, int]:
    """How many messages and talks there are."""
    with Session(town.database.reader) as session:
        inbox, talks = (
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Inbox, Conversation)
        )
        return inbox, talks


def strangers(town: Town, count: int) -> list[Inbound]:
    """Long messages of people not heard before."""
    words = str(message_of(0, 0)["text"]) + "，" + "天黑以后看不见台阶。" * 50
    return [town.inbound(f"居民{n}", words) for n in range(count)]


def test_what_cannot_be_kept_is_not_acknowledged_and_leaves_no_trace(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        town.say("resident", "3栋路灯坏了")
        before = kept(town)
        limit_pages(town, 2)
        with pytest.raises(OperationalError, match="full"):
            asyncio.run(town.lane.accept(strangers(town, 40)))
        full = kept(town)
        limit_pages(town, None)
        town.send(*strangers(town, 40))

        assert full == before
        assert kept(town) == (before[0] + 40, before[1] + 40)


def test_what_was_accepted_before_the_disk_was_full_is_decided_afterwards(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        limit_pages(town, 60)

        async def fill() -> int:
            accepted = 0
            for message in strangers(town, 200):
                try:
                    await town.lane.accept([message])
                except OperationalError:
                    break
                accepted += 1
            return accepted

        accepted = asyncio.run(fill())
        limit_pages(town, None)
        asyncio.run(town.settle())

        assert 0 < accepted < 200
        assert town.count() == accepted


def test_who_takes_a_lost_transaction_in_his_stride_writes_nothing_by_halves(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        before = people(town)

        def careless(session: Writing) -> None:
            session.add(Person(name="before"))
            session.flush()
            with suppress(RuntimeError, TransactionLost), session.part():
                undo_everything(session)
                raise RuntimeError("the disk is full")
            session.add(Person(name="after"))

        with pytest.raises(TransactionLost):
            asyncio.run(town.lane.run(careless))
        asyncio.run(town.lane.run(lambda session: session.add(Person(name="next"))))

        assert people(town) - before == {"next"}


def undo_everything(session: Writing) -> None:
    """What SQLite may do by itself when the disk is full: end the transaction behind the session's back."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.rollback()


def people(town: Town) -> set[str]:
    """Everybody's name."""
    with Session(town.database.reader) as session:
        return set(session.execute(select(col(Person.name))).scalars())


def limit_files(there: Served, most: int) -> None:
    """Let no file of the serving process grow beyond so many bytes."""
    child = there.child()
    assert child is not None
    resource.prlimit(child, resource.RLIMIT_FSIZE, (most, NO_LIMIT))


def fill_up(caller: Caller, acknowledged: set[str]) -> int | None:
    """Deliver messages until one is not taken. Returns how that one was answered."""
    for number in range(500):
        message = message_of(number, 0)
        status = caller.once(json.dumps(message).encode())
        if status != ANSWERED:
            return status
        acknowledged.add(str(message["message_id"]))
    return ANSWERED


def test_the_program_answers_503_and_goes_on_without_a_restart(sqlite_url: str, tmp_path: Path) -> None:
    found(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    files = (path, path.with_name(path.name + "-wal"))
    acknowledged: set[str] = set()
    with served(sqlite_url, tmp_path) as there:
        caller, child = Caller(there.port), there.child()
        limit_files(there, max(file.stat().st_size for file in files) + ROOM)
        status = fill_up(caller, acknowledged)
        limit_files(there, NO_LIMIT)
        for number in range(1000, 1010):
            message = message_of(number, 0)
            caller.post(message)
            acknowledged.add(str(message["message_id"]))
        caller.close()
        database = open_database(sqlite_url)
        wait_until(lambda: quiet(database))
        database.close()
        same = there.child() == child

    report = Report()
    look(sqlite_url, acknowledged, there.sent(), report)
    assert status == UNAVAILABLE
    assert same
    assert report.faults == {}, summary(report)
    assert report.extra_sends == 0
