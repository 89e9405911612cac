"""What the command line writes into the registry: the example town, and keys for people."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.fitting import must_be_current, must_fit
from app.sealing import must_open, read_keys
from app.settings import Settings
from bot.render import words
from handbook import Book, open_book
from handlers.audit import CONSOLE
from handlers.command import Command, Done, perform
from handlers.founding import found_town, is_founded
from handlers.inviting import MakeAdministrator
from handlers.keys import GiveKey, TakeKeys
from handlers.links import Links
from handlers.refusal import Refusal
from handlers.work import Desk
from models import Grid, Person, Post, Scope
from models.database import Database, open_database
from scheduler.clock import SystemClock


class CannotDo(Exception):
    """A command cannot do what it was asked; the message says why in a plain sentence."""


def found(desk: Desk, channel: str | None = None, *, named: bool = True) -> bool:
    """Write the book's town into an empty registry, with an account for everybody on a channel.

    `named`: the accounts' handles are people's names. Returns whether it was empty; nothing is written where
    it was not.
    """
    with desk.work() as work:
        if is_founded(work.session):
            return False
        found_town(work, channel=channel, named=named)
    return True


def found_at(settings: Settings) -> bool:
    """The same for a database that no program has open."""
    database = _opened(settings)
    try:
        return found(Desk(database, open_book(settings.place), SystemClock().now))
    finally:
        database.close()


def _opened(settings: Settings) -> Database:
    keys = read_keys(settings)
    database = open_database(settings.database_url, keys=keys)
    must_open(database, keys)
    return database


def make_token(settings: Settings, person: str, scope: str, days: int) -> str:
    """Give a person a key to one door, while no program works on the database.

    Args:
        settings: where the database is.
        person: a name, or a number where several people share the name.
        scope: one of models.Scope.
        days: for how many days it opens.

    Returns:
        the key; it is kept nowhere and cannot be shown again.

    Raises:
        CannotDo: nobody is called so, or several people are.
    """
    done = _give(settings, person, lambda number: GiveKey(person=number, scope=Scope(scope), days=days))
    return str(done.data["key"])


def revoke_tokens(settings: Settings, person: str, scope: str) -> None:
    """Take away all of a person's keys to one door: a lost phone, a post that ended.

    Arguments as for `make_token`. Raises CannotDo: nobody is called so, or several people are.
    """
    _give(settings, person, lambda number: TakeKeys(person=number, scope=Scope(scope)))


def make_administrator(settings: Settings, person: str, phone: str) -> tuple[str, list[str]]:
    """Give a person the post at the top of the tree, while no program works on the database.

    Returns:
        a code and links by which the person binds an account; they are kept nowhere.

    Raises:
        CannotDo: there is no tree yet.
    """
    done = _do(settings, lambda session: _administrator(session, person, phone))
    return str(done.data["code"]), list(done.data["links"])


def _administrator(session: Session, person: str, phone: str) -> Command:
    if not is_founded(session):
        raise CannotDo(
            "There is no tree of grids yet: import the place's own, or `xiaoge found` the example."
        )
    return MakeAdministrator(who=person, phone=phone)


def _give(settings: Settings, person: str, command_for: Callable[[int], Command]) -> Done:
    """Give a command about a person."""
    return _do(settings, lambda session: command_for(_one(session, person)))


def _do(settings: Settings, command_from: Callable[[Session], Command]) -> Done:
    """Give a command as the program itself, while no other works on the database."""
    must_be_current(settings)
    database, book = _opened(settings), open_book(settings.place)
    try:
        desk = Desk(database, book, SystemClock().now)
        must_fit(database, book, desk.now())
        desk.links = Links(settings.url)
        with desk.work(channel=CONSOLE) as work:
            outcome = perform(work, command_from(work.session))
    finally:
        database.close()
    if isinstance(outcome, Refusal):
        raise CannotDo(f"It was refused: {told(book, outcome)}")
    return outcome


def told(book: Book, no: Refusal) -> str:
    """A refusal in the place's words."""
    return words(book, no.text, no.args_)


def _one(session: Session, person: str) -> int:
    known = col(Person.id) == int(person) if person.isdecimal() else col(Person.name) == person
    found = session.execute(select(col(Person.id), col(Person.name)).where(known)).all()
    if not found:
        raise CannotDo(f"Nobody here is called {person}.")
    if len(found) > 1:
        people = "; ".join(_described(session, row) for row in found)
        raise CannotDo(f"Several people are called {person}, give one's number: {people}.")
    return int(found[0].id)


def _described(session: Session, person: Any) -> str:
    """A number with the posts by which people can be told apart."""
    posts = session.execute(
        select(col(Post.role), col(Grid.name))
        .join(Grid, col(Grid.id) == col(Post.grid_id))
        .where(col(Post.person_id) == person.id)
    )
    return f"{person.id} ({', '.join(f'{role} {grid}' for role, grid in posts) or 'no post'})"
