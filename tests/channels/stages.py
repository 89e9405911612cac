"""Each channel on a stage of its own: who listens at the far end, and what a trusted request looks like."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from bot.channel import Channel, Outcome, Request, Unreadable, Untrusted
from bot.channels.dingtalk import DingTalkChannel
from bot.channels.dingtalk_api import App
from bot.channels.dingtalk_robot import DingTalkRobotChannel
from bot.channels.dingtalk_server import DingTalkServer
from bot.channels.memory import SECRET_HEADER as MEMORY_HEADER
from bot.channels.memory import MemoryChannel
from bot.channels.telegram import SECRET_HEADER as TELEGRAM_HEADER
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_server import TelegramServer
from bot.channels.terminal import TerminalChannel
from bot.channels.webchat import WebChatChannel
from bot.channels.wecom_robot import WeComRobotChannel
from bot.channels.wecom_robot_server import WeComRobotServer
from bot.message import Inbound, Outbound
from bot.tokens import LocalTokens
from handbook.robot_keys import read_dingtalk as read_robot
from tests.channels import wechat_stage as wechat_stages
from tests.channels import wecom_kf_stage as wecom_kf_stages
from tests.channels import wecom_stage as wecom_stages
from tests.channels.wecom_stage import as_xml, sealed, wecom

T = TypeVar("T")

SECRET = "a-fictional-secret"
TOKEN = "1000001:a-fictional-token"
WANG, LI = 6100001, 6100002


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run an async story; one that hangs fails."""
    return asyncio.run(asyncio.wait_for(story, 30))


def telegram(**options: Any) -> TelegramChannel:
    """Make the channel for parsing alone: it reaches nobody."""
    nowhere = {"base_url": "http://127.0.0.1:9/bot", "base_file_url": "http://127.0.0.1:9/file/bot"}
    return TelegramChannel(TOKEN, **{"secret": SECRET, "username": "xiaoge_bot", **nowhere, **options})


def telegram_at(server: TelegramServer, **options: Any) -> TelegramChannel:
    """Make the channel against the stand-in."""
    return telegram(base_url=server.base_url, base_file_url=server.base_file_url, **options)


def telegram_request(update: object) -> Request:
    return Request({TELEGRAM_HEADER: SECRET}, {}, json.dumps(update).encode())


def outbound(*parts: str, chat: object = WANG, **more: Any) -> Outbound:
    fields: dict[str, Any] = {"mail_id": 1, "chat": str(chat), "handle": str(chat), "parts": parts}
    return Outbound(**fields | more)


@dataclass(frozen=True)
class Stage:
    """A channel that is up, and the texts that reached the chat `WANG`."""

    channel: Channel
    said: Callable[[], list[str]]


@asynccontextmanager
async def memory_stage() -> AsyncIterator[Stage]:
    channel = MemoryChannel(secret=SECRET)
    yield Stage(channel, lambda: channel.words(str(WANG)))


@asynccontextmanager
async def terminal_stage() -> AsyncIterator[Stage]:
    out = io.StringIO()
    yield Stage(
        TerminalChannel(str(WANG), io.StringIO(), out),
        lambda: [said for said in out.getvalue().removesuffix("\n").split("小格:") if said],
    )


@asynccontextmanager
async def webchat_stage() -> AsyncIterator[Stage]:
    channel = WebChatChannel()
    yield Stage(channel, list)


@asynccontextmanager
async def telegram_stage() -> AsyncIterator[Stage]:
    async with TelegramServer(TOKEN) as server:
        server.say(WANG, "你好")
        channel = telegram_at(server)
        try:
            yield Stage(channel, lambda: server.texts(WANG))
        finally:
            await channel.stop()


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, **more: float) -> None:
        self.at += timedelta(**more)


def dingtalk(base_url: str = "http://127.0.0.1:9", now: Now | None = None, **options: Any) -> DingTalkChannel:
    """Make the channel; unless told where, for reading alone: it reaches nobody."""
    app = App("ding-loopback", "a-secret-of-loopback", "ding-loopback", base_url, base_url)
    tokens = options.pop("tokens", None) or LocalTokens()
    return DingTalkChannel(app, tokens, now=now or Now(), **options)


def dingtalk_at(server: DingTalkServer, now: Now, **options: Any) -> DingTalkChannel:
    """Make the channel against the stand-in."""
    return dingtalk(server.base_url, now, **options)


@asynccontextmanager
async def dingtalk_stage() -> AsyncIterator[Stage]:
    now = Now()
    async with DingTalkServer(now) as server:
        server.join(str(WANG))
        channel = dingtalk_at(server, now)
        try:
            yield Stage(channel, lambda: list(server.heard(str(WANG))))
        finally:
            await channel.stop()


class _BoundRobot(DingTalkRobotChannel):
    """Whatever is said goes into one group, as if it were bound to it."""

    secret = ""

    async def send(self, message: Outbound) -> Outcome:
        return await super().send(message.model_copy(update={"secret": self.secret, "group": True}))


