"""Deciding: in order within a chat, whoever else writes; and nobody is to blame for the machine's trouble."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text, update
from sqlmodel import col

from bot.lane import Lane
from handlers.command import HANDLERS, Done
from handlers.reporting import Report
from handlers.work import Work
from handlers.writing import Writing
from models import InboxState, Person
from tests.lane.rows import answered, letters, waiting
from tests.town import Town, founded

WORDS = "幸福社区第一网格2栋的路灯坏了"


def test_messages_of_a_chat_are_answered_in_order_by_several_writers(migrated_postgres_url: str) -> None:
    with founded("default", migrated_postgres_url) as town:
        lane = Lane(town.desk, writers=4)
        people = [f"居民{n}" for n in range(8)]
        rounds = [[town.inbound(who, f"{WORDS},第{n}次") for who in people] for n in range(12)]
        lane.start()

        async def deliver() -> None:
            for messages in rounds:
                await lane.accept(messages)

        asyncio.run(deliver())
        lane.stop()

        for at, who in enumerate(people):
            assert answered(town, who) == [messages[at].message_id for messages in rounds]


def test_two_lanes_share_a_chat_without_disorder(migrated_postgres_url: str) -> None:
    """As two processes would: the second finds the conversation locked, and comes back to it."""
    with founded("default", migrated_postgres_url) as town:
        lanes = [Lane(town.desk, writers=2) for _ in range(2)]
        messages = [town.inbound("王芳", f"上报 {WORDS},编到{n}") for n in range(18)]
        for lane in lanes:
            lane.start()

        async def deliver() -> None:
            for at, message in enumerate(messages):
                await lanes[at % 2].accept([message])

        asyncio.run(deliver())
        for lane in lanes:
            lane.stop()
        asyncio.run(town.settle())

        assert answered(town, "王芳") == [message.message_id for message in messages]
        assert town.count() == len(messages)


def test_a_sweep_finds_what_a_crash_left(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        lane = Lane(town.desk)
        messages = [town.inbound("王芳", f"{WORDS},第{n}次") for n in range(3)]
        lane._writers[0]._keep(messages)  # what an ended process wrote last: it never came to deciding
        left = waiting(town)
        town.lane.sweep()
        asyncio.run(town.settle())

        assert left == 3
        assert waiting(town) == 0
        assert answered(town, "王芳") == [message.message_id for message in messages]


def test_more_messages_than_a_round_takes_are_all_decided(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        messages = [town.inbound("王芳", f"上报 {WORDS},编到{n}") for n in range(17)]
        others = [town.inbound(f"居民{n}", WORDS) for n in range(90)]
        town.send(*messages, *others)

        assert answered(town, "王芳") == [message.message_id for message in messages]
        assert town.count() == len(messages) + len(others)


# ---- the machine's trouble -------------------------------------------------------------------------------


@pytest.fixture
def blocked(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Town, threading.Event]]:
    """A town in which the first report meets a row that somebody else has locked."""
    handlers: dict[Any, Any] = HANDLERS
    report = handlers[Report]
    met = threading.Event()

    def meeting(work: Work, command: Report) -> Done:
        done: Done = report(work, command)
        if not met.is_set():
            met.set()
            work.session.execute(text("SELECT id FROM person FOR UPDATE NOWAIT"))
        return done

    with founded("default", migrated_postgres_url) as town:
        monkeypatch.setitem(handlers, Report, meeting)
        yield town, met


def locked(connection: Connection) -> None:
    connection.execute(text("SELECT id FROM person LIMIT 1 FOR UPDATE"))


def test_a_message_that_met_a_lock_is_decided_again_and_counts_no_failure(
    blocked: tuple[Town, threading.Event],
) -> None:
    town, met = blocked
    messages = [town.inbound(f"居民{n}", WORDS) for n in range(4)]
    with town.database.writer.connect() as other:
        locked(other)
        town.send(*messages)

    assert met.is_set()
    assert letters(town) == {message.message_id: (InboxState.DONE, 0) for message in messages}
    assert town.count() == len(messages)


def test_works_that_lock_each_other_out_are_tried_again(migrated_postgres_url: str) -> None:
    """Two writers, two rows, taken in opposite order: PostgreSQL ends one of them."""
    with founded("default", migrated_postgres_url) as town:
        lanes = [Lane(town.desk), Lane(town.desk)]
        both_hold_one = threading.Barrier(2)
        tries: list[str] = []

        def rename(name: str, first: int, second: int) -> Any:
            def job(session: Writing) -> None:
                tries.append(name)
                change(session, first, name)
                if tries.count(name) == 1:
                    both_hold_one.wait(10)
                change(session, second, name)

            return job

        for lane in lanes:
            lane.start()
        jobs = [lanes[0].run_soon(rename("甲", 1, 2)), lanes[1].run_soon(rename("乙", 2, 1))]
        for job in jobs:
            job.result(30)
        for lane in lanes:
            lane.stop()

        assert len(tries) == 3


def change(session: Writing, person: int, name: str) -> None:
    session.execute(update(Person).where(col(Person.id) == person).values(name=name))


def test_a_chat_counts_as_waiting_until_its_round_is_committed(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with founded("default", migrated_url) as town:
        seen: list[int] = []
        handlers: dict[Any, Any] = HANDLERS
        report = handlers[Report]

        def watched(work: Work, command: Report) -> Done:
            seen.append(town.lane.waiting)
            done: Done = report(work, command)
            return done

        monkeypatch.setitem(handlers, Report, watched)
        town.send(town.inbound("王芳", WORDS))

        assert seen == [1]
        assert town.lane.waiting == 0
