"""What has been kept for long enough, at the command line: told in plain words, or taken out now."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.alone import alone
from app.fitting import must_be_current, must_fit
from app.registry import CannotDo, told
from app.sealing import must_open, read_keys
from app.settings import Settings
from bot.render import words
from handbook import open_book
from handlers.actor import CLOCK
from handlers.audit import CONSOLE
from handlers.command import perform
from handlers.refusal import Refusal
from handlers.residents.keeping import Retain, due
from handlers.work import Desk
from models.database import open_database
from scheduler.clock import SystemClock


def would_go(settings: Settings, *, closed: bool) -> list[str]:
    """Say what would go now, a line for each kind; may be asked beside the running program."""
    with _desk(settings) as desk, desk.reading(CLOCK) as reading:
        book = desk.book
        return [
            words(book, one.text, {**one.args, "count": one.count}) for one in due(reading, closed=closed)
        ]


def take_out(settings: Settings, *, closed: bool) -> dict[str, int]:
    """Take all of it out, bit by bit, while no other program works on the database.

    Returns:
        how many of each kind went.
    """
    went: Counter[str] = Counter()
    with alone(settings.database_url), _desk(settings) as desk:
        more = True
        while more:
            with desk.work(channel=CONSOLE) as work:
                outcome = perform(work, Retain(closed=closed))
            if isinstance(outcome, Refusal):
                raise CannotDo(f"It was refused: {told(desk.book, outcome)}")
            went.update(outcome.data["went"])
            more = bool(outcome.data["more"])
    return dict(went)


@contextmanager
def _desk(settings: Settings) -> Iterator[Desk]:
    must_be_current(settings)
    keys = read_keys(settings)
    database = open_database(settings.database_url, keys=keys)
    book, clock = open_book(settings.place), SystemClock()
    try:
        must_open(database, keys)
        must_fit(database, book, clock.now())
        yield Desk(database, book, clock.now)
    finally:
        database.close()
