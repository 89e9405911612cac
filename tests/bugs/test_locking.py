"""Rows that were locked and then judged by what they had been before."""

from handbook import open_book
from handlers import access
from handlers.command import Done, perform
from handlers.founding import found_town
from handlers.handling import Accept
from handlers.reporting import Report
from handlers.work import Desk, Work
from handlers.writing import Writing
from models import State
from models.database import Database, open_database
from tests.properties.world import START


def work_of(desk: Desk, session: Writing, name: str) -> Work:
    staff = desk.tree(session).staff.values()
    return desk.work_in(session, next(a for a in staff if a.name == name), channel="api", message_id=name)


def test_what_is_locked_is_read_anew(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url, writers=2)
    try:
        _two_at_once(Desk(database, open_book("default"), lambda: START), database)
    finally:
        database.close()


def _two_at_once(desk: Desk, database: Database) -> None:
    """One writer has looked at a case before the other one moves it on."""
    with desk.work() as work:
        found_town(work)
    with Writing(database.writer) as one, Writing(database.writer) as other:
        filed = perform(work_of(desk, one, "李强"), Report(what="3栋楼下路灯坏了"))
        assert isinstance(filed, Done)
        number = int(filed.data["number"])
        one.commit()

        seen = access.find(work_of(desk, one, "李强"), number)
        assert seen.state is State.DISPATCHED
        assert isinstance(perform(work_of(desk, other, "李强"), Accept(incident=number)), Done)
        other.commit()

        assert access.find(work_of(desk, one, "李强"), number, lock=True).state is State.ACCEPTED
