"""The connections of a channel: closing them cuts nobody off, and lets nobody in."""

import asyncio

import httpx
import pytest

from bot.channels import caller
from bot.channels.caller import Caller, Closed
from bot.channels.loopback import Call, LoopbackServer, Reply
from tests.channels.stages import run


def test_a_call_under_way_comes_back_before_the_connections_close() -> None:
    async def story() -> None:
        came, go = asyncio.Event(), asyncio.Event()

        async def slowly(_: Call) -> Reply:
            came.set()
            await go.wait()
            return Reply(200, b'"there"')

        async with LoopbackServer(slowly) as server:
            line = Caller(5)
            call = asyncio.create_task(line.post(server.url))
            await came.wait()
            closing = asyncio.create_task(line.close())
            await asyncio.sleep(0)
            with pytest.raises(Closed):
                await line.post(server.url)
            go.set()
            assert (await call).json() == "there"
            await closing
            line.open()
            assert (await line.post(server.url)).json() == "there"
            await line.close()

    run(story())


def test_a_call_that_never_comes_back_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "GRACE", 0.05)

    async def story() -> None:
        async def never(_: Call) -> Reply:
            await asyncio.Event().wait()
            return Reply(None)

        async with LoopbackServer(never) as server:
            line = Caller(60)
            call = asyncio.create_task(line.post(server.url))
            await asyncio.sleep(0.02)
            await line.close()
            with pytest.raises((httpx.HTTPError, RuntimeError, asyncio.CancelledError, OSError)):
                await asyncio.wait_for(call, 5)

    run(story())
