"""Tells whether the registry in the database is one that the place's book can read."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlmodel import Session, col

from app.alone import NoUse
from app.settings import Settings
from handbook import Book
from models import Grid, Post
from models.database import Database, is_current

OTHER_VERSION = "The database has no tables of this version: run `{} migrate`."


def must_be_current(settings: Settings) -> None:
    """Refuse to look into tables of another version, which lack what is asked for. Raises NoUse."""
    if not is_current(settings.database_url):
        raise NoUse(OTHER_VERSION.format(settings.command))


def must_fit(database: Database, book: Book, now: datetime) -> None:
    """Refuse to work with another place's registry, which would break at the first message.

    `now`: aware UTC. Raises NoUse, whose message names the place and what its book lacks.
    """
    with Session(database.reader) as session:
        misfit = misfit_of(session, book, now)
    if misfit is not None:
        raise NoUse(misfit)


def misfit_of(session: Session, book: Book, now: datetime) -> str | None:
    """Say in a sentence which levels and roles of the registry the book lacks; None where it knows all."""
    posts = select(col(Post.role)).where(or_(col(Post.until).is_(None), col(Post.until) > now))
    unknown = {
        "level": _missing(session, select(col(Grid.level)), {level.key for level in book.levels}),
        "role": _missing(session, posts, set(book.roles)),
    }
    lacks = ", ".join(f"{what} {name}" for what, names in unknown.items() for name in names)
    if not lacks:
        return None
    return (
        f"The database is not one of {book.place.name}, whose book lacks {lacks}: "
        "set XIAOGE_PLACE back, or give the new place a database of its own."
    )


def _missing(session: Session, query: Select[Any], known: set[str]) -> list[str]:
    return sorted(set(session.execute(query.distinct()).scalars()) - known)
