"""The audit: every look has its line, no line can be changed, and one that is changed all the same shows."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from handlers.actor import CLOCK
from handlers.audit import note, prove
from handlers.keys import GiveKey, TakeKeys
from handlers.reporting import ReportOnBehalf
from handlers.showing import Show
from handlers.work import Desk
from models import AuditLine, Deed, Scope, Subject
from models.database import Database, open_database
from tests.handlers.office import Office
from tests.town import book_of

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
UNGUARD = {
    "sqlite": ("DROP TRIGGER audit_line_no_update", "DROP TRIGGER audit_line_no_delete"),
    "postgresql": ("DROP TRIGGER audit_line_stays ON audit_line",),
}


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """A database in which nothing has been noted."""
    with closing(open_database(migrated_url, writers=2)) as opened:
        yield opened


def noting(database: Database, times: int, subject: int = 1) -> Desk:
    """Note some deeds, each in a work of its own."""
    desk = Desk(database, book_of("default"), lambda: NOW)
    for _ in range(times):
        with desk.session() as session:
            note(desk.work_in(session, now=NOW), Deed.BACKUP, Subject.DATABASE, subject)
    return desk


def proof(database: Database) -> tuple[int, int | None]:
    """How many lines are whole, and which is the first that is not."""
    with Session(database.reader) as session:
        found = prove(session)
    return found.lines, found.broken_at


def run(database: Database, *statements: str) -> None:
    """Do what nobody is to do."""
    with database.writer.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_lines_are_numbered_and_proved(database: Database) -> None:
    assert proof(database) == (0, None)
    noting(database, 3)

    assert proof(database) == (3, None)


@pytest.mark.parametrize("what", ["UPDATE audit_line SET what = 'export'", "DELETE FROM audit_line"])
def test_the_database_refuses_to_change_a_line(database: Database, what: str) -> None:
    noting(database, 2)
    with pytest.raises(DBAPIError, match="never changed or taken out"):
        run(database, what)

    assert proof(database) == (2, None)


@pytest.mark.parametrize(
    ("deed", "whole", "broken"),
    [
        ("UPDATE audit_line SET actor_id = NULL, subject_id = 2 WHERE id = 2", 1, 2),
        ("UPDATE audit_line SET at = '2026-11-23 01:00:01+00:00' WHERE id = 3", 2, 3),
        ("DELETE FROM audit_line WHERE id = 2", 1, 2),
        ("DELETE FROM audit_line WHERE id = 4", 3, 4),
        ("DELETE FROM audit_head", 4, 5),
    ],
)
def test_tampering_shows(database: Database, deed: str, whole: int, broken: int) -> None:
    noting(database, 4)
    run(database, *UNGUARD[database.kind], deed)

    assert proof(database) == (whole, broken)


def test_a_line_put_in_shows(database: Database) -> None:
    noting(database, 2)
    run(
        database,
        "INSERT INTO audit_line (id, at, what, subject_kind, channel, message_id, before, digest) "
        "SELECT 3, at, what, subject_kind, channel, message_id, before, digest FROM audit_line WHERE id = 2",
    )

    assert proof(database) == (2, 3)


class Broken(Exception):
    """A work that is not carried to its end."""


def test_what_is_undone_leaves_no_line_and_no_gap(database: Database) -> None:
    desk = noting(database, 1)
    with desk.session() as session:
        work = desk.work_in(session, now=NOW)
        with suppress(Broken), work.savepoint():
            note(work, Deed.EXPORT, Subject.PERSON)
            raise Broken
        note(work, Deed.BACKUP, Subject.DATABASE)
    with suppress(Broken), desk.session() as session:
        note(desk.work_in(session, now=NOW), Deed.EXPORT, Subject.PERSON)
        raise Broken
    noting(database, 1)

    assert proof(database) == (3, None)
    with Session(database.reader) as session:
        assert set(session.exec(select(AuditLine.what))) == {"backup"}


def test_two_writers_make_one_chain(database: Database) -> None:
    failed: list[BaseException] = []
    together = threading.Barrier(2, timeout=30)

    def write(subject: int) -> None:
        try:
            together.wait()
            noting(database, 20, subject)
        except BaseException as trouble:  # noqa: BLE001 - told to the test
            failed.append(trouble)

    writers = [threading.Thread(target=write, args=(subject,)) for subject in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert failed == []
    assert proof(database) == (40, None)


# ---- what is noted -------------------------------------------------------------------------------------


def noted(desk: Office, deed: Callable[[], object]) -> list[tuple[int | None, str, str, int | None]]:
    """The lines that something adds: who, what, and to whom or what."""
    desk.world.commit()
    before = len(desk.world.session.execute(select(AuditLine)).all())
    deed()
    desk.world.commit()
    lines = desk.world.session.execute(select(AuditLine).order_by(AuditLine.id)).scalars().all()  # type: ignore[arg-type]
    return [(line.actor_id, line.what, line.subject_kind, line.subject_id) for line in lines[before:]]


def test_a_look_at_anothers_case_is_noted_and_one_at_ones_own_is_not(desk: Office) -> None:
    number = desk.reports()

    assert noted(desk, lambda: desk.does("resident", Show(incident=number))) == []
    for seat in ("worker", "leader"):
        looked = (desk.id(seat), "look", "case", number)
        assert noted(desk, lambda seat=seat: desk.does(seat, Show(incident=number))) == [looked]  # type: ignore[misc]


def test_a_refused_look_leaves_no_line(desk: Office) -> None:
    number = desk.reports()

    assert noted(desk, lambda: desk.refused("neighbour", Show(incident=number))) == []


def test_finding_somebody_by_phone_is_noted(desk: Office) -> None:
    filing = ReportOnBehalf(what="3栋路灯不亮", who="张大爷", phone="138-0000-9999")
    assert noted(desk, lambda: desk.does("community", filing)) == []
    ((actor, what, kind, _),) = noted(desk, lambda: desk.does("community", filing))

    assert (actor, what, kind) == (desk.id("community"), "find", "person")


def test_keys_that_are_given_and_taken_are_noted(desk: Office) -> None:
    person = desk.id("leader")

    def give_and_take() -> None:
        desk.world.do(CLOCK, GiveKey(person=person, scope=Scope.BOARD, days=1), chat=False)
        desk.world.do(CLOCK, TakeKeys(person=person, scope=Scope.BOARD), chat=False)

    assert noted(desk, give_and_take) == [
        (None, "give_key", "person", person),
        (None, "take_keys", "person", person),
    ]
