"""A place's people at their desks: commands by seat, without a chat's words, and what everybody is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from handlers.actor import Actor
from handlers.approving import Approve
from handlers.command import Command, Done
from handlers.dispatching import Transfer
from handlers.handling import Accept, Finish
from handlers.refusal import Refusal
from handlers.reporting import Report
from models import Person
from tests.properties.world import Happened, World, world

LAMP = "3栋楼下路灯坏了"


class Office:
    """Commands by the seats of a place's town (worker, community, town, resident ...)."""

    def __init__(self, made: World) -> None:
        self.world = made
        rows = made.session.execute(select(Person).where(col(Person.seat).is_not(None))).scalars()
        ids = {row.seat: row.id for row in rows}
        self.seats: dict[str, Actor] = {
            str(seat): next(a for a in made.actors if a.id == person) for seat, person in ids.items()
        }
        self.heard: list[Any] = []
        """Everything that was promised to anybody, oldest first."""

    def who(self, seat: str) -> Actor:
        """The person on a seat, or of a name."""
        return self.seats.get(seat) or next(a for a in self.world.actors if a.name == seat)

    def id(self, seat: str) -> int:
        """The number of a person."""
        found = self.who(seat).id
        assert found is not None
        return found

    # ---- commands -------------------------------------------------------------------------------------

    def tries(self, seat: str, command: Command, *, chat: bool = True) -> Happened:
        """Somebody gives a command, whatever comes of it."""
        happened = self.world.do(self.who(seat), command, chat=chat)
        self.heard += happened.mail
        return happened

    def does(self, seat: str, command: Command) -> Done:
        """Somebody gives a command which is carried out."""
        outcome = self.tries(seat, command).outcome
        assert isinstance(outcome, Done), outcome
        return outcome

    def refused(self, seat: str, command: Command) -> str:
        """Somebody gives a command which is refused; the key of what they are told."""
        happened = self.tries(seat, command)
        assert isinstance(happened.outcome, Refusal), happened.outcome
        assert not happened.events
        assert not happened.mail
        return happened.outcome.text

    def reports(self, seat: str = "resident", what: str = LAMP, **more: Any) -> int:
        """Somebody reports something at the resident's home; the number of the case."""
        more.setdefault("grid", self.who("resident").home_grid_id)
        return int(self.does(seat, Report(what=what, **more)).data["number"])

    def finished(self, seat: str = "worker", reporter: str = "resident", **more: Any) -> int:
        """A case that its handler says is done."""
        number = self.reports(reporter, **more)
        self.does(seat, Accept(incident=number))
        self.does(seat, Finish(incident=number, result="已更换灯泡"))
        return number

    def passes_up(self, number: int, seat: str) -> None:
        """A case is passed on rung by rung until it lies with somebody above."""
        tree = self.world.tree
        for node in tree.upward(self.case(number).grid_id):
            owner, above = self.case(number).owner_id, tree.keepers(node.id)
            if self.id(seat) in (owner, *above):
                above = (self.id(seat),)
            if above and owner not in above:
                self.does(tree.staff[owner].name, Transfer(incident=number, to=above[0]))
        assert self.case(number).owner_id == self.id(seat)

    def grants(self, seat: str, number: int) -> Done:
        """Somebody allows what was asked for."""
        return self.does(seat, Approve(incident=number))

    # ---- time -----------------------------------------------------------------------------------------

    def wait(self, **span: float) -> None:
        """Time passes; the clock does its work at every due time on the way."""
        end = self.world.now + timedelta(**span)
        for _ in range(500):
            dues = [row.next_due for row in self.world.rows().values() if row.next_due is not None]
            if not dues or min(dues) > end:
                break
            self.world.now = max(min(dues), self.world.now)
            self.tick()
        self.world.now = end

    def tick(self) -> None:
        """The clock looks once."""
        happened = self.world.follow()
        assert isinstance(happened.outcome, Done)
        assert happened.outcome.data["failed"] == []
        self.heard += happened.mail

    def sleeps(self, **span: float) -> None:
        """The program is down for a while; then the clock looks until it has nothing to do."""
        self.world.now += timedelta(**span)
        self.wait()

    # ---- looking --------------------------------------------------------------------------------------

    def case(self, number: int) -> Any:
        """A case as it lies in the database."""
        return self.world.row(number)

    def moves(self, number: int) -> list[str]:
        """What happened to a case, in order."""
        return [str(event.move) for event in self.world.events(number)]

    def told(self, seat: str) -> list[str]:
        """The keys of everything a person was told since one last asked about them."""
        return [mail.text for mail in self.mail(seat)]

    def mail(self, seat: str) -> list[Any]:
        """What a person was told since one last asked about them."""
        person = self.id(seat)
        found = [mail for mail in self.heard if mail.person_id == person]
        self.heard = [mail for mail in self.heard if mail.person_id != person]
        return found


@contextmanager
def office(place: str, url: str) -> Iterator[Office]:
    """The people of a place, Monday 9 o'clock."""
    with world(place, url) as made:
        yield Office(made)
