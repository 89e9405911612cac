"""WeCom's people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.channel import Accept, Channel, Request
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wecom import WeComChannel
from bot.channels.wecom_server import WeComServer
from bot.tokens import LocalTokens
from tests.conversations.driver import Now

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


class WeComDriver:
    """Members of an organisation, on 微信插件 as most grid workers are; choices are answered by number."""

    name = "wecom"
    cannot = frozenset({"76_", "79_", "94_", "95_"})
    """An application hears nothing in groups: all of these speak in one."""

    def __init__(self) -> None:
        self._now: Now = lambda: BEFORE
        self._server = WeComServer(now=self._moment)
        self._channel: WeComChannel | None = None
        self._accept: Accept | None = None
        self._door = LoopbackServer(self._answer)
        self._handles: dict[str, str] = {}
        self._up = False

    def _moment(self) -> datetime:
        return self._now()

    async def open(self, accept: Accept, now: Now) -> Channel:
        """Start the stand-in and our door once, and an application behind it."""
        self._now, self._accept = now, accept
        if not self._up:
            await self._server.__aenter__()
            await self._door.__aenter__()
            self._up = True
        server = self._server
        self._channel = WeComChannel(
            server.corp_id,
            server.agent_id,
            server.secret,
            callback_token=server.callback_token,
            callback_key=server.callback_key,
            tokens=LocalTokens(),
            now=now,
            base_url=server.base_url,
        )
        await self._channel.start(accept)
        await server.connect(f"{self._door.url}/hooks/wecom")
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
        """Stop the application."""
        if self._channel is not None:
            await self._channel.stop()

    async def end(self) -> None:
        """Stop the stand-in and the door."""
        await self._server.__aexit__(None, None, None)
        await self._door.__aexit__(None, None, None)

    def handle(self, name: str) -> str:
        """An account as an organisation gives."""
        if name not in self._handles:
            self._handles[name] = f"Member{len(self._handles) + 1:04}"
            self._server.meet(self._handles[name])
        return self._handles[name]

    async def say(self, name: str, words: str) -> None:
        """Write to the application."""
        await self._server.say(self.handle(name), words)

    async def say_in_group(self, name: str, words: str, *, addressed: bool) -> None:
        """An application hears nothing in groups."""
        raise NotImplementedError

    async def send_photo(self, name: str, data: bytes, words: str) -> None:
        """Send a picture, and the words after it: WeCom lets none go with it."""
        await self._server.send_photo(self.handle(name), data)
        if words:
            await self._server.say(self.handle(name), words)

    async def send_file(self, name: str, file: str, data: bytes) -> None:
        """Send a document."""
        await self._server.send_file(self.handle(name), file, data)

    async def send_place(self, name: str, lat: float, lon: float) -> None:
        """Send where one is."""
        await self._server.send_location(self.handle(name), lat, lon)

    async def press(self, name: str, label: str) -> bool:
        """The plugin shows no buttons."""
        return False

    def heard(self, name: str) -> Sequence[str]:
        """What 微信插件 shows."""
        return self._server.plugin_heard(self.handle(name))

    def heard_in_group(self) -> Sequence[str]:
        """Nothing: it is told nothing there."""
        return ()

    @property
    def under_way(self) -> bool:
        """Whoever says something waits until it is answered."""
        return False
