"""How a test drives a channel from its far end: the people of a platform that a stand-in plays."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bot.channel import Accept, Channel

Now = Callable[[], datetime]


class Driver(Protocol):
    """One platform: its stand-in, the channel that talks with it, and the people who use it."""

    name: str
    """Of the channel."""
    cannot: frozenset[str]
    """Talks that it cannot hold, by the beginning of their names; the reason stands beside each."""

    async def open(self, accept: Accept, now: Now) -> Channel:
        """Start the stand-in, if it is not there yet, and a channel that talks with it."""
        ...

    async def close(self) -> None:
        """Stop the channel; the platform goes on."""
        ...

    async def end(self) -> None:
        """Stop the platform."""
        ...

    def handle(self, name: str) -> str:
        """The account of whoever is called so: always the same, and of a form the platform has."""
        ...

    async def say(self, name: str, words: str) -> None:
        """Write to the bot alone."""
        ...

    async def say_in_group(self, name: str, words: str, *, addressed: bool) -> None:
        """Say something in a group where the bot is."""
        ...

    async def send_photo(self, name: str, data: bytes, words: str) -> None:
        """Send a picture, with words where the platform allows them, else the words after it."""
        ...

    async def send_file(self, name: str, file: str, data: bytes) -> None:
        """Send a file that is no picture."""
        ...

    async def send_place(self, name: str, lat: float, lon: float) -> None:
        """Send where one is, in WGS-84 degrees."""
        ...

    async def press(self, name: str, label: str) -> bool:
        """Press the newest button of that label; False where the platform showed none."""
        ...

    def heard(self, name: str) -> Sequence[str]:
        """All that this person's client shows of the bot's words, a message each, oldest first."""
        ...

    def heard_in_group(self) -> Sequence[str]:
        """All that the bot said in the group."""
        ...

    @property
    def under_way(self) -> bool:
        """Whether anything that people did has not reached us yet."""
        ...
