"""微信客服 on its stage: the stand-in, a channel that talks with it, and sealed callbacks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from bot.channel import Request
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wecom_kf import WeComKfChannel
from bot.channels.wecom_kf_server import WeComKfServer
from bot.cursors import LocalCursors
from bot.leases import LocalLeases
from bot.tokens import LocalTokens
from tests.channels.wecom_stage import CALLBACK_KEY, CALLBACK_TOKEN, CORP, Clock

KF, SECRET = "wk00fictional", "a-fictional-secret-of-the-account"
PAYLOADS: Final = Path(__file__).parent / "payloads/wecom_kf"


def wecom_kf(**options: Any) -> WeComKfChannel:
    """Make the channel for parsing alone: it reaches nobody."""
    given = {
        "callback_token": CALLBACK_TOKEN,
        "callback_key": CALLBACK_KEY,
        "tokens": LocalTokens(),
        "cursors": LocalCursors(),
        "leases": LocalLeases(),
        "now": Clock(),
        "base_url": "http://127.0.0.1:9",
    }
    return WeComKfChannel(CORP, KF, SECRET, **{**given, **options})


@asynccontextmanager
async def played(**options: Any) -> AsyncIterator[tuple[WeComKfServer, WeComKfChannel, Clock]]:
    """The stand-in, the channel, and the clock by which both live."""
    clock = Clock()
    async with WeComKfServer(CORP, KF, SECRET, CALLBACK_TOKEN, CALLBACK_KEY, clock) as platform:
        channel = wecom_kf(**{"base_url": platform.base_url, "now": clock, **options})
        try:
            yield platform, channel, clock
        finally:
            await channel.stop()


@asynccontextmanager
async def hooked(platform: WeComKfServer, channel: WeComKfChannel) -> AsyncIterator[None]:
    """The channel's own address, as the web's door serves it."""

    async def answer(call: Call) -> Reply:
        request = Request(call.headers, call.query, call.body)
        if call.verb == "GET":
            return Reply(200, channel.greet(request).encode(), "text/plain")
        inbounds = channel.parse(request)
        return Reply(200, (await channel.answer(request, inbounds)).body.encode(), "text/plain")

    async with LoopbackServer(answer) as door:
        await platform.connect(f"{door.url}/hooks/wecom_kf")
        yield
