"""Tokens: only their digest is kept, each opens one door, for a time, for one person."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from handlers.actor import Actor
from handlers.command import Command, Done, perform
from handlers.keys import GiveKey, OpenChat, TakeKeys
from handlers.refusal import NotAllowed
from handlers.tokens import (
    actor_of,
    chat_account,
    issue,
    open_chat,
    person_of,
    revoke,
    seats,
)
from models import Scope, Token
from tests.web.house import MONDAY, House, build_house

LATER = MONDAY + timedelta(days=1)


@pytest.fixture
def still_house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a town that nobody serves."""
    house = build_house(sqlite_url, tmp_path)
    yield house
    house.database.close()


@pytest.fixture
def session(still_house: House) -> Iterator[Session]:
    """Lend a session of that town."""
    with still_house.desk.session() as session:
        yield session


def test_a_token_opens_its_door_for_its_person(session: Session) -> None:
    token = issue(session, 6, Scope.API, MONDAY)

    assert person_of(session, token, Scope.API, LATER) == 6
    assert len(token) == 43
    assert token not in str(session.execute(select(col(Token.digest))).all())


def test_it_opens_no_other_door_and_no_longer_than_promised(session: Session) -> None:
    token = issue(session, 6, Scope.API, MONDAY, until=LATER)

    assert person_of(session, token, Scope.BOARD, MONDAY) is None
    assert person_of(session, token, Scope.API, LATER - timedelta(seconds=1)) == 6
    assert person_of(session, token, Scope.API, LATER) is None


@pytest.mark.parametrize("guess", ["", "x", "x" * 10_000, "\ud83d", "\x00", "' OR 1=1 --"])
def test_a_guess_opens_nothing(session: Session, guess: str) -> None:
    issue(session, 6, Scope.API, MONDAY)

    assert person_of(session, guess, Scope.API, MONDAY) is None


def test_what_was_taken_away_opens_nothing(session: Session) -> None:
    lost, kept = issue(session, 6, Scope.API, MONDAY), issue(session, 6, Scope.BOARD, MONDAY)
    revoke(session, 6, Scope.API)

    assert person_of(session, lost, Scope.API, MONDAY) is None
    assert person_of(session, kept, Scope.BOARD, MONDAY) == 6


def test_a_chat_is_opened_once(still_house: House, session: Session) -> None:
    handle = open_chat(session, "other", 6, MONDAY)

    assert handle == open_chat(session, "other", 6, LATER) == chat_account(session, "other", 6)
    assert (chat_account(session, "webchat", 6) or "").startswith("p6-")


def test_seats_and_actors(still_house: House, session: Session) -> None:
    tree = still_house.desk.tree(session)
    worker, resident = (actor_of(session, tree, seats(session)[seat]) for seat in ("worker", "resident"))

    assert worker is not None
    assert worker.may("handle")
    assert resident is not None
    assert not resident.is_staff
    assert actor_of(session, tree, 10**9) is None


@pytest.mark.parametrize(
    "command",
    [
        GiveKey(person=1, scope=Scope.API, days=1),
        TakeKeys(person=1, scope=Scope.API),
        OpenChat(person=1, channel="other"),
    ],
    ids=lambda command: command.name,
)
def test_no_person_gives_keys_by_any_door(still_house: House, command: Command) -> None:
    with still_house.desk.session() as session:
        held = issue(session, 1, Scope.API, MONDAY)
        tree = still_house.desk.tree(session)
        everybody = [*tree.staff.values(), actor_of(session, tree, still_house.seats["resident"])]
    for actor in (*everybody, Actor(None, "系统")):
        assert actor is not None
        with still_house.desk.work(actor) as work:
            assert isinstance(perform(work, command), NotAllowed)
    with Session(still_house.database.reader) as session:
        assert person_of(session, held, Scope.API, MONDAY) == 1
        assert session.execute(select(func.count()).select_from(Token)).scalar_one() == 1
        assert chat_account(session, "other", 1) is None


def test_the_program_gives_and_takes_keys(still_house: House) -> None:
    with still_house.desk.work() as work:
        done = perform(work, GiveKey(person=6, scope=Scope.CHAT, days=2))
    assert isinstance(done, Done)
    key = done.data["key"]
    with Session(still_house.database.reader) as session:
        assert person_of(session, key, Scope.CHAT, still_house.clock.now() + timedelta(days=1)) == 6
        assert person_of(session, key, Scope.CHAT, still_house.clock.now() + timedelta(days=2)) is None
    with still_house.desk.work() as work:
        assert isinstance(perform(work, TakeKeys(person=6, scope=Scope.CHAT)), Done)
    with Session(still_house.database.reader) as session:
        assert person_of(session, key, Scope.CHAT, still_house.clock.now()) is None
