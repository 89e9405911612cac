"""A whole small house behind the web door: a town in a file, lane, postman and a real server on loopback."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Select, func, select
from sqlmodel import Session

from bot.channel import Channel
from bot.channels.memory import MemoryChannel
from bot.channels.webchat import Hub, WebChatChannel
from bot.figures import Figures
from bot.keeping import SealedStore
from bot.lane import Lane
from bot.list_reader import ListReader
from bot.media import MediaStore
from bot.postman import Postman
from handlers.actor import CLOCK
from handlers.founding import found_town
from handlers.links import Links
from handlers.tokens import issue
from handlers.tokens import seats as seats_of
from handlers.work import Desk
from handlers.writing import Writing
from models import Scope
from models.database import Database, open_database
from scheduler.clock import SettableClock
from scheduler.runner import Runner
from tests.town import FOUNDING, book_of
from web.app import make_app
from web.parts import Parts

T = TypeVar("T")
SECRET = "a-word-between-us"
"""What a webhook request to the memory channel must carry."""
METRICS_KEY = "a-word-for-monitoring"
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""10:00 of a working day in the town."""


@dataclass
class House:
    """The parts of one running program, as a test wants to reach them."""

    database: Database
    desk: Desk
    lane: Lane
    channels: dict[str, Channel]
    media: MediaStore
    lists: SealedStore
    list_reader: ListReader
    hub: Hub
    clock: SettableClock
    postman: Postman
    runner: Runner
    demo: bool
    seats: dict[str, int] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)
    url: str = ""
    release: threading.Event = field(default_factory=threading.Event)
    """Set by a test that held up the lane."""

    @property
    def parts(self) -> Parts:
        """What the web door is given."""
        return Parts(
            desk=self.desk,
            lane=self.lane,
            channels=self.channels,
            media=self.media,
            lists=self.lists,
            hub=self.hub,
            demo=self.demo,
            advance=self._advance if self.demo else None,
            next_due=self.runner.next_due if self.demo else None,
            figures=self.figures,
            metrics_key=METRICS_KEY,
        )

    async def _advance(self, minutes: float | None) -> datetime:
        now = self.clock.now()
        until = await self.runner.next_due() if minutes is None else now + timedelta(minutes=minutes)
        await self.runner.catch_up(max(until or now, now))
        self.postman.nudge()
        return self.clock.now()

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Live as long as the server does."""
        self.lane.start()
        carrying = asyncio.create_task(self.postman.run())
        reading = asyncio.create_task(self.list_reader.run())
        yield
        reading.cancel()
        self.postman.stop()
        await carrying
        await asyncio.to_thread(self.lane.stop)

    def token(self, seat: str, scope: Scope, until: datetime | None = None) -> str:
        """A key of the person on a seat."""
        return self.write(lambda session: issue(session, self.seats[seat], scope, self.clock.now(), until))

    def write(self, job: Callable[[Writing], T]) -> T:
        """Write something through the lane."""
        return self.lane.run_soon(job).result(10)

    def count(self, query: Select[Any]) -> int:
        """Rows of a query."""
        with Session(self.database.reader) as session:
            return session.execute(select(func.count()).select_from(query.subquery())).scalar() or 0


def build_house(
    url: str, folder: Path, *, place: str = "default", demo: bool = True, running: bool = True
) -> House:
    """Join the parts over a migrated database and write the place's town into it.

    `running`: whether the clock goes on by itself, or stands until it is moved.
    """
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None
    if file is not None and place in _founded:
        shutil.copy(_founded[place], file)
    database, book, hub = open_database(url), book_of(place), Hub()
    clock = SettableClock(MONDAY, running=running)
    desk = Desk(database, book, clock.now)
    desk.links = Links("http://pages.example")
    if file is None or place not in _founded:
        _found(Desk(database, book, lambda: FOUNDING), place, file)
    with desk.reading(CLOCK) as reading:
        seats = seats_of(reading.session)
    memory = MemoryChannel(secret=SECRET)
    channels: dict[str, Channel] = {"webchat": WebChatChannel(hub), "memory": memory}
    nudges: list[Callable[[], None]] = []

    def wake() -> None:
        for nudge in nudges:
            nudge()

    lane = Lane(desk, on_mail=wake)
    figures = Figures()
    lane.on_kept = figures.heard
    postman = Postman(lane, book, channels, clock.now, figures)
    nudges.append(postman.nudge)
    runner = Runner(lane, desk, clock)
    media, lists = MediaStore(folder / "media"), SealedStore(folder / "lists")
    reader = ListReader(desk, lane, channels, lists)
    reader.every = 0.05
    return House(
        database,
        desk,
        lane,
        channels,
        media,
        lists,
        reader,
        hub,
        clock,
        postman,
        runner,
        demo,
        seats,
        figures,
    )


_copies = TemporaryDirectory(prefix="houses-")
_founded: dict[str, Path] = {}


def _found(desk: Desk, place: str, file: Path | None) -> None:
    """Write the town once; further houses of the same place copy the SQLite file."""
    with desk.work() as work:
        found_town(work, channel="webchat", named=False)
    if file is not None:
        desk.database.checkpoint()
        _founded[place] = Path(shutil.copy(file, Path(_copies.name) / f"{place}.db"))


@contextmanager
def serving(house: House) -> Iterator[House]:
    """Serve a house over a real socket of this machine."""
    config = uvicorn.Config(
        make_app(house.parts, house.lifespan), port=0, log_level="warning", timeout_graceful_shutdown=1
    )
    server = Told(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.up.wait(20), "the server did not come up"
    house.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield house
    finally:
        server.end()
        thread.join(20)
        assert not thread.is_alive(), "the server did not end"
        house.database.close()


class Told(uvicorn.Server):
    """A server that tells when it listens, and does not wait where nothing is to be waited for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to listen, and say so."""
        await super().startup()
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        self.up.set()

    def end(self) -> None:
        """End as soon as can be; called in another thread."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Serve until told; uvicorn's own looks ten times a second."""
        await self.on_tick(0)
        await self._told.wait()

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Hang up; callers who are still there are given the time that uvicorn gives to all."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown()
            return
        for listening in self.servers:
            listening.close()
        await self.lifespan.shutdown()
