"""The WeCom application on its stage: the stand-in, a channel that talks with it, and sealed deliveries."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bot.channel import Request
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wecom import WeComChannel
from bot.channels.wecom_delivery import Courier
from bot.channels.wecom_server import WeComServer
from bot.tokens import LocalTokens

CORP, AGENT, SECRET = "ww00000000fictional", 1000002, "a-fictional-secret-of-an-application"
CALLBACK_TOKEN, CALLBACK_KEY = "fictional", "fictional1fictional2fictional3fictional4fic"
NOON: Final = datetime(2026, 12, 1, 4, tzinfo=UTC)
PAYLOADS: Final = Path(__file__).parent / "payloads/wecom"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


COURIER: Final = Courier(CALLBACK_TOKEN, CALLBACK_KEY, CORP, Clock(), 5.0, 0.0)


def sealed(body: bytes) -> Request:
    """A delivery of any bytes that are text; of others, of what is left of them."""
    return COURIER.sealed(body.decode("utf-8", "replace"))


def as_xml(body: Any, name: str = "xml") -> bytes:
    """A body as XML, whatever has become of it: fields stay fields, and anything else is their text."""
    if not isinstance(body, dict):
        return f"<{name}>{_escaped(body)}</{name}>".encode("utf-8", "replace")
    inner = b"".join(as_xml(value, _name(key)) for key, value in body.items())
    return f"<{name}>".encode() + inner + f"</{name}>".encode()


def _name(key: Any) -> str:
    return "".join(sign for sign in str(key) if (sign.isascii() and sign.isalnum()) or sign == "_") or "odd"


def _escaped(value: Any) -> str:
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wecom(**options: Any) -> WeComChannel:
    """Make the channel for parsing alone: it reaches nobody."""
    given = {
        "callback_token": CALLBACK_TOKEN,
        "callback_key": CALLBACK_KEY,
        "tokens": LocalTokens(),
        "now": Clock(),
        "base_url": "http://127.0.0.1:9",
    }
    return WeComChannel(CORP, AGENT, SECRET, **{**given, **options})


def server(clock: Clock | None = None, **options: Any) -> WeComServer:
    """Make the stand-in of the same organisation."""
    return WeComServer(CORP, AGENT, SECRET, CALLBACK_TOKEN, CALLBACK_KEY, clock or Clock(), **options)


@asynccontextmanager
async def played(**options: Any) -> AsyncIterator[tuple[WeComServer, WeComChannel, Clock]]:
    """The stand-in, the channel, and the clock by which both live."""
    clock = Clock()
    async with server(clock) as platform:
        channel = wecom(**{"base_url": platform.base_url, "now": clock, **options})
        try:
            yield platform, channel, clock
        finally:
            await channel.stop()


@asynccontextmanager
async def hooked(
    platform: WeComServer, channel: WeComChannel, keep: Callable[[Any], Any]
) -> AsyncIterator[None]:
    """The channel's own address, as the web's door serves it."""

    async def answer(call: Call) -> Reply:
        request = Request(call.headers, call.query, call.body)
        if call.verb == "GET":
            return Reply(200, channel.greet(request).encode(), "text/plain")
        inbounds = channel.parse(request)
        keep(inbounds)
        return Reply(200, (await channel.answer(request, inbounds)).body.encode(), "text/plain")

    async with LoopbackServer(answer) as door:
        await platform.connect(f"{door.url}/hooks/wecom")
        yield
