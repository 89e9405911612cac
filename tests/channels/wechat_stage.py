"""The official account on its stage: the stand-in, a channel that talks with it, and sealed deliveries."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from bot.channel import Answer, Request
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wechat import WeChatChannel
from bot.channels.wechat_answering import Answering
from bot.channels.wechat_delivery import WeChatCourier
from bot.channels.wechat_server import WeChatServer
from bot.message import Inbound
from bot.tokens import LocalTokens
from tests.channels.wecom_stage import Clock

APP, SECRET = "wx00000000fictional", "a-fictional-secret-of-an-account"
CALLBACK_TOKEN, CALLBACK_KEY = "fictional", "fictional1fictional2fictional3fictional4fic"
PAYLOADS: Final = Path(__file__).parent / "payloads/wechat"
COURIER: Final = WeChatCourier(CALLBACK_TOKEN, CALLBACK_KEY, APP, Clock(), 5.0, 0.0)


def sealed(body: bytes) -> Request:
    """A delivery of any bytes that are text; of others, of what is left of them."""
    return COURIER.sealed(body.decode("utf-8", "replace"))


def wechat(**options: Any) -> WeChatChannel:
    """Make the channel for parsing alone: it reaches nobody."""
    given = {
        "callback_token": CALLBACK_TOKEN,
        "callback_key": CALLBACK_KEY,
        "tokens": LocalTokens(),
        "now": Clock(),
        "base_url": "http://127.0.0.1:9",
        "answering": Answering(patience=0.5, grace=0.02),
    }
    return WeChatChannel(APP, SECRET, **{**given, **options})


def server(clock: Clock | None = None, **options: Any) -> WeChatServer:
    """Make the stand-in of the same account."""
    given = {"callback_token": CALLBACK_TOKEN, "callback_key": CALLBACK_KEY}
    return WeChatServer(APP, SECRET, now=clock or Clock(), **{**given, **options})


@asynccontextmanager
async def played(
    key: str = CALLBACK_KEY, *, verified: bool = True, **options: Any
) -> AsyncIterator[tuple[WeChatServer, WeChatChannel, Clock]]:
    """The stand-in, the channel, and the clock by which both live."""
    clock = Clock()
    async with server(clock, callback_key=key, verified=verified) as platform:
        channel = wechat(**{"base_url": platform.base_url, "now": clock, "callback_key": key, **options})
        try:
            yield platform, channel, clock
        finally:
            await channel.stop()


class Door:
    """The channel's own address, as the web's door serves it.

    Args:
        channel: whose it is.
        keep: what is done with what it hears, before it is answered.
    """

    def __init__(self, channel: WeChatChannel, keep: Callable[[list[Inbound]], object]) -> None:
        self.channel = channel
        self.keep = keep
        self.answers: list[Answer] = []
        self.writes = True
        """False: answers are lost on their way, as when the line is cut."""

    async def __call__(self, call: Call) -> Reply:
        request = Request(call.headers, call.query, call.body)
        if call.verb == "GET":
            return Reply(200, self.channel.greet(request).encode(), "text/plain")
        inbounds = self.channel.parse(request)
        self.keep(list(inbounds))
        answer = await self.channel.answer(request, inbounds)
        self.answers.append(answer)
        if not self.writes:
            return Reply(None)
        if answer.sent is not None:
            answer.sent()
        return Reply(200, answer.body.encode(), answer.kind)


@asynccontextmanager
async def hooked(
    platform: WeChatServer, channel: WeChatChannel, keep: Callable[[list[Inbound]], object] = list
) -> AsyncIterator[Door]:
    """The channel's door, open and known to the stand-in."""
    door = Door(channel, keep)
    async with LoopbackServer(door) as listening:
        await platform.connect(f"{listening.url}/hooks/wechat")
        yield door
