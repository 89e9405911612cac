"""Where people live, as it lies in the database, and residents to begin with."""

from typing import Any

from sqlalchemy import select

from handlers.residents.entering import AddResident
from handlers.residents.scope import DETAILS, MEMBERS, PEOPLE
from handlers.writing import LINES
from tests.handlers.office import Office


def lives(desk: Office, door: str, name: str, phone: str = "", *, seat: str = "worker", **more: Any) -> int:
    """Somebody is entered behind a door; their number."""
    done = desk.does(seat, AddResident(door=door, called=name, number=phone, **more))
    return int(done.data["resident"])


def places(desk: Office, person: int) -> list[Any]:
    """Everywhere somebody lived, in order."""
    query = select(MEMBERS).where(MEMBERS.c.person_id == person)
    return list(desk.world.session.execute(query.order_by(MEMBERS.c.since, MEMBERS.c.id)))


def person(desk: Office, number: int) -> Any:
    """A person as they lie in the database."""
    return desk.world.session.execute(select(PEOPLE).where(PEOPLE.c.id == number)).one()


def details(desk: Office, number: int) -> list[Any]:
    """What the modules keep of a person."""
    query = select(DETAILS).where(DETAILS.c.person_id == number).order_by(DETAILS.c.id)
    return list(desk.world.session.execute(query))


def noted(desk: Office) -> list[Any]:
    """The lines of the audit, with those that wait for the commit."""
    desk.world.commit()
    return list(desk.world.session.execute(select(LINES).order_by(LINES.c.id)))
