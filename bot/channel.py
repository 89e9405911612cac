"""What a channel must be: how it hears, how it speaks, and what it can show."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Literal, Protocol, runtime_checkable

from bot.message import Inbound, Outbound


@dataclass(frozen=True)
class Rate:
    """At most so many messages in so much time, counted over all processes (channels.md 2.10)."""

    per: Literal["channel", "chat", "group"]
    """Over the whole channel, to each private chat, or into each group."""
    most: int
    within: timedelta


@dataclass(frozen=True)
class Window:
    """A platform lets us speak to somebody only so long, and so often, after they have written."""

    open_for: timedelta
    most: int


@dataclass(frozen=True)
class Can:
    """What a channel is able to do. The bot asks for abilities, never for a channel's name."""

    buttons: bool = False
    photos: bool = False
    places: bool = False
    groups: bool = False
    """Hears what is said to it in groups."""
    group_push: bool = False
    """Can say something in a group unasked."""
    private: bool = True
    """Can write to a person alone; a group's robot cannot."""
    mentions: bool = False
    """Can call people by name in a group, so that their device tells them."""
    files: bool = False
    """Can send a file that is no picture."""
    webhook: bool = True
    """A platform delivers to `/hooks/{name}`; without it that address does not exist."""
    longest: int = 2000
    """Longest text of one message, in bytes of UTF-8."""
    per_second: float = 30.0
    """Messages a second over the whole channel."""
    per_chat_second: float = 1.0
    rates: tuple[Rate, ...] = ()
    """The platform's own limits, with some room; what exceeds them waits, and is never dropped."""
    window: Window | None = None
    """None: it may speak to whoever has ever written."""
    together: int = 1
    """So many people may be told the same words in one call (`SendsTogether`)."""
    in_row: int = 1
    """So many letters to one person may be on their way together, where the channel keeps their order and can
    put them into one answer.
    """
    at_once: int = 1
    """Messages that may be on their way together, each to somebody else, so that a slow chat holds up nobody.
    So many may be said twice when the process is killed: once to each of so many people at most.
    """


@dataclass(frozen=True)
class Sent:
    """The channel took the message; `id` is its own name for it."""

    id: str


@dataclass(frozen=True)
class Handed:
    """The channel took the message, and a person has to confirm it before others read it."""

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
class Closed:
    """This account may not be written to until its owner writes again; another one may be tried meanwhile."""

    why: str


@dataclass(frozen=True)
class Refused:
    """The channel will never take this message as it is."""

    why: str


@dataclass(frozen=True)
class Broken:
    """Something failed on the way; try again."""

    why: str


Outcome = Sent | Handed | Later | Gone | Closed | Refused | Broken


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
    arrived: float = field(default_factory=monotonic, compare=False)
    """Second of the monotonic clock: a platform that waits for the answer waits from then on."""


@dataclass(frozen=True)
class Answer:
    """What a delivery is answered with, once its messages are kept."""

    body: str = "ok"
    kind: str = "text/plain"
    sent: Callable[[], None] | None = None
    """Called when the platform has it: words that went with it count as sent from then on."""


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


@runtime_checkable
class Greets(Protocol):
    """A channel whose platform first asks, by GET, whether the address is ours."""

    def greet(self, request: Request) -> str:
        """Return what the platform wants to read, bare. Raises Untrusted or Unreadable, and nothing else."""
        ...


@runtime_checkable
class Answers(Protocol):
    """A channel that may answer a delivery with words, for a few seconds, instead of a call of its own."""

    async def answer(self, request: Request, inbounds: Sequence[Inbound]) -> Answer:
        """Wait, no longer than the platform does, for what is said to whoever wrote; never raises.

        It is called when the messages are kept. Letters reach the channel by `send` as always: it hands over
        those that still fit into the open answer, and says `Sent` once `Answer.sent` was called.
        """
        ...


@runtime_checkable
class SendsTogether(Protocol):
    """A channel that can tell many people the same words in one call."""

    async def send_together(self, messages: Sequence[Outbound]) -> Sequence[Outcome]:
        """Say the same parts to all, at most `can.together` of them; an outcome each. Never raises."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """A channel on which a message can be taken back for some time."""

    async def recall(self, message: Outbound, sent_as: str) -> bool:
        """Take back what was sent under the platform's own name `sent_as`; False when it is too late."""
        ...


@runtime_checkable
class Confirms(Protocol):
    """A channel where a person has to confirm what was handed over (`Handed`)."""

    async def has_confirmed(self, handed: str) -> bool | None:
        """Whether it went out: False when it never will, None while it waits. Raises ConnectionError."""
        ...

    async def remind(self, handed: str) -> bool:
        """Ask the person once more by the platform's own means; False when it will not."""
        ...


@runtime_checkable
class Scans(Protocol):
    """A channel whose platform makes QR codes by which somebody comes with a payload."""

    async def scannable(self, start: str, seconds: int) -> str:
        """What a code has to say so that whoever scans it comes with `Inbound.start`.

        Args:
            start: the payload, at most 64 letters, digits, _ and -.
            seconds: how long it is good for.

        Raises:
            ConnectionError: there is none to be had now.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """A channel that can say in plain words what is wrong with its settings (`xiaoge channels check`)."""

    async def check(self) -> Sequence[str]:
        """Ask the platform; a plain Chinese sentence for each thing to mend, none when all is well.

        Each says what to do, and where in the platform's console. Never raises, never names a secret.
        """
        ...
