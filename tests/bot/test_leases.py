"""What one process alone may do: whoever holds a lease keeps it, and whoever dies loses it."""

import asyncio

from bot.leases import LENGTH, LocalLeases, SharedLeases
from tests.bot.two_processes import lanes
from tests.channels.stages import run
from tests.channels.wecom_stage import Clock


def test_of_many_at_once_one_gets_it(migrated_url: str) -> None:
    async def story() -> None:
        clock = Clock()
        async with lanes(migrated_url, clock) as two:
            all_of_them = [SharedLeases(lane, clock, f"p{number}") for number, lane in enumerate(two * 5)]
            found = await asyncio.gather(*(one.take("bot") for one in all_of_them))
        assert sum(found) == 1

    run(story())


def test_a_lease_is_prolonged_lost_by_who_died_and_given_back(migrated_url: str) -> None:
    async def story() -> None:
        clock = Clock()
        async with lanes(migrated_url, clock) as (one, two):
            mine, others = SharedLeases(one, clock, "p1"), SharedLeases(two, clock, "p2")
            assert await mine.take("bot")
            clock.wait(seconds=LENGTH.total_seconds() - 1)
            assert not await others.take("bot")
            assert await mine.take("bot")
            clock.wait(seconds=LENGTH.total_seconds() - 1)
            assert not await others.take("bot")
            assert await others.take("another bot")
            clock.wait(seconds=1)
            assert await others.take("bot")
            assert not await mine.take("bot")
            await mine.give_back("bot")
            assert not await mine.take("bot")
            await others.give_back("bot")
            assert await mine.take("bot")

    run(story())


def test_a_process_alone_has_every_lease() -> None:
    async def story() -> None:
        leases = LocalLeases()
        assert await leases.take("bot")
        await leases.give_back("bot")
        assert await leases.take("bot")

    run(story())
