"""The one place where the parts are put together: settings in, a program that can be started out."""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.channels import Surroundings, open_channels
from app.fitting import must_fit
from app.heartbeat import Heartbeat
from app.noting import take_up
from app.sealing import must_open, read_keys, seal_plain
from app.settings import Settings
from bot.channel import Channel
from bot.channels.webchat import Hub
from bot.fetching import Fetcher
from bot.figures import Figures
from bot.keeping import SealedStore
from bot.lane import Lane
from bot.list_reader import ListReader
from bot.media import MediaStore
from bot.outbox import release
from bot.postman import Postman
from handbook import Book, open_book
from handlers.links import Links
from handlers.work import Desk
from models import Inbox, IncidentEvent, JobRun, Outbox
from models.database import Database, open_database
from scheduler.clock import Clock, SettableClock, SystemClock
from scheduler.jobs import check_schedule
from scheduler.runner import Runner

if TYPE_CHECKING:
    from web.parts import Parts
    from web.playing import Stage

log = logging.getLogger("xiaoge.app")
COMING_HOME = 10.0
"""Seconds that letters on their way have when the program is stopped; the supervisor waits for thirty."""


@dataclass
class Program:
    """Everything that runs, joined; `start` and `stop` are called in one event loop."""

    settings: Settings
    database: Database
    book: Book
    clock: Clock
    desk: Desk
    lane: Lane
    channels: dict[str, Channel]
    media: MediaStore
    hub: Hub
    postman: Postman
    runner: Runner
    fetcher: Fetcher
    lists: SealedStore
    list_reader: ListReader
    figures: Figures
    demo: bool = False
    stages: "dict[str, Stage]" = field(default_factory=dict)
    """Platforms that are played in the demo."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def parts(self) -> "Parts":
        """What the web door stands on."""
        from web.parts import Parts

        return Parts(
            desk=self.desk,
            lane=self.lane,
            channels=self.channels,
            media=self.media,
            lists=self.lists,
            hub=self.hub,
            demo=self.demo,
            advance=self.advance if self.demo else None,
            next_due=self.runner.next_due if self.demo else None,
            secure=self.settings.secure,
            base=self.settings.base,
            figures=self.figures,
            metrics_key=self.settings.metrics_key,
            stages=self.stages,
        )

    # ---- running -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Decide what an earlier process left, then listen and send; the clock's jobs come last."""
        await self.start_writing()
        for channel in self.channels.values():
            await channel.start(self.lane.accept)
        for name, part in self._endless().items():
            self._tasks.append(asyncio.create_task(part(), name=name))

    async def start_writing(self) -> None:
        """Start the lane alone. On SQLite no other process sends, so what was claimed is free again."""
        self.lane.start()
        if self.database.kind == "sqlite":
            await self.lane.run(release)
            await self.list_reader.release()

    def _endless(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {
            "postman": self.postman.run,
            "fetcher": self.fetcher.run,
            "lists": self.list_reader.run,
            "runner": self.runner.start,
            "heartbeat": Heartbeat(self.lane, self.desk, self.settings.heartbeat_url).run,
        }

    async def stop(self) -> None:
        """Finish what has begun, hear no more, and leave the database whole; what is not done yet is kept."""
        self.postman.stop()
        await self._letters_home()
        for channel in self.channels.values():
            await channel.stop()
        await self.runner.stop()
        for task in self._tasks:
            if task.get_name() != "postman":
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.stop_writing()

    async def _letters_home(self) -> None:
        """Let what is on its way come home before its channel closes: cut off, it would be sent twice."""
        postman = [task for task in self._tasks if task.get_name() == "postman"]
        if postman:
            await asyncio.wait(postman, timeout=COMING_HOME)

    async def stop_writing(self) -> None:
        """Stop the lane and close the database."""
        await asyncio.to_thread(self.lane.stop)
        self.database.close()

    # ---- the demo ------------------------------------------------------------------------------------------

    async def advance(self, minutes: float | None) -> datetime:
        """Move the demo's clock by minutes, or to the next due time; live through what is due until then.

        Returns the new moment, aware UTC. Raises ValueError for a step back.
        """
        now = self.clock.now()
        if minutes is None:
            until = await self.runner.next_due() or now
        elif minutes < 0:
            raise ValueError("the clock does not go back")
        else:
            until = now + timedelta(minutes=minutes)
        await self.runner.catch_up(max(until, now), between=self.postman.drain)
        self.postman.nudge()
        return self.clock.now()


def settle_memory() -> None:
    """Let the collector look away from what was loaded, for it stays until the end."""
    gc.freeze()
    gc.enable()


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    demo: bool = False,
    channel: Channel | None = None,
    book: Book | None = None,
) -> Program:
    """Join the parts. The database must have its tables.

    Args:
        settings: what the machine decides.
        clock: the system's unless given; in a demo one that can be moved.
        demo: seats without accounts, and a clock to be moved.
        channel: speaks instead of all the others (the terminal).
        book: the place's, where it has been read already.

    Raises:
        BookError, DatabaseTrouble: the book or the database cannot be used, or they do not belong together;
            the message says why.
    """
    book = book or open_book(settings.place)
    for name, fault in check_schedule(book).items():
        log.error("schedule.yaml: %s: %s", name, fault)
    keys = read_keys(settings)
    database = open_database(settings.database_url, writers=settings.writers, keys=keys)
    must_open(database, keys)
    sealed = seal_plain(database)
    if sealed:
        log.warning("phones that lay open in the database are sealed now: %d", sealed)
    clock = clock or (_demo_clock(database) if demo else SystemClock())
    must_fit(database, book, clock.now())
    desk = Desk(database, book, clock.now)
    take_up(settings, desk, database)
    media, lists = MediaStore(settings.media), SealedStore(settings.media / "lists", keys)
    hub = Hub()
    nudges: list[Callable[[], None]] = []
    writers = settings.writers if database.kind == "postgresql" else 1
    lane = Lane(desk, writers=writers, on_mail=lambda: _each(nudges))
    around = Surroundings.shared(settings, media, hub, lane, clock.now, book.zone)
    channels = {channel.name: channel} if channel else open_channels(around)
    desk.links = Links(settings.url, lambda: getattr(channels.get("telegram"), "username", None))
    figures = Figures()
    lane.on_kept = figures.heard
    postman = Postman(lane, book, channels, clock.now, figures)
    nudges.append(postman.nudge)
    return Program(
        settings=settings,
        database=database,
        book=book,
        clock=clock,
        desk=desk,
        lane=lane,
        channels=channels,
        media=media,
        hub=hub,
        postman=postman,
        runner=Runner(lane, desk, clock),
        fetcher=Fetcher(lane, channels, media, clock.now),
        lists=lists,
        list_reader=ListReader(desk, lane, channels, lists),
        figures=figures,
        demo=demo,
    )


def _each(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _demo_clock(database: Database) -> SettableClock:
    """A clock that was moved on stays there over a restart: else cases would be closed before they began.

    Whatever bears a moment is asked: a killed process may have left its last one in any of the tables.
    """
    moments = (col(JobRun.at), col(Inbox.received_at), col(IncidentEvent.at), col(Outbox.at))
    with Session(database.reader) as session:
        seen = [session.execute(select(func.max(moment))).scalar() for moment in moments]
    return SettableClock(max([SystemClock().now(), *(at for at in seen if at is not None)]))
