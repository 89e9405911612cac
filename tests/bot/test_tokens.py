"""One token for all processes: fetched once, and by the next one where the first fails or dies."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.channels.wecom_client import WeComClient
from bot.tokens import EARLY, FETCHING, Fetched, LocalTokens, SharedTokens, Tokens
from models import PlatformToken
from models.database import open_database
from tests.bot.two_processes import lanes
from tests.channels.stages import run
from tests.channels.wecom_stage import CORP, SECRET, Clock, server

NAME = "wecom:1000002:ww1"


class Platform:
    """Gives out tokens, each good for two hours; may fail, or be told to wait."""

    def __init__(self) -> None:
        self.given = 0
        self.fails = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.asked = asyncio.Event()

    async def __call__(self) -> Fetched:
        self.asked.set()
        await self.goes_on.wait()
        if self.fails:
            self.fails -= 1
            raise ConnectionError("no answer")
        self.given += 1
        return Fetched(f"token-{self.given}", 7200)


def test_two_processes_and_forty_callers_fetch_once(migrated_url: str) -> None:
    async def story() -> None:
        clock, platform = Clock(), Platform()
        async with lanes(migrated_url, clock) as two:
            shared = [SharedTokens(lane, clock) for lane in two]
            found = await asyncio.gather(*(one.get(NAME, platform) for one in shared for _ in range(20)))
        assert set(found) == {"token-1"}
        assert platform.given == 1

    run(story())


def test_a_fetch_that_fails_is_its_callers_trouble_and_the_next_one_tries_at_once(migrated_url: str) -> None:
    async def story() -> None:
        clock, platform = Clock(), Platform()
        platform.fails = 1
        async with lanes(migrated_url, clock) as (one, two):
            with pytest.raises(ConnectionError):
                await SharedTokens(one, clock).get(NAME, platform)
            assert await SharedTokens(two, clock).get(NAME, platform) == "token-1"

    run(story())


def test_while_one_fetches_the_others_wait_and_where_it_died_they_go_on(migrated_url: str) -> None:
    async def story() -> None:
        clock, dead, alive = Clock(), Platform(), Platform()
        dead.goes_on.clear()
        async with lanes(migrated_url, clock) as (one, two):
            first = asyncio.create_task(SharedTokens(one, clock).get(NAME, dead))
            await dead.asked.wait()
            second = asyncio.create_task(SharedTokens(two, clock).get(NAME, alive))
            done, _ = await asyncio.wait([second], timeout=0.5)
            assert not done
            assert not alive.asked.is_set()
            clock.wait(seconds=FETCHING.total_seconds() + 1)
            assert await second == "token-1"
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            assert await SharedTokens(one, clock).get(NAME, dead) == "token-1"

    run(story())


def test_a_caller_who_is_cancelled_lets_the_next_one_fetch_at_once(migrated_url: str) -> None:
    async def story() -> None:
        clock, hangs, platform = Clock(), Platform(), Platform()
        hangs.goes_on.clear()
        async with lanes(migrated_url, clock) as (one, two):
            first = asyncio.create_task(SharedTokens(one, clock).get(NAME, hangs))
            await hangs.asked.wait()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            assert await SharedTokens(two, clock).get(NAME, platform) == "token-1"

    run(story())


def test_an_old_token_is_replaced_before_its_end(migrated_url: str) -> None:
    async def story() -> None:
        clock, platform = Clock(), Platform()
        async with lanes(migrated_url, clock) as (one, two):
            tokens = SharedTokens(one, clock)
            assert await tokens.get(NAME, platform) == "token-1"
            clock.wait(seconds=7200 - EARLY.total_seconds() - 1)
            assert await tokens.get(NAME, platform) == "token-1"
            clock.wait(seconds=2)
            assert await tokens.get(NAME, platform) == "token-2"
            assert await SharedTokens(two, clock).get(NAME, platform) == "token-2"

    run(story())


@pytest.mark.parametrize("kind", ["shared", "local"])
def test_a_token_that_was_refused_is_fetched_anew_once_by_whoever_was_first(
    migrated_url: str, kind: str
) -> None:
    async def story() -> None:
        clock, platform = Clock(), Platform()
        async with lanes(migrated_url, clock) as (one, two):
            local = LocalTokens()
            a: Tokens = SharedTokens(one, clock) if kind == "shared" else local
            b: Tokens = SharedTokens(two, clock) if kind == "shared" else local
            old = await a.get(NAME, platform)
            assert await b.get(NAME, platform) == old
            found = await asyncio.gather(
                *(one.get(NAME, platform, stale=old) for one in (a, b) for _ in "12")
            )
            assert set(found) == {"token-2"}
            assert await a.get("another", platform) == "token-3"

    run(story())


def test_a_token_lies_sealed(migrated_url: str) -> None:
    async def story() -> None:
        clock = Clock()
        async with lanes(migrated_url, clock, 1) as (one,):
            await SharedTokens(one, clock).get(NAME, Platform())

    run(story())
    database = open_database(migrated_url)
    with Session(database.reader) as session:
        assert "token-1" not in str(session.execute(text("select value from platform_token")).scalar_one())
        row = session.get(PlatformToken, NAME)
        assert row is not None
        assert row.value == "token-1"
    database.close()


def test_wecom_is_not_asked_all_the_time_when_a_token_is_about_to_end(sqlite_url: str) -> None:
    """It gives the same token again until its end, so asking early would mean asking at each message."""

    async def story() -> None:
        clock = Clock()
        async with server(clock) as platform, lanes(sqlite_url, clock, 1) as (one,):
            client = WeComClient(CORP, SECRET, SharedTokens(one, clock), base_url=platform.base_url)
            platform.meet("WangFang")
            for _ in range(15):
                await client.get("agent/get", agentid=platform.agent_id)
                clock.now += timedelta(minutes=10)
            asked = [path for path, _ in platform.calls].count("gettoken")
            await client.close()
        assert asked == 2

    run(story())