@asynccontextmanager
async def dingtalk_robot_stage() -> AsyncIterator[Stage]:
    now = Now()
    async with DingTalkServer(now) as server:
        channel = _BoundRobot(now=now, base_url=server.base_url)
        sign = "SEC" + "0f" * 32
        channel.secret = read_robot(f"{server.add_robot('工作群', sign)} {sign}")
        try:
            yield Stage(channel, lambda: list(server.heard_in_group("工作群")))
        finally:
            await channel.stop()


class _BoundWeComRobot(WeComRobotChannel):
    """The same of WeCom."""

    secret = ""

    async def send(self, message: Outbound) -> Outcome:
        return await super().send(message.model_copy(update={"secret": self.secret, "group": True}))


@asynccontextmanager
async def wecom_robot_stage() -> AsyncIterator[Stage]:
    now = Now()
    async with WeComRobotServer(now) as server:
        channel = _BoundWeComRobot(now=now, base_url=server.base_url)
        channel.secret = server.add_robot("工作群")
        try:
            yield Stage(channel, lambda: list(server.heard_in_group("工作群")))
        finally:
            await channel.stop()


@dataclass(frozen=True)
class Kind:
    """One kind of channel: how it is put on a stage, and what makes a request trusted."""

    stage: Callable[[], AbstractAsyncContextManager[Stage]]
    parser: Callable[[], Channel]
    headers: dict[str, str] = field(default_factory=dict)
    keeps_words: bool = True
    """The words that were sent can be seen at the far end."""
    seal: Callable[[bytes], Request] | None = None
    """Makes a request of a body where a header is not enough: its platform signs or encrypts."""
    write: Callable[[Any], bytes] = lambda body: json.dumps(body).encode()
    """A body of `BODIES` as the platform writes it, where that is not JSON."""

    def trusted(self, body: bytes) -> Request:
        """A request that the channel takes for its platform's."""
        return self.seal(body) if self.seal else Request(self.headers, {}, body)


@asynccontextmanager
async def wecom_stage() -> AsyncIterator[Stage]:
    async with wecom_stages.played() as (server, channel, _):
        server.meet(str(WANG))
        yield Stage(channel, lambda: server.heard(str(WANG)))


@asynccontextmanager
async def wechat_stage() -> AsyncIterator[Stage]:
    async with wechat_stages.played() as (server, channel, _):
        await server.say(str(WANG), "你好")
        yield Stage(channel, lambda: server.heard(str(WANG)))


@asynccontextmanager
async def wecom_kf_stage() -> AsyncIterator[Stage]:
    async with wecom_kf_stages.played() as (server, channel, _):
        await server.say(str(WANG), "你好")
        yield Stage(channel, lambda: server.heard(str(WANG)))


KINDS = {
    "dingtalk": Kind(dingtalk_stage, dingtalk, {}),
    "dingtalk_robot": Kind(dingtalk_robot_stage, lambda: DingTalkRobotChannel(now=Now()), {}),
    "memory": Kind(memory_stage, lambda: MemoryChannel(secret=SECRET), {MEMORY_HEADER: SECRET}),
    "terminal": Kind(terminal_stage, lambda: TerminalChannel("我", io.StringIO(), io.StringIO()), {}),
    "telegram": Kind(telegram_stage, telegram, {TELEGRAM_HEADER: SECRET}),
    "wechat": Kind(wechat_stage, wechat_stages.wechat, seal=wechat_stages.sealed, write=as_xml),
    "wecom": Kind(wecom_stage, wecom, seal=sealed, write=as_xml),
    "wecom_kf": Kind(wecom_kf_stage, wecom_kf_stages.wecom_kf, seal=sealed, write=as_xml),
    "wecom_robot": Kind(wecom_robot_stage, lambda: WeComRobotChannel(now=Now())),
    "webchat": Kind(webchat_stage, WebChatChannel, {}, keeps_words=False),
}


def parsed(channel: Channel, request: Request) -> Sequence[Inbound] | None:
    """Messages in a request, or None when it was refused in one of the two ways that are allowed."""
    try:
        return channel.parse(request)
    except Unreadable as no:
        return None if 0 < len(no.message_id) <= 80 else pytest.fail(f"an odd name: {no.message_id!r}")
    except Untrusted:
        return None


class Ear:
    """An `accept` that remembers; it may be told to fail, or never to come back."""

    def __init__(self) -> None:
        self.heard: list[Inbound] = []
        self.batches = 0
        self.troubles: list[Exception] = []
        self.first: asyncio.Event = asyncio.Event()
        """Set when anything was offered."""
        self.hangs = False
        self.before: Callable[[], None] = lambda: None

    async def __call__(self, messages: Sequence[Inbound]) -> None:
        self.first.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.before()
        self.batches += 1
        self.heard += messages

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.heard]


class Rests:
    """Rests that take no time and are written down."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)
