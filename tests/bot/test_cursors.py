"""How far a platform's messages were pulled is the same for all processes, and outlives them."""

from bot.cursors import LocalCursors, SharedCursors
from tests.bot.two_processes import lanes
from tests.channels.stages import run
from tests.channels.wecom_stage import Clock


def test_a_cursor_is_kept_for_whoever_pulls_next(migrated_url: str) -> None:
    async def story() -> None:
        async with lanes(migrated_url, Clock()) as (one, two):
            mine, others = SharedCursors(one), SharedCursors(two)
            assert await mine.get("kf") == ""
            await mine.keep("kf", "c1")
            assert await others.get("kf") == "c1"
            await others.keep("kf", "c2")
            assert (await mine.get("kf"), await mine.get("another")) == ("c2", "")

    run(story())


def test_the_twin_does_the_same() -> None:
    async def story() -> None:
        cursors = LocalCursors()
        await cursors.keep("kf", "c1")
        assert (await cursors.get("kf"), await cursors.get("another")) == ("c1", "")

    run(story())
