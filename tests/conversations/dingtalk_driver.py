"""DingTalk's people."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.channel import Accept, Channel
from bot.channels.dingtalk import DingTalkChannel
from bot.channels.dingtalk_api import App
from bot.channels.dingtalk_server import DingTalkServer
from bot.tokens import LocalTokens
from tests.conversations.driver import Now

GROUP = "cidGroup0001=="
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


class DingTalkDriver:
    """People with names of the organisation's for handles; the robot holds a line."""

    name = "dingtalk"
    cannot: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._now: Now = lambda: BEFORE
        self._server = DingTalkServer(self._moment, retry_seconds=5)
        self._channel: DingTalkChannel | None = None
        self._handles: dict[str, str] = {}
        self._up = False

    def _moment(self) -> datetime:
        return self._now()

    async def open(self, accept: Accept, now: Now) -> Channel:
        """Start the stand-in once, and a robot with a line to it."""
        self._now = now
        if not self._up:
            await self._server.__aenter__()
            self._up = True
        base = self._server.base_url
        app = App(self._server.client_id, self._server.client_secret, self._server.robot_code, base, base)
        self._channel = DingTalkChannel(app, LocalTokens(), now=now)
        await self._channel.start(accept)
        await self._server.gateway.opening()
        return self._channel

    async def close(self) -> None:
        """Hang up."""
        if self._channel is not None:
            await self._channel.stop()
            while self._server.gateway.lines:
                await asyncio.sleep(0.001)

    async def end(self) -> None:
        """Stop the stand-in."""
        await self._server.__aexit__(None, None, None)

    def handle(self, name: str) -> str:
        """A name as an organisation gives."""
        if name not in self._handles:
            handle = self._handles[name] = f"user{len(self._handles) + 1:04}"
            self._server.names[handle] = name
            self._server.join(handle)
        return self._handles[name]

    async def say(self, name: str, words: str) -> None:
        """Write in private."""
        await self._server.say(self.handle(name), words)

    async def say_in_group(self, name: str, words: str, *, addressed: bool) -> None:
        """Write in the group; what does not call the robot is told only where an organisation allows it."""
        message = self._server.message(self.handle(name), GROUP, msgtype="text", text={"content": words})
        self._server.deliver(message if addressed else message | {"isInAtList": False, "atUsers": []})

    async def send_photo(self, name: str, data: bytes, words: str) -> None:
        """Send a picture, with its words where there are any."""
        handle = self.handle(name)
        if not words:
            await self._server.send_photo(handle, data)
            return
        pieces = [{"text": words}, {"type": "picture", "downloadCode": self._server.keep(data)}]
        self._server.deliver(self._server.message(handle, msgtype="richText", content={"richText": pieces}))

    async def send_file(self, name: str, file: str, data: bytes) -> None:
        """Send a document."""
        await self._server.send_document(self.handle(name), file, data)

    async def send_place(self, name: str, lat: float, lon: float) -> None:
        """DingTalk tells a robot of no places."""
        raise NotImplementedError

    async def press(self, name: str, label: str) -> bool:
        """There are no buttons."""
        return False

    def heard(self, name: str) -> Sequence[str]:
        """Texts in the private chat."""
        return self._server.heard(self.handle(name))

    def heard_in_group(self) -> Sequence[str]:
        """Texts in the group."""
        return self._server.heard_in_group(GROUP)

    @property
    def under_way(self) -> bool:
        """Deliveries that were not confirmed yet."""
        return bool(self._server.gateway.pending)
