"""Accepting: a message is kept once however often it comes, and a bad one costs only itself."""

import asyncio

import pytest
from sqlalchemy.exc import SQLAlchemyError

from bot.lane import Lane, Stopped
from bot.message import Inbound
from models import InboxState
from tests.lane.rows import letters
from tests.town import founded

WORDS = "幸福社区第一网格2栋的路灯坏了"


def test_a_message_that_comes_twice_is_kept_once_and_acts_once(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        message = town.inbound("王芳", WORDS)
        town.send(message)
        town.send(message)

        assert letters(town) == {message.message_id: (InboxState.DONE, 0)}
        assert town.count() == 1
        assert len(town.news("王芳")) == 1


def test_a_message_that_comes_three_times_at_once_satisfies_every_caller(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        lane = Lane(town.desk, writers=1 if town.database.kind == "sqlite" else 3)
        message = town.inbound("王芳", WORDS)
        lane.start()

        async def deliver() -> None:
            await asyncio.gather(*(one.accept([message]) for one in (lane, town.lane, lane)))

        asyncio.run(deliver())
        lane.stop()
        asyncio.run(town.settle())

        assert letters(town) == {message.message_id: (InboxState.DONE, 0)}
        assert town.count() == 1


def test_the_same_messages_in_different_order_do_not_block_each_other(migrated_postgres_url: str) -> None:
    with founded("default", migrated_postgres_url) as town:
        lane = Lane(town.desk, writers=1)
        messages = [town.inbound(f"居民{n}", WORDS) for n in range(40)]
        lane.start()

        async def deliver() -> None:
            for _ in range(5):
                await asyncio.gather(lane.accept(messages), town.lane.accept(messages[::-1]))

        asyncio.run(deliver())
        lane.stop()
        asyncio.run(town.settle())

        assert len(letters(town)) == len(messages) == town.count()


def test_one_that_cannot_be_kept_costs_only_itself(migrated_url: str) -> None:
    """Half a surrogate pair in an account's name is text to no database."""
    with founded("default", migrated_url) as town:
        good = [town.inbound(f"居民{n}", WORDS) for n in range(5)]
        bad = Inbound(channel="memory", message_id="bad", chat="\ud83d", handle="\ud83d", text=WORDS)

        async def deliver() -> list[BaseException | None]:
            calls = [town.lane.accept([message]) for message in (*good[:3], bad, *good[3:])]
            return await asyncio.gather(*calls, return_exceptions=True)

        outcomes = asyncio.run(deliver())
        asyncio.run(town.settle())

        assert [outcome is None for outcome in outcomes] == [True, True, True, False, True, True]
        assert set(letters(town)) == {message.message_id for message in good}
        assert town.count() == len(good)


def test_messages_of_several_chats_are_all_kept(migrated_postgres_url: str) -> None:
    """One delivery may hold messages of chats that different writers see to."""
    with founded("default", migrated_postgres_url) as town:
        lane = Lane(town.desk, writers=4)
        messages = [town.inbound(f"居民{n}", WORDS) for n in range(12)]
        lane.start()
        asyncio.run(lane.accept(messages))
        lane.stop()

        assert set(letters(town).values()) == {(InboxState.DONE, 0)}
        assert town.count() == len(messages)


def test_nothing_is_promised_after_the_end(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        message = town.inbound("王芳", WORDS)
        lane = Lane(town.desk)
        lane.start()
        lane.stop()

        with pytest.raises(Stopped):
            asyncio.run(lane.accept([message]))
        with pytest.raises(Stopped):
            lane.run_soon(lambda _: None).result()
        assert letters(town) == {}


def test_a_job_that_fails_is_told_so_and_hurts_no_other(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        good = town.lane.run_soon(lambda _: "before")
        bad = town.lane.run_soon(lambda session: session.connection().exec_driver_sql("SELECT nothing"))
        after = town.lane.run_soon(lambda _: "after")

        with pytest.raises(SQLAlchemyError):
            bad.result()
        assert (good.result(), after.result()) == ("before", "after")
