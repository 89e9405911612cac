"""What the web door is given by whoever puts the program together."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.channel import Channel
from bot.channels.webchat import Hub
from bot.figures import Figures
from bot.keeping import SealedStore
from bot.lane import Lane
from bot.media import MediaStore
from handbook import Book
from handlers.work import Desk
from web.playing import Stage

Advance = Callable[[float | None], Awaitable[datetime]]
"""Moves the demo's clock by minutes (None: to the next due time), runs what is due, gives the new moment."""
NextDue = Callable[[], Awaitable[datetime | None]]


@dataclass(frozen=True)
class Parts:
    """Everything the pages, the API and the hooks stand on. Nothing here is made by the web itself."""

    desk: Desk
    """Opens reading works, which never wait for the writer."""
    lane: Lane
    """The only way to write."""
    channels: Mapping[str, Channel]
    """By name; each may be called at /hooks/<name>."""
    media: MediaStore
    lists: SealedStore
    """Where lists lie that were sent: apart from photos, and sealed."""
    hub: Hub
    """Of the webchat channel: wakes the open pages."""
    figures: Figures = field(default_factory=Figures)
    """What this process has counted."""
    metrics_key: str = field(default="", repr=False)
    """What monitoring has to show; empty: there are no figures to be had."""
    demo: bool = False
    advance: Advance | None = None
    """Set where the clock can be moved (the demo)."""
    next_due: NextDue | None = None
    stages: Mapping[str, Stage] = field(default_factory=dict)
    """Platforms that are played in the demo, by channel."""
    secure: bool = False
    """The pages are reached over https: cookies never travel without it."""
    base: str = ""
    """How the paths of the pages begin where several places are served: a slash and the place's name."""

    @property
    def book(self) -> Book:
        """The place's book, the same that all works go by."""
        return self.desk.book

    @property
    def mark(self) -> str:
        """Stands in the names of cookies, so that no other place's cookie is taken for one of this place."""
        return self.base.replace("/", "_").replace("-", "_")

    def now(self) -> datetime:
        """The one clock: aware UTC."""
        return self.desk.now()
