"""People who write to 微信客服."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime

from bot.channel import Accept, Channel, Request
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wecom_kf import WeComKfChannel
from bot.channels.wecom_kf_rules import Customer
from bot.channels.wecom_kf_server import WeComKfServer
from bot.cursors import LocalCursors
from bot.leases import LocalLeases
from bot.tokens import LocalTokens
from tests.conversations.driver import Now

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


class WeComKfDriver:
    """Residents in personal WeChat, who tap on the lines of a menu.

    Their windows are held open, as a talk lasts for days; what a closed one means is tested apart.
    """

    name = "wecom_kf"
    cannot = frozenset({"76_", "79_", "94_", "95_"})
    """No groups."""

    def __init__(self) -> None:
        self._now: Now = lambda: BEFORE
        self._server = WeComKfServer(now=self._moment)
        self._channel: WeComKfChannel | None = None
        self._cursors = LocalCursors()
        self._door = LoopbackServer(self._answer)
        self._handles: dict[str, str] = {}
        self._up = False

    def _moment(self) -> datetime:
        return self._now()

    async def open(self, accept: Accept, now: Now) -> Channel:
        """Start the stand-in and our door once, and an account behind it."""
        self._now = now
        if not self._up:
            await self._server.__aenter__()
            await self._door.__aenter__()
            self._up = True
        server = self._server
        self._channel = WeComKfChannel(
            server.corp_id,
            server.kf_id,
            server.secret,
            callback_token=server.callback_token,
            callback_key=server.callback_key,
            tokens=LocalTokens(),
            cursors=self._cursors,
            leases=LocalLeases(),
            now=now,
            base_url=server.base_url,
        )
        await self._channel.start(accept)
        await server.connect(f"{self._door.url}/hooks/wecom_kf")
        return self._channel

    async def _answer(self, call: Call) -> Reply:
        """As the web's door does."""
        assert self._channel is not None
        request = Request(call.headers, call.query, call.body)
        if call.verb == "GET":
            return Reply(200, self._channel.greet(request).encode(), "text/plain")
        inbounds = self._channel.parse(request)
        answer = await self._channel.answer(request, inbounds)
        return Reply(200, answer.body.encode(), answer.kind)

    async def close(self) -> None:
        """Stop the account."""
        if self._channel is not None:
            await self._channel.stop()

    async def end(self) -> None:
        """Stop the stand-in and the door."""
        await self._server.__aexit__(None, None, None)
        await self._door.__aexit__(None, None, None)

    def handle(self, name: str) -> str:
        """An account as WeCom gives to somebody from outside."""
        if name not in self._handles:
            self._handles[name] = f"wmCustomer{len(self._handles) + 1:020}"
            self._server.customers[self._handles[name]] = _Reachable()
        return self._handles[name]

    async def _pulled(self, deed: Awaitable[object]) -> None:
        """Do something, and wait until it has been pulled."""
        await deed
        async with asyncio.timeout(10):
            while self.under_way:
                await asyncio.sleep(0.001)

    async def say(self, name: str, words: str) -> None:
        """Write to the account."""
        await self._pulled(self._server.say(self.handle(name), words))

    async def say_in_group(self, name: str, words: str, *, addressed: bool) -> None:
        """The account is in no groups."""
        raise NotImplementedError

    async def send_photo(self, name: str, data: bytes, words: str) -> None:
        """Send a picture, and the words after it."""
        await self._pulled(self._server.send_photo(self.handle(name), data))
        if words:
            await self.say(name, words)

    async def send_file(self, name: str, file: str, data: bytes) -> None:
        """Send a document."""
        await self._pulled(self._server.send_file(self.handle(name), file, data))

    async def send_place(self, name: str, lat: float, lon: float) -> None:
        """Send where one is."""
        await self._pulled(self._server.send_location(self.handle(name), lat, lon))

    async def press(self, name: str, label: str) -> bool:
        """Tap on a line of a menu."""
        try:
            await self._pulled(self._server.press(self.handle(name), label))
        except LookupError:
            return False
        return True

    def heard(self, name: str) -> Sequence[str]:
        """What the chat shows."""
        return self._server.heard(self.handle(name))

    def heard_in_group(self) -> Sequence[str]:
        """Nothing: it is in no groups."""
        return ()

    @property
    def under_way(self) -> bool:
        """Whether something was said that is not pulled yet."""
        there = len(self._server.entries)
        return there > 0 and self._cursors.kept.get(f"wecom_kf:{self._server.kf_id}") != f"cursor-{there}"


class _Reachable(Customer):
    """Somebody whose window never closes."""

    def must_be_open(self, now: datetime) -> None:
        """It is."""
