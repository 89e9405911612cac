"""What a channel must be: how it hears, how it speaks, and what it can show."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.message import Inbound, Outbound


@dataclass(frozen=True)
class Can:
    """What a channel is able to do. The bot asks for abilities, never for a channel's name."""

    buttons: bool = False
    photos: bool = False
    places: bool = False
    groups: bool = False
    webhook: bool = True
    """A platform delivers to `/hooks/{name}`; without it that address does not exist."""
    longest: int = 2000
    """Longest text of one message, in bytes of UTF-8."""
    per_second: float = 30.0
    """Messages a second over the whole channel."""
    per_chat_second: float = 1.0
    at_once: int = 1
    """Messages that may be on their way together, each to somebody else, so that a slow chat holds up nobody.
    So many may be said twice when the process is killed: once to each of so many people at most.
    """


@dataclass(frozen=True)
class Sent:
    """The channel took the message; `id` is its own name for it."""

    id: str


@dataclass(frozen=True)
class Later:
    """The channel asks to wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Gone:
    """This account cannot be reached any more (blocked, left); another one may be tried."""

    why: str


@dataclass(frozen=True)
class Refused:
    """The channel will never take this message as it is."""

    why: str


@dataclass(frozen=True)
class Broken:
    """Something failed on the way; try again."""

    why: str


Outcome = Sent | Later | Gone | Refused | Broken


class Untrusted(Exception):
    """The request is not from the platform (bad signature, bad secret): answer 4xx and keep nothing."""


class Unreadable(Exception):
    """From the platform, but not to be understood: keep as a dead letter, answer 200.

    `message_id` names it, so that the same unreadable request is kept once.
    """

    def __init__(self, message_id: str, why: str) -> None:
        super().__init__(why)
        self.message_id = message_id


@dataclass(frozen=True)
class Request:
    """A webhook request as bytes, free of any web framework. Header names are lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = field(repr=False)


Accept = Callable[[Sequence[Inbound]], Awaitable[None]]
"""Keeps messages durably; returns after they are committed."""


class Channel(Protocol):
    """One way of talking with people. Everything a vendor does stays behind this."""

    name: str
    can: Can

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Verify and read a webhook request.

        Returns the messages in it (none for things that do not concern us).
        Raises Untrusted or Unreadable, and nothing else, whatever the bytes.
        """
        ...

    async def send(self, message: Outbound) -> Outcome:
        """Say something in a chat. Never raises: trouble is an outcome."""
        ...

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Bytes and file extension of an attachment this channel named; None when it is gone for good."""
        ...

    async def start(self, accept: Accept) -> None:
        """Begin to listen where the channel itself calls out (polling). Webhook-only channels do nothing."""
        ...

    async def stop(self) -> None:
        """Stop listening and release connections."""
        ...
