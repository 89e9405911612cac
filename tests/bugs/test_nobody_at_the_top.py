"""A county whose top post is empty: whoever does not know where they are is helped all the same."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from handlers.tree import registry_changed
from handlers.writing import Writing
from models import Incident, Person, Post
from tests.town import START, Town, founded


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        yield found


def only(town: Town, *seats: str) -> None:
    """Nobody but these holds a post."""
    session = Writing(town.database.writer)
    kept = select(col(Person.id)).where(col(Person.seat).in_(seats))
    session.execute(update(Post).where(col(Post.person_id).not_in(kept)).values(until=START))
    registry_changed(session)
    session.commit()
    session.close()


def test_a_fire_somewhere_is_a_case_of_whoever_stands_highest(town: Town) -> None:
    only(town, "worker", "worker2", "admin")
    told = town.say("过路人", "着火了，有人困在里面")

    assert "119" in told[0]
    with Session(town.database.reader) as session:
        owner = session.execute(select(col(Incident.owner_id))).scalar_one()
    assert owner is not None


def test_where_nobody_serves_it_is_said_whom_to_call_and_nothing_untrue(town: Town) -> None:
    only(town, "admin")
    told = town.say("过路人", "着火了，有人困在里面")

    assert "119" in told[0]
    assert "已记下" not in "".join(told)
    with Session(town.database.reader) as session:
        assert session.execute(select(col(Incident.id))).first() is None
