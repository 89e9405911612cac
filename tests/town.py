"""A small town: people speak, time passes, messages arrive. Real database, real lane, the shipped memory
channel.
"""

import asyncio
import re
import shutil
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import func, select
from sqlmodel import Session, col

from bot.channel import Can, Channel
from bot.channels.memory import MemoryChannel
from bot.keeping import SealedStore
from bot.lane import Lane
from bot.list_reader import ListReader
from bot.message import Attachment, Inbound, Outbound, Place
from bot.postman import Postman
from handbook import Book, open_book
from handlers.command import Command, Done, perform
from handlers.founding import found_town
from handlers.links import Links
from handlers.pressing import FollowDue
from handlers.refusal import Refusal
from handlers.work import Desk
from handlers.writing import Writing
from models import ENDED, Grid, Incident, Person
from models.database import Database, open_database

T = TypeVar("T")
BUTTONS = Can(
    buttons=True, photos=True, places=True, groups=True, per_second=float("inf"), per_chat_second=float("inf")
)
PLAIN = Can(photos=True, places=True, longest=2000, per_second=float("inf"), per_chat_second=float("inf"))
LINKS = Links("http://pages.example")
GROUP = "群"
"""The chat of all that is said in a group."""
AT_ONCE = (0.0, 0.0)
"""Waits of a lane that tries again at once what broke."""
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday, 09:00 in the town."""


@dataclass
class Town:
    """A founded place whose clock is moved by hand."""

    book: Book
    database: Database
    channel: MemoryChannel
    now: datetime
    seats: dict[str, str] = field(default_factory=dict)
    """Seat -> name of the person who sits there."""
    waits: tuple[float, ...] = AT_ONCE
    """Seconds before each new try of a message that broke."""
    people: dict[int, str] = field(default_factory=dict)
    """Everybody's name by id."""
    read: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self._ids = count(1)
        self.lists = SealedStore(Path(_copies.name) / f"lists-{uuid4().hex}")
        self._begin()

    def _begin(self) -> None:
        channels = self._channels()
        self.desk = Desk(self.database, self.book, lambda: self.now)
        self.desk.links = LINKS
        self.lane = Lane(self.desk, waits=self.waits)
        self.postman = Postman(self.lane, self.book, channels, lambda: self.now)
        self.list_reader = ListReader(self.desk, self.lane, channels, self.lists)

    def _channels(self) -> dict[str, Channel]:
        return {self.channel.name: self.channel}

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        """Run something that waits."""
        return asyncio.run(story)

    def restart(self) -> None:
        """The program stops and starts again: all that is kept is the database."""
        self.lane.stop()
        self._begin()
        self.lane.start()
        self.run(self.list_reader.release())

    # ---- people ------------------------------------------------------------------------------------------

    def say(self, who: str, text: str = "", **more: object) -> list[str]:
        """Somebody sends a message. Returns what they were answered at once (all that is new for them)."""
        self.send(self.inbound(who, text, **more))
        return self.news(who)

    def inbound(self, who: str, text: str = "", **more: object) -> Inbound:
        """A message as the channel would hand it on."""
        name = self.name(who)
        fields = {
            "channel": self.channel.name,
            "message_id": f"m{next(self._ids)}",
            "chat": name,
            "handle": name,
        }
        return Inbound.model_validate({**fields, "sender_name": name, "text": text, **more})

    def send(self, *inbounds: Inbound) -> None:
        """Messages come in, are decided, and everything due is delivered."""
        self.run(self._send(inbounds))

    async def _send(self, inbounds: tuple[Inbound, ...]) -> None:
        await self.lane.accept(inbounds)
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is undecided and nothing due is unsent."""
        await self.lane.run(lambda _: None)
        while self.lane.waiting:
            await self.lane.run(lambda _: None)
        await self.list_reader.round()
        await self.postman.drain()

    def press(self, who: str, label: str) -> list[str]:
        """Press the button with a label on the latest message that has one; by its number where there are
        none.
        """
        message = self._offering(who, label)
        if self.channel.can.buttons:
            payload = next(data for words, data in message.buttons if words == label)
            return self.say(who, pressed=payload)
        number = next(n for n, words in numbered("\n".join(message.parts)) if words == label)
        return self.say(who, str(number))

    def _offering(self, who: str, label: str) -> Outbound:
        for message in reversed(self.messages(who)):
            offered = [words for words, _ in message.buttons] or [
                words for _, words in numbered("\n".join(message.parts))
            ]
            if label in offered:
                return message
        raise AssertionError(f"{who} was never offered {label}")

    def photo(self, who: str, text: str = "", key: str = "media:" + "a" * 64 + ".jpg") -> list[str]:
        """Somebody sends a photo."""
        return self.say(who, text, attachments=[Attachment(kind="photo", key=key)])

    def file(self, who: str, name: str, data: bytes, text: str = "", **more: object) -> list[str]:
        """Somebody sends a file."""
        key = f"{self.channel.name}:file-{next(self._ids)}"
        self.channel.files[key] = (data, name.rpartition(".")[2])
        file = Attachment(kind="file", key=key, name=name, size=len(data))
        return self.say(who, text, attachments=[file], **more)

    def place(self, who: str, lat: float, lon: float) -> list[str]:
        """Somebody sends where they are."""
        return self.say(who, place=Place(lat=lat, lon=lon))

    def name(self, who: str) -> str:
        """A person's name: a seat's holder, or the name itself."""
        return self.seats.get(who, who)

    def messages(self, who: str) -> list[Outbound]:
        """Everything a person was ever told; of a group, everything that was said in it."""
        name = self.name(who)
        if name == GROUP:
            said = [mail for (chat, _), mails in self.channel.sent.items() if chat == GROUP for mail in mails]
            return sorted(said, key=lambda mail: mail.mail_id)
        return self.channel.sent[name, name]

    def news(self, who: str) -> list[str]:
        """What a person was told since one last looked."""
        told = ["\n".join(message.parts) for message in self.messages(who)]
        new = told[self.read[self.name(who)] :]
        self.read[self.name(who)] = len(told)
        return new

    # ---- time --------------------------------------------------------------------------------------------

    def wait(self, **span: float) -> None:
        """Time passes; the clock does its work at every due time on the way, as it would have."""
        self.until(self.now + timedelta(**span))

    def until(self, moment: datetime) -> None:
        """Time passes until a moment."""
        self.skip_to(moment)
        self.tick()

    def skip_to(self, moment: datetime) -> None:
        """Time passes until a moment; nothing is done but what falls due on the way."""
        while (due := self.next_due()) is not None and due <= moment:
            self.now = max(due, self.now)
            self.tick()
        self.now = moment

    def tick(self) -> None:
        """The clock looks at what is due now."""
        self.do(FollowDue())
        self.run(self.settle())

    def next_due(self) -> datetime | None:
        """When the clock has to look at a case again."""
        with Session(self.database.reader) as session:
            return session.execute(
                select(func.min(Incident.next_due)).where(col(Incident.state).not_in(ENDED))
            ).scalar()

    # ---- the other doors ---------------------------------------------------------------------------------

    def do(self, command: Command, who: str | None = None) -> Done | Refusal:
        """Give a command as the API or the clock does."""

        def job(session: Writing) -> Done | Refusal:
            work = self.desk.work_in(
                session, channel="api" if who else "clock", message_id=f"d{next(self._ids)}"
            )
            if who is not None:
                work.actor = next(a for a in work.tree.staff.values() if a.name == self.name(who))
            outcome = perform(work, command)
            work.flush()
            return outcome

        return self.lane.run_soon(job).result()

    def grid(self, name: str) -> int:
        """Id of the first grid with this name."""
        with Session(self.database.reader) as session:
            found: int | None = session.execute(
                select(col(Grid.id)).where(col(Grid.name) == name).limit(1)
            ).scalar_one()
            assert found is not None
            return found

    def incident(self, number: int) -> Incident:
        """A case as it lies in the database now."""
        with Session(self.database.reader, expire_on_commit=False) as session:
            found = session.get(Incident, number)
            assert found is not None
            return found

    def latest(self) -> Incident:
        """The case filed last."""
        with Session(self.database.reader, expire_on_commit=False) as session:
            found: Incident = session.execute(
                select(Incident).order_by(col(Incident.id).desc()).limit(1)
            ).scalar_one()
            return found

    def count(self) -> int:
        """How many cases there are."""
        with Session(self.database.reader) as session:
            total: int = session.execute(select(func.count()).select_from(Incident)).scalar_one()
            return total


def numbered(text: str) -> list[tuple[int, str]]:
    """The numbered choices at the end of a message, on one line or several."""
    return [(int(n), words) for n, words in re.findall(r"(?:^|  |\n)(\d{1,2}) ([^\n]+?)(?=  \d|\n|$)", text)]


FOUNDING = datetime(2026, 1, 1, tzinfo=UTC)
book_of = lru_cache(open_book)
"""Reading a book takes half a second; it is frozen, so every test may share it."""
_copies = TemporaryDirectory(prefix="towns-")
_founded: dict[str, Path] = {}


@contextmanager
def founded(place: str, url: str, *, can: Can = BUTTONS, now: datetime = START) -> Iterator[Town]:
    """A town of a place in a migrated, empty database."""
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None
    if file is not None and place in _founded:
        shutil.copy(_founded[place], file)
    database = open_database(url)
    town = Town(book_of(place), database, MemoryChannel("memory", can), FOUNDING)
    if file is None or place not in _founded:
        _found(town, place, file)
    town.seats, town.people = _people(town)
    town.now = now
    town.lane.start()
    try:
        yield town
    finally:
        town.lane.stop()
        database.close()


def _found(town: Town, place: str, file: Path | None) -> None:
    """Write the town once; further tests of the same place copy the SQLite file."""
    with town.desk.work() as work:
        found_town(work, channel="memory")
    if file is not None:
        town.database.checkpoint()
        _founded[place] = Path(shutil.copy(file, Path(_copies.name) / f"{place}.db"))


def _people(town: Town) -> tuple[dict[str, str], dict[int, str]]:
    with Session(town.database.reader) as session:
        people = list(session.execute(select(Person)).scalars())
    seats = {person.seat: person.name for person in people if person.seat}
    return seats, {person.id: person.name for person in people if person.id is not None}
