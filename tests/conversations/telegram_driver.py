"""Telegram's people."""

from collections.abc import Sequence
from itertools import count

from bot.channel import Accept, Channel
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_server import TelegramServer
from tests.channels.stages import TOKEN, telegram_at
from tests.conversations.driver import Now

GROUP = -1001


class TelegramDriver:
    """People with numbers for handles; the bot polls."""

    name = "telegram"
    cannot: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._server = TelegramServer(TOKEN)
        self._channel: TelegramChannel | None = None
        self._people: dict[str, int] = {}
        self._numbers = count(7_100_001)
        self._up = False

    async def open(self, accept: Accept, now: Now) -> Channel:
        """Start the stand-in once, and a bot that polls it."""
        if not self._up:
            await self._server.__aenter__()
            self._up = True
        self._channel = telegram_at(self._server, poll_seconds=0.2)
        await self._channel.start(accept)
        return self._channel

    async def close(self) -> None:
        """Stop polling."""
        if self._channel is not None:
            await self._channel.stop()

    async def end(self) -> None:
        """Stop the stand-in."""
        await self._server.__aexit__(None, None, None)

    def handle(self, name: str) -> str:
        """A number of one's own."""
        if name not in self._people:
            number = self._people[name] = next(self._numbers)
            self._server.names[number] = name
            self._server.meet(number)
        return str(self._people[name])

    def _user(self, name: str) -> int:
        return int(self.handle(name))

    async def say(self, name: str, words: str) -> None:
        """Write in private."""
        self._server.say(self._user(name), words)

    async def say_in_group(self, name: str, words: str, *, addressed: bool) -> None:
        """Write in the group, with the bot's name where it is meant."""
        mention = f"@{self._server.username} " if addressed else ""
        self._server.say(self._user(name), mention + words, GROUP)

    async def send_photo(self, name: str, data: bytes, words: str) -> None:
        """Send a picture with its words."""
        self._server.send_photo(self._user(name), data, words)

    async def send_file(self, name: str, file: str, data: bytes) -> None:
        """Send a document."""
        self._server.send_document(self._user(name), file, data)

    async def send_place(self, name: str, lat: float, lon: float) -> None:
        """Send a place."""
        self._server.send_message(self._user(name), location={"latitude": lat, "longitude": lon})

    async def press(self, name: str, label: str) -> bool:
        """Press a button."""
        self._server.press(self._user(name), label)
        return True

    def heard(self, name: str) -> Sequence[str]:
        """Texts in the private chat."""
        return self._server.texts(self._user(name))

    def heard_in_group(self) -> Sequence[str]:
        """Texts in the group."""
        return self._server.texts(GROUP)

    @property
    def under_way(self) -> bool:
        """Updates that were not asked for yet."""
        return bool(self._server.updates.pending)
