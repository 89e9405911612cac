"""The people of an official account."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.channel import Accept, Channel, Request
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wechat import WeChatChannel
from bot.channels.wechat_answering import Answering
from bot.channels.wechat_rules import Follower, Window
from bot.channels.wechat_server import WeChatServer
from bot.tokens import LocalTokens
from tests.conversations.driver import Now

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


class WeChatDriver:
    """Followers with phones; choices are answered by number.

    A talk lasts for days and its people are told more than they write: their windows are held open here, and
    what a closed one means is tested apart. Nothing is said while a delivery is open: letters of a talk are
    sent when it has been answered.
    """

    name = "wechat"
    cannot = frozenset({"76_", "79_", "77_", "78_", "94_", "95_"})
    """No groups (76, 79, 94, 95), and no documents come in (77, 78 send a list as a file)."""

    def __init__(self) -> None:
        self._now: Now = lambda: BEFORE
        self._server = WeChatServer(now=self._moment)
        self._channel: WeChatChannel | None = None
        self._accept: Accept | None = None
        self._door = LoopbackServer(self._answer)
        self._handles: dict[str, str] = {}
        self._up = False

    def _moment(self) -> datetime:
        return self._now()

    async def open(self, accept: Accept, now: Now) -> Channel:
        """Start the stand-in and our door once, and an account behind it."""
        self._now, self._accept = now, accept
        if not self._up:
            await self._server.__aenter__()
            await self._door.__aenter__()
            self._up = True
        server = self._server
        self._channel = WeChatChannel(
            server.app_id,
            server.secret,
            callback_token=server.callback_token,
            callback_key=server.callback_key,
            tokens=LocalTokens(),
            now=now,
            base_url=server.base_url,
            answering=Answering(patience=0.0),
        )
        await self._channel.start(accept)
        await server.connect(f"{self._door.url}/hooks/wechat")
        return self._channel

    async def _answer(self, call: Call) -> Reply:
        """As the web's door does."""
        assert self._channel is not None
        assert self._accept is not None
        request = Request(call.headers, call.query, call.body)
        if call.verb == "GET":
            return Reply(200, self._channel.greet(request).encode(), "text/plain")
        inbounds = self._channel.parse(request)
        await self._accept(inbounds)
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
        """An account as WeChat gives."""
        if name not in self._handles:
            self._handles[name] = f"oFollower{len(self._handles) + 1:019}"
            self._server.followers[self._handles[name]] = _Reachable()
        return self._handles[name]

    async def say(self, name: str, words: str) -> None:
        """Write to the account."""
        await self._server.say(self.handle(name), words)

    async def say_in_group(self, name: str, words: str, *, addressed: bool) -> None:
        """An official account is in no groups."""
        raise NotImplementedError

    async def send_photo(self, name: str, data: bytes, words: str) -> None:
        """Send a picture, and the words after it: WeChat lets none go with it."""
        await self._server.send_photo(self.handle(name), data)
        if words:
            await self._server.say(self.handle(name), words)

    async def send_file(self, name: str, file: str, data: bytes) -> None:
        """Nobody can send a document to an official account."""
        raise NotImplementedError

    async def send_place(self, name: str, lat: float, lon: float) -> None:
        """Send where one is."""
        await self._server.send_location(self.handle(name), lat, lon)

    async def press(self, name: str, label: str) -> bool:
        """There are no buttons."""
        return False

    def heard(self, name: str) -> Sequence[str]:
        """What the chat shows."""
        return self._server.heard(self.handle(name))

    def heard_in_group(self) -> Sequence[str]:
        """Nothing: it is in no groups."""
        return ()

    @property
    def under_way(self) -> bool:
        """Whoever says something waits until it is answered."""
        return False


class _Reachable(Follower):
    """Somebody whose window never closes."""

    def spoke(self, now: datetime) -> None:
        """It is open as it is."""

    def must_be_open(self, now: datetime) -> Window:
        """A window of its own for each message."""
        self.windows.clear()
        self.open_for(now, timedelta(hours=48), 5)
        return super().must_be_open(now)
