"""What the rest stands on: one writer, readers who cannot write, durable commits, JSON as it was."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import Session, col, select

from models import Grid, Person
from models.database import Database, DatabaseTrouble, dump_json, make_engine, open_database
from tests.postgres import driver_url

BACKEND = text("SELECT pg_backend_pid()")
HALF = "\ud83d"  # the first half of an emoji, as a cut-off message has it
NOTES = Table(
    "note", MetaData(), Column("id", Integer, primary_key=True), Column("body", JSON), Column("t", String)
)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = open_database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


def names(session: Session) -> list[str]:
    return list(session.exec(select(Person.name).order_by(col(Person.id))))


def pragma(connection: Any, name: str) -> Any:
    return connection.scalar(text(f"PRAGMA {name}"))


def test_a_savepoint_undoes_its_own_part_alone(database: Database) -> None:
    with Session(database.writer) as session:
        session.add(Person(name="王芳"))
        session.flush()
        nested = session.begin_nested()
        session.add(Person(name="没有的人"))
        session.flush()
        nested.rollback()
        session.add(Person(name="李强"))
        session.commit()

    with Session(database.reader) as session:
        assert names(session) == ["王芳", "李强"]


def test_a_work_that_breaks_leaves_nothing_and_the_next_one_goes_on(database: Database) -> None:
    with Session(database.writer) as session:
        session.add(Person(name="王芳"))
        session.flush()
        session.add(Person(name="李强", home_grid_id=404))
        with pytest.raises(IntegrityError):
            session.commit()

    with Session(database.writer) as session:
        assert names(session) == []
        session.add(Person(name="李强"))
        session.commit()
        assert names(session) == ["李强"]


def test_a_reader_cannot_write(database: Database) -> None:
    with Session(database.reader) as session:
        session.add(Person(name="王芳"))
        with pytest.raises(DBAPIError, match=r"read-?only"):
            session.commit()

    with Session(database.writer) as session:
        session.add(Person(name="李强"))
        session.commit()
        assert names(session) == ["李强"]


def test_a_reader_sees_one_moment_and_never_waits(database: Database) -> None:
    with Session(database.reader) as reading, Session(database.writer) as writing:
        assert names(reading) == []
        writing.add(Person(name="王芳"))
        writing.flush()
        assert names(reading) == []
        writing.commit()
        assert names(reading) == []

    with Session(database.reader) as reading:
        assert names(reading) == ["王芳"]


def test_the_kind_is_told(database: Database, migrated_url: str) -> None:
    assert database.kind == make_url(migrated_url).get_backend_name()


def test_any_thread_may_write_and_they_do_so_in_turns(database: Database) -> None:
    def add_one() -> None:
        with Session(database.writer) as session:
            grid = session.get_one(Grid, 1, with_for_update=True)
            grid.name = str(int(grid.name) + 1)
            session.commit()

    with Session(database.writer) as session:
        session.add(Grid(id=1, code="1", name="0", level="county", path="/1/"))
        session.commit()
    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with Session(database.reader) as session:
        assert session.get_one(Grid, 1).name == "8"


# -- JSON ------------------------------------------------------------------------------------------------


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_dumped_can_be_stored_and_read(value: Any) -> None:
    written = dump_json(value)

    assert written.encode("utf-8").decode("utf-8") == written
    assert json.loads(written) == value


def test_chinese_stays_readable_and_half_an_emoji_is_escaped_alone() -> None:
    assert dump_json({"地点": "3栋", "更多": [1, None]}) == '{"地点":"3栋","更多":[1,null]}'
    assert dump_json("灯" + HALF) == '"灯\\ud83d"'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_json({"lat": float("nan")})


@pytest.mark.parametrize("value", ["灯😀", f"灯{HALF}", f"{HALF}\x00", {"深": {HALF: [HALF]}}, None])
def test_json_comes_back_as_it_was(database: Database, value: Any) -> None:
    with database.writer.begin() as connection:
        NOTES.create(connection)
        connection.execute(NOTES.insert(), {"id": 1, "body": {"v": value}})
    with database.reader.connect() as connection:
        assert connection.execute(NOTES.select()).one().body == {"v": value}


def test_json_is_readable_in_the_file(sqlite_database: Database) -> None:
    with sqlite_database.writer.begin() as connection:
        NOTES.create(connection)
        connection.execute(NOTES.insert(), {"id": 1, "body": {"地点": "3栋"}})
        assert connection.scalar(text("SELECT body FROM note")) == '{"地点":"3栋"}'


# -- SQLite ----------------------------------------------------------------------------------------------


def test_the_writer_is_durable_and_strict(sqlite_database: Database) -> None:
    with sqlite_database.writer.connect() as connection:
        found = {name: pragma(connection, name) for name in ("journal_mode", "synchronous", "foreign_keys")}
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert pragma(connection, "busy_timeout") >= 5000
        assert pragma(connection, "wal_autocheckpoint") == 1000
        assert pragma(connection, "temp_store") == 2


def test_a_reader_never_checkpoints(sqlite_database: Database) -> None:
    with sqlite_database.reader.connect() as connection:
        assert pragma(connection, "wal_autocheckpoint") == 0
        assert pragma(connection, "query_only") == 1


def test_a_writing_work_holds_the_file_from_its_first_word(
    sqlite_database: Database, sqlite_url: str
) -> None:
    other = sqlite3.connect(make_url(sqlite_url).database or "", timeout=0, isolation_level=None)
    with sqlite_database.writer.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_there_is_one_writer_however_many_are_asked_for(sqlite_url: str) -> None:
    database = open_database(sqlite_url, writers=8)
    has_it = threading.Event()

    def take() -> None:
        with database.writer.connect():
            has_it.set()

    second = threading.Thread(target=take)
    with database.writer.connect():
        second.start()
        assert not has_it.wait(0.1)
    second.join()
    assert has_it.is_set()
    database.close()


def test_a_full_disk_fails_the_work_and_is_forgotten_when_there_is_room(sqlite_database: Database) -> None:
    with sqlite_database.writer.connect() as connection:
        pages = pragma(connection, "page_count")
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with Session(sqlite_database.writer) as session:
        session.add(Person(name="王" * 100_000))
        with pytest.raises(OperationalError, match="full"):
            session.commit()
    with Session(sqlite_database.reader) as session:
        assert names(session) == []

    with sqlite_database.writer.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    with Session(sqlite_database.writer) as session:
        session.add(Person(name="王芳"))
        session.commit()
        assert names(session) == ["王芳"]


def test_after_a_checkpoint_the_file_alone_is_whole(
    sqlite_database: Database, sqlite_url: str, tmp_path: Path
) -> None:
    with Session(sqlite_database.writer) as session:
        session.add(Person(name="王芳"))
        session.commit()

    assert sqlite_database.checkpoint()

    copy = tmp_path / "copy.db"
    copy.write_bytes(Path(make_url(sqlite_url).database or "").read_bytes())
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT name FROM person").fetchall() == [("王芳",)]
    connection.close()


def test_a_reader_at_work_is_not_disturbed_by_a_checkpoint(sqlite_database: Database) -> None:
    with Session(sqlite_database.reader) as reading:
        assert names(reading) == []
        with Session(sqlite_database.writer) as session:
            session.add(Person(name="王芳"))
            session.commit()
        assert not sqlite_database.checkpoint()
        assert names(reading) == []
    assert sqlite_database.checkpoint()


def test_closing_leaves_one_file(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url)
    with Session(database.reader) as reading, Session(database.writer) as session:
        assert names(reading) == []
        session.add(Person(name="王芳"))
        session.commit()
    database.close()

    assert [path.name for path in tmp_path.iterdir()] == ["xiaoge.db"]


# -- addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseTrouble):
        open_database(url)


def test_an_address_in_an_error_hides_the_password() -> None:
    with pytest.raises(DatabaseTrouble) as trouble:
        make_engine("mysql://keeper:secret@db/x")
    assert "secret" not in str(trouble.value)


def test_a_file_that_cannot_have_a_log_is_refused(tmp_path: Path) -> None:
    read_only = tmp_path / "xiaoge.db"
    sqlite3.connect(read_only).close()
    with pytest.raises(DatabaseTrouble, match="write-ahead log"):
        open_database(f"sqlite:///file:{read_only}?vfs=memdb&uri=true")


# -- PostgreSQL ------------------------------------------------------------------------------------------


def test_postgresql_speaks_utc_and_confirms_only_what_is_kept(migrated_postgres_url: str) -> None:
    database = open_database(
        make_url(migrated_postgres_url).set(drivername="postgresql").render_as_string(False)
    )
    with database.writer.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    database.close()


def test_the_options_of_the_address_win(migrated_postgres_url: str) -> None:
    url = f"{migrated_postgres_url}?options=-c%20synchronous_commit%3Doff"
    database = open_database(url)
    with database.writer.connect() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "off"
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    database.close()


def test_connections_the_server_has_cut_are_replaced_unseen(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url, writers=2)
    with database.writer.connect() as one, database.writer.connect() as two:
        before = {one.scalar(BACKEND), two.scalar(BACKEND)}
    with psycopg.connect(driver_url(migrated_postgres_url)) as other:
        for backend in before:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])

    with database.writer.connect() as one, database.writer.connect() as two:
        assert before.isdisjoint({one.scalar(BACKEND), two.scalar(BACKEND)})
    database.close()
