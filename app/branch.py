"""One place in a process that serves several: started, tried again where that fails, and stopped."""

import asyncio
import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import anyio.to_thread
from anyio import CapacityLimiter
from sqlalchemy import text as statement
from sqlmodel import Session
from starlette.types import ASGIApp

from app.alone import NoUse, alone
from app.build import Program, build
from app.paths import must_keep_photos
from app.places import Place
from app.settings import Settings
from app.tables import bring_up_to_date
from app.whole import must_be_whole
from bot.tracing import in_place
from handbook import Book, BookError, open_book
from handlers.founding import is_founded
from models.database import Database
from web.app import make_app
from web.health import trouble_with
from web.reading import Looks

log = logging.getLogger("xiaoge.app")

WAITS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each new try of a place that could not be started; the last is repeated."""
EMPTY = (
    "The registry is empty: `xiaoge --place {0} import` brings in the place's own lists, and "
    "`xiaoge --place {0} found` writes the example town."
)


class Shelf:
    """What the places of a process know of each other: books that several use, and who has which database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._books: dict[tuple[str, str], Book] = {}
        self._holders: dict[Hashable, str] = {}

    def book(self, settings: Settings) -> Book:
        """A book is read once: it is frozen, and takes memory. Raises BookError."""
        with self._lock:
            book = self._kept((settings.place, ""), lambda: open_book(settings.place))
            title = settings.title
            return self._kept((settings.place, title), lambda: _called(book, title)) if title else book

    def _kept(self, name: tuple[str, str], make: Callable[[], Book]) -> Book:
        if name not in self._books:
            self._books[name] = make()
        return self._books[name]

    def app(self, program: Program) -> ASGIApp:
        """Make a web application; one at a time, for the framework quiets warnings for the whole process."""
        with self._lock:
            return make_app(program.parts())

    def claim(self, database: Database, name: str) -> None:
        """Take a database for a place. Raises NoUse when it is another's, whatever address named it."""
        with self._lock:
            holder = self._holders.setdefault(_identity(database), name)
        if holder != name:
            raise NoUse(f"This is the database of {holder}: give each place its own.")


def _called(book: Book, title: str) -> Book:
    """The same book under another name of the place."""
    place = book.place.model_copy(update={"name": title})
    return replace(book, data=book.data.model_copy(update={"place": place}))


def _identity(database: Database) -> Hashable:
    """The same for all addresses of one database; another one after it was made anew."""
    with database.reader.connect() as connection:
        if database.kind == "sqlite":
            stat = Path(connection.execute(statement("PRAGMA database_list")).one().file).stat()
            return stat.st_dev, stat.st_ino
        query = "SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
        return tuple(connection.execute(statement(query)).one())


@dataclass(frozen=True)
class _Opened:
    program: Program
    app: ASGIApp
    looks: Looks
    held: ExitStack


class Branch:
    """One place: its program while it can be had, and why not otherwise.

    Args:
        place: of the file of places.
        shelf: shared by all places of the process.
        waits: seconds between tries.
    """

    def __init__(self, place: Place, shelf: Shelf, waits: Sequence[float] = WAITS) -> None:
        self.name = place.name
        self.hostname = place.hostname
        self.tried = asyncio.Event()
        """Set when the first try is over, whatever came of it."""
        self.trouble = place.trouble
        """Why it is not served; empty while it is."""
        self._place = place
        self._shelf = shelf
        self._waits = waits
        self._opened: _Opened | None = None
        self._threads = CapacityLimiter(
            1
        )  # of its own: a server that does not answer holds up no other place

    @property
    def title(self) -> str:
        """What people call the place: its book's name, or its short one where the book cannot be had."""
        settings = self._place.settings
        try:
            return self._shelf.book(settings).place.name if settings else self.name
        except BookError:
            return self.name

    @property
    def url(self) -> str:
        """Where people find it."""
        return self._place.settings.url if self._place.settings else self._place.base

    @property
    def app(self) -> ASGIApp | None:
        """Its web application; None while it cannot be served."""
        return self._opened.app if self._opened else None

    @property
    def program(self) -> Program | None:
        """What runs; None while nothing does."""
        return self._opened.program if self._opened else None

    async def is_well(self) -> bool:
        """Whether it can write and read just now."""
        opened = self._opened
        return opened is not None and await trouble_with(opened.program.parts(), opened.looks) is None

    # ---- starting ------------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Try until it is served. Whatever is made meanwhile bears the place's name in the log."""
        with in_place(self.name):
            if self._place.settings is None:
                log.error("the place is not served until its table is mended: %s", self.trouble)
                self.tried.set()
                return
            tries = 0
            while not await self._try():
                self.tried.set()
                await asyncio.sleep(self._waits[min(tries, len(self._waits) - 1)])
                tries += 1
            self.tried.set()

    async def _try(self) -> bool:
        try:
            opened = await anyio.to_thread.run_sync(self._open, limiter=self._threads)
            await self._start(opened)
        except Exception as trouble:  # noqa: BLE001 (whatever it is, the other places are served)
            self._tell(trouble)
            return False
        self._opened, self.trouble = opened, ""
        log.info("the place is served at %s", self.url)
        return True

    def _tell(self, trouble: Exception) -> None:
        """Once for each kind: it may last for days."""
        words = (str(trouble).splitlines() or [""])[0] or type(trouble).__name__
        if words != self.trouble or not self.tried.is_set():
            log.error("the place cannot be served, and is tried again: %s", words)
        self.trouble = words

    def _open(self) -> _Opened:
        settings = self._place.must_be_usable()
        with ExitStack() as stack:
            must_keep_photos(settings.media)
            stack.enter_context(alone(settings.database_url))
            bring_up_to_date(settings.database_url)
            program = build(settings, book=self._shelf.book(settings))
            stack.callback(program.database.close)
            self._shelf.claim(program.database, self.name)
            must_be_whole(program.database)
            with Session(program.database.reader) as session:
                if not is_founded(session):
                    raise NoUse(EMPTY.format(self.name))
            return _Opened(program, self._shelf.app(program), Looks(program.desk), stack.pop_all())

    async def _start(self, opened: _Opened) -> None:
        try:
            await opened.program.start()
        except BaseException:
            await self._end(opened)
            raise

    # ---- stopping ------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """End what runs; the database is free afterwards."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with in_place(self.name):
                await self._end(opened)

    async def _end(self, opened: _Opened) -> None:
        try:
            await opened.program.stop()
        except Exception:
            log.exception("the place did not end as it should")
        finally:
            opened.held.close()


def branches_of(places: Sequence[Place], make: Callable[[Place, Shelf], Branch] = Branch) -> list[Branch]:
    """One for each place, with one shelf."""
    shelf = Shelf()
    return [make(place, shelf) for place in places]
