"""A founded place for random walks: commands through `perform` on a real database, many to a commit."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from bot.channel import Can, Sent
from bot.channels.memory import MemoryChannel
from bot.outbox import Letter, acknowledge, claim
from handlers import catalogue
from handlers.actor import CLOCK, Actor
from handlers.command import Command, Done, perform
from handlers.founding import found_town
from handlers.pressing import FollowDue
from handlers.refusal import Refusal
from handlers.tree import Tree
from handlers.work import EVENTS, MAIL, Desk, Return, Work
from handlers.writing import Writing
from models import Incident, MailState, Participant, Person
from models.database import open_database
from tests.handbook.books import book_of

INCIDENTS = Incident.__table__  # type: ignore[attr-defined]
PARTS = Participant.__table__  # type: ignore[attr-defined]
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CHANNEL = "memory"
STRANGERS = ("过路人", "外地人")
COMMANDS = catalogue.COMMANDS


@dataclass
class Happened:
    """What one command did: its outcome, and the rows it added, as they lie in the database."""

    outcome: Done | Refusal
    actor: Actor
    command: Command
    channel: str
    message_id: str
    events: list[Any] = field(default_factory=list)
    mail: list[Any] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)
    """Keys of the promises that were made: one person hears of one happening once, but never not at all."""


class Killed(BaseException):
    """The program's end, in the midst of anything."""


class World:
    """One place, one session, a clock moved by hand; what is not committed can be lost."""

    def __init__(self, place: str, url: str, start: datetime = START) -> None:
        self.book = book_of(place)
        self.now = start
        self.database = open_database(url)
        self.channel = MemoryChannel(CHANNEL, Can(buttons=True))
        self.serial = 0
        self._open()
        with self.desk.work() as work:
            found_town(work, channel=CHANNEL)
            for name in STRANGERS:
                work.session.add(Person(name=name))
        self.session = Writing(self.database.writer)
        self.actors = self._actors()
        self._mark()

    def _open(self) -> None:
        self.desk = Desk(self.database, self.book, lambda: self.now)
        self._batch = ExitStack()

    def _actors(self) -> list[Actor]:
        """Everybody: those with posts as the tree knows them, residents and strangers without any."""
        staff = self.desk.tree(self.session).staff
        rows = self.session.execute(select(Person).order_by(col(Person.id))).scalars()
        people = [(row.id or 0, row.name, row.home_grid_id) for row in rows]
        return [staff.get(pid) or Actor(pid, name, home_grid_id=home) for pid, name, home in people]

    def _mark(self) -> None:
        self.last_event = self.session.execute(select(EVENTS.c.id).order_by(EVENTS.c.id.desc())).scalar() or 0
        self.last_mail = self.session.execute(select(MAIL.c.id).order_by(MAIL.c.id.desc())).scalar() or 0
        self._dropped: set[int] = set()
        self.dropped()

    def close(self) -> None:
        """Let go of the database."""
        with suppress(Killed):
            self._batch.__exit__(Killed, Killed(), None)
        self.session.close()
        self.database.close()

    # ---- time and accidents ------------------------------------------------------------------------------

    def commit(self) -> None:
        """Keep what was done so far."""
        self._batch.close()
        self.session.commit()

    def together(self) -> None:
        """From now until it is kept: many works with cheap savepoints, as the lane decides messages."""
        self.commit()
        self._batch.enter_context(self.session.together())

    def restart(self) -> None:
        """The program is killed: what was not committed never was; everything is read anew."""
        with suppress(Killed):
            self._batch.__exit__(Killed, Killed(), None)
        self.session.rollback()
        self.session.close()
        self._open()
        self.session = Writing(self.database.writer)
        self._mark()

    def wait(self, span: timedelta) -> None:
        """Time passes, and nobody looks."""
        self.now += span

    # ---- doing -------------------------------------------------------------------------------------------

    def do(self, actor: Actor, command: Command, *, chat: bool = True) -> Happened:
        """Give a command; the work is flushed, and what it added is read back."""
        self.serial += 1
        channel, message_id = (CHANNEL if chat else "api"), f"m{self.serial}"
        back = Return(CHANNEL, actor.name, actor.name) if chat else None
        work = self.desk.work_in(self.session, actor, channel=channel, message_id=message_id, back=back)
        return self._done(work, command)

    def follow(self) -> Happened:
        """The clock looks once at everything that is due."""
        self.serial += 1
        work = self.desk.work_in(self.session, message_id=f"tick{self.serial}")
        return self._done(work, FollowDue())

    def _done(self, work: Work, command: Command) -> Happened:
        outcome = perform(work, command)
        happened = Happened(outcome, work.actor, command, work.channel, work.message_id)
        happened.promised = {mail["key"] for mail in work._mail}
        work.flush()
        happened.events = self._added(EVENTS, self.last_event)
        happened.mail = self._added(MAIL, self.last_mail)
        self.last_event = happened.events[-1].id if happened.events else self.last_event
        self.last_mail = happened.mail[-1].id if happened.mail else self.last_mail
        return happened

    def _added(self, table: Any, after: int) -> list[Any]:
        return list(self.session.execute(select(table).where(table.c.id > after).order_by(table.c.id)))

    def claim(self) -> list[Letter]:
        """Take the mail that may go out now."""
        return claim(self.session, self.book, {CHANNEL: self.channel}, self.now)

    def dropped(self) -> list[Any]:
        """Mail that has been dropped since one last asked, because it was no longer true."""
        query = select(MAIL).where(MAIL.c.state == MailState.DROPPED).order_by(MAIL.c.id)
        found = [mail for mail in self.session.execute(query) if mail.id not in self._dropped]
        self._dropped |= {mail.id for mail in found}
        return found

    def sent(self, letter: Letter) -> None:
        """Keep that a letter went out."""
        acknowledge(self.session, letter, Sent(str(letter.mail_id)), self.now)

    # ---- looking -----------------------------------------------------------------------------------------

    def row(self, number: int) -> Any:
        """A case as it lies in the database."""
        return self.session.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).one_or_none()

    def rows(self) -> dict[int, Any]:
        """All cases as they lie in the database."""
        return {row.id: row for row in self.session.execute(select(INCIDENTS))}

    def events(self, number: int) -> list[Any]:
        """The log of a case."""
        query = select(EVENTS).where(EVENTS.c.incident_id == number).order_by(EVENTS.c.id)
        return list(self.session.execute(query))

    def mail(self, mail_id: int) -> Any:
        """One promise as it lies in the database."""
        return self.session.execute(select(MAIL).where(MAIL.c.id == mail_id)).one()

    def parts(self, number: int) -> list[Any]:
        """Who has a part in a case."""
        return list(self.session.execute(select(PARTS).where(PARTS.c.incident_id == number)))

    @cached_property
    def tree(self) -> Tree:
        """The tree of grids and its posts; it does not change while one walks."""
        return self.desk.tree(self.session)

    def asking(self) -> Work:
        """A work that is used to ask, never to write."""
        return Work(self.session, self.now, self.book, self.tree, CLOCK)


@contextmanager
def world(place: str, url: str, start: datetime = START) -> Iterator[World]:
    """A world that lets go of its database at the end."""
    made = World(place, url, start)
    try:
        yield made
    finally:
        made.close()
