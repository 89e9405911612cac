"""Notes in the audit what the console took out; beside a running program the note waits for a start."""

from pathlib import Path

from sqlalchemy import make_url

from app.alone import NoUse, alone
from app.settings import Settings
from handbook import Book
from handlers.audit import note_program
from handlers.work import Desk
from models import Deed
from models.database import Database, is_current, open_database
from scheduler.clock import SystemClock


def note_taken(settings: Settings, book: Book, what: Deed) -> None:
    """Note that all data was copied, or all lists. It needs no keys, for a backup needs none either.

    A SQLite file has one writer: beside a running program the note waits in a file for its next start.
    """
    moment = SystemClock().now().isoformat(timespec="seconds")
    if not is_current(settings.database_url):
        return  # an earlier version's tables have no audit
    try:
        with alone(settings.database_url):
            database = open_database(settings.database_url)
            try:
                _note(Desk(database, book, SystemClock().now), what, moment)
            finally:
                database.close()
    except NoUse:
        with _waiting(settings).open("a", encoding="utf-8") as file:
            file.write(f"{what} {moment}\n")


def take_up(settings: Settings, desk: Desk, database: Database) -> None:
    """Note what was done while an earlier process held the database."""
    file = _waiting(settings)
    if database.kind != "sqlite" or not file.exists():
        return
    for line in file.read_text("utf-8").splitlines():
        what, _, moment = line.rpartition(" ")
        _note(desk, Deed(what or Deed.BACKUP), moment)
    file.unlink()


def _waiting(settings: Settings) -> Path:
    return Path(f"{make_url(settings.database_url).database}.backups")


def _note(desk: Desk, what: Deed, moment: str) -> None:
    with desk.session() as session:
        note_program(session, desk.now(), what, f"{what}:{moment}"[:100])
