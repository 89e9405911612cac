"""The database: who may write to it at once, how durably, and which version of the tables it has.

SQLite has one writer connection, always: a second one adds no speed, only waiting, and several connections
that write or checkpoint together meet a corruption bug of its older versions. Readers have their own.
"""

import json
import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from models.sealing import Keys

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine.interfaces import DBAPIConnection

MIGRATIONS = Path(__file__).parents[1] / "migrations"
READERS = 4  # connections kept for lists and boards; as many again are opened when those are busy
BUSY_MS = 10_000  # how long SQLite waits for another process (a backup, an import) before it gives up
WAL_KEPT = 64 * 1024 * 1024  # bytes; a log that a long reader made grow is cut down to this afterwards

SQLITE_BASE = {"busy_timeout": BUSY_MS, "temp_store": "MEMORY", "synchronous": "FULL"}
SQLITE_WRITER = SQLITE_BASE | {"foreign_keys": "ON", "journal_size_limit": WAL_KEPT}
SQLITE_READER = SQLITE_BASE | {"query_only": "ON", "wal_autocheckpoint": 0}
# Rebuilding a table drops the old one, which would take the rows that point to it along; checked at the end.
SQLITE_MIGRATION = SQLITE_BASE | {"busy_timeout": 60_000, "foreign_keys": "OFF", "wal_autocheckpoint": 0}
POSTGRES_SETTINGS = {"timezone": "UTC", "synchronous_commit": "on"}
MIGRATION_LOCK = 0x7869616F6765  # "xiaoge": the advisory lock under which one process changes the tables

PASSING: set[int | str] = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    # PostgreSQL's classes: connection, rolled back (deadlock), resources, locks, operator, system.
    *("08", "40", "53", "55", "57", "58"),
}

_OURS = frozenset({"inbox", "outbox", "incident"})
"""Tables of every version: where one of them is, a version was there."""
_MENDED = "it was changed by hand or by another program: restore a backup."
_UNSAID = f"The database does not say which version its tables have (alembic_version), so {_MENDED}"
_SEVERAL = f"The database names several versions of its tables ({{}}), so {_MENDED}"

UNDONE = "the transaction was undone before its end"

_ALEMBIC = threading.Lock()  # Alembic keeps what it works on in globals of the process
_WRITE_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_SURROGATE = re.compile("[\ud800-\udfff]")


class DatabaseTrouble(Exception):
    """The database cannot be used as promised; the message says why, for whoever runs the program."""


class TransactionLost(Exception):
    """SQLite has undone the whole transaction by itself; none of it may go on."""


def is_passing(trouble: BaseException | None) -> bool:
    """Whether the machine or another process is to blame, so that the very same may go well later.

    A full disk, a lost connection, a deadlock; also when undoing what it broke failed in its turn.
    """
    while trouble is not None:
        if isinstance(trouble, TransactionLost):
            return True
        if isinstance(trouble, DBAPIError) and (trouble.connection_invalidated or _code(trouble) in PASSING):
            return True
        trouble = trouble.__context__
    return False


def _code(trouble: DBAPIError) -> int | str | None:
    """SQLite's primary code, or the class of PostgreSQL's; a driver that knows neither lost the server."""
    if isinstance(trouble.orig, sqlite3.Error):
        return getattr(trouble.orig, "sqlite_errorcode", 0) & 0xFF
    state: str | None = getattr(trouble.orig, "sqlstate", None)
    return state[:2] if state else "08" if isinstance(trouble, OperationalError) else None


@dataclass(frozen=True)
class Database:
    """The two ways to a database: one writes; the other only reads, and sees one moment throughout."""

    writer: Engine
    reader: Engine
    keys: Keys | None = None
    """What its phones are sealed with; None: the keys of the process."""

    @property
    def kind(self) -> Literal["sqlite", "postgresql"]:
        """Which of the two promised databases it is."""
        return "sqlite" if self.writer.dialect.name == "sqlite" else "postgresql"

    def checkpoint(self) -> bool:
        """Move SQLite's log into its file, because a copy of the file alone must be whole.

        Returns whether all of it was moved; False while a reader still needs the log. PostgreSQL sees to it
        by itself.
        """
        if self.kind == "postgresql":
            return True
        connection = self.writer.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=0")  # no work waits for a reader who takes his time
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, *_pages = cursor.fetchone() or (1,)
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            cursor.close()
        finally:
            connection.close()
        return not busy

    def close(self) -> None:
        """Close all connections, the writer's last: whoever is last checkpoints, and only the writer may."""
        self.reader.dispose()
        self.writer.dispose()


def open_database(url: str, *, writers: int = 1, keys: Keys | None = None) -> Database:
    """Open both ways to a database, so that a page can never write and never waits for the writer.

    Args:
        url: a SQLAlchemy URL: `sqlite:///file` or `postgresql://...`.
        writers: how many works PostgreSQL does at once; SQLite has always one.
        keys: its own, where the process works on several databases.

    Raises:
        DatabaseTrouble: no such kind of database is promised, or the file cannot keep a write-ahead log.
    """
    writer = make_engine(url, writers=writers)
    if writer.dialect.name == "postgresql":
        # The same pool: only the transactions differ, as SQLite's reading ones do.
        return Database(
            writer,
            writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
            keys,
        )
    writer.connect().close()  # the writer is the first: it turns the log on, or fails now and not later
    reader = _sqlite_engine(writer.url, "BEGIN", SQLITE_READER, pool_size=READERS, max_overflow=READERS)
    return Database(writer, reader, keys)


def make_engine(url: str, *, writers: int = 1) -> Engine:
    """Make the writing engine: durable at each commit, strict about references, savepoints that work.

    Arguments and errors are those of `open_database`.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        engine = _sqlite_engine(address, "BEGIN IMMEDIATE", SQLITE_WRITER, pool_size=1, max_overflow=0)
        event.listen(engine, "connect", _turn_log_on)
        return engine
    return create_engine(
        address,
        json_serializer=dump_json,
        hide_parameters=True,
        pool_size=writers + READERS,
        max_overflow=READERS,
        pool_pre_ping=True,
        connect_args=_postgres_arguments(address),
    )


def dump_json(value: Any) -> str:
    """Write JSON as people read it in the database: compact, Chinese as Chinese.

    Half a surrogate pair (cut-off emoji do come in) is not text that can be stored, so it alone is escaped
    and comes back as it was. Raises ValueError for NaN and infinities, which PostgreSQL does not take either.
    """
    written = _WRITE_JSON(value)
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", written)


# -- the version of the tables ---------------------------------------------------------------------------


def migrate(url: str, scripts: Path = MIGRATIONS, *, to: str = "head") -> str:
    """Bring the tables up to this program's version, all steps in one transaction: done, or not begun.

    Does nothing where they are current. Several processes may call it at once: one works, the others wait.

    Args:
        url: a SQLAlchemy URL; the file and folder of a SQLite database are made when missing.
        scripts: the folder of the migrations.
        to: the version wanted, where a backup of an earlier one is to be brought in; else the newest.

    Returns:
        the name of the version that the tables now have.

    Raises:
        DatabaseTrouble: a newer program wrote the database, or a step left references that lead nowhere.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    with schema_change(url, scripts) as config:
        known = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
        found = _revision(config.attributes["connection"])
        if found is not None and found not in known:
            raise DatabaseTrouble(
                f"The tables have version {found!r}, which this program is too old to know."
            )
        command.upgrade(config, to)
    return known[0] if to == "head" else to


def is_current(url: str, scripts: Path = MIGRATIONS) -> bool:
    """Tell whether the tables have this program's version, before anything is served from them."""
    from alembic.script import ScriptDirectory

    return current_revision(url) == ScriptDirectory(str(scripts)).get_current_head()


def current_revision(url: str) -> str | None:
    """Return the name of the version the tables have; None where there are none (nor is a file made)."""
    address = _address(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return None
    engine = create_engine(address, poolclass=NullPool)
    with engine.connect() as connection:
        return _revision(connection)


@contextmanager
def schema_change(url: str, scripts: Path = MIGRATIONS) -> Iterator["Config"]:
    """Hold the database alone, in one transaction, for Alembic's commands. The rest is as for `migrate`."""
    from alembic.config import Config

    with _ALEMBIC, _migrating(_address(url)) as engine, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config = Config(stdout=sys.stdout, attributes={"connection": connection})
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        yield config
        if engine.dialect.name == "sqlite":
            _check_references(connection)


@contextmanager
def _migrating(address: URL) -> Iterator[Engine]:
    if address.get_backend_name() == "sqlite":
        Path(address.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = _sqlite_engine(address, "BEGIN IMMEDIATE", SQLITE_MIGRATION, poolclass=NullPool)
    else:
        engine = create_engine(address, poolclass=NullPool, connect_args=_postgres_arguments(address))
    try:
        yield engine
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    """Raises DatabaseTrouble where our tables are and nothing says of which version."""
    looked = inspect(connection)
    named = looked.has_table("alembic_version")
    if named and "version_num" in {column["name"] for column in looked.get_columns("alembic_version")}:
        found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    else:
        found = []
    if len(found) > 1:
        raise DatabaseTrouble(_SEVERAL.format(", ".join(sorted(found))))
    if not found and not _OURS.isdisjoint(looked.get_table_names()):
        raise DatabaseTrouble(_UNSAID)
    return str(found[0]) if found else None


def _check_references(connection: Connection) -> None:
    lost = connection.execute(text("PRAGMA foreign_key_check")).all()
    if lost:
        raise DatabaseTrouble(
            f"The new tables would have {len(lost)} references that lead nowhere: {lost[:5]}"
        )


# -- how the engines are made ----------------------------------------------------------------------------


def _address(url: str) -> URL:
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
        return address
    raise DatabaseTrouble(f"Give a PostgreSQL database or a SQLite file, not {address.render_as_string()}.")


def _sqlite_engine(address: URL, begin: str, pragmas: dict[str, Any], **pool: Any) -> Engine:
    """Begin transactions ourselves: the driver does it too late, and not before a SAVEPOINT."""
    engine = create_engine(
        address,
        json_serializer=dump_json,
        hide_parameters=True,  # an error's words reach the log, and people's words must not
        connect_args={"isolation_level": None, "timeout": BUSY_MS / 1000},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def _set(connection: "DBAPIConnection", _record: object) -> None:
        cursor = connection.cursor()
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "before_cursor_execute", _stay_within)
    event.listen(engine, "commit", _commit_all)
    return engine


def _stay_within(_connection: Connection, cursor: Any, statement: str, *_: object) -> None:
    """Refuse to go on alone after SQLite has undone the transaction by itself (a full disk, an I/O error).

    Whoever caught that error would else write on, each statement for itself, without what came before it.
    """
    if not cursor.connection.in_transaction and not statement.startswith("BEGIN"):
        raise TransactionLost(UNDONE)


def _commit_all(connection: Connection) -> None:
    """Never call a commit what has nothing to commit any more."""
    if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
        raise TransactionLost(UNDONE)


def _wal(cursor: Any, tries: int = 100) -> str:
    """Turn the log on; two programs that start at once on a new file do not wait for each other unasked."""
    for left in reversed(range(tries)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            threading.Event().wait(0.05)
        else:
            return str((cursor.fetchone() or ("",))[0])
    return ""


def _turn_log_on(connection: "DBAPIConnection", _record: object) -> None:
    cursor = connection.cursor()
    mode = _wal(cursor)
    cursor.close()
    if mode != "wal":
        raise DatabaseTrouble(
            f"SQLite cannot keep a write-ahead log here (it has {mode!r}): use a local disk."
        )


def _postgres_arguments(address: URL) -> dict[str, Any]:
    """Our settings first, so that the URL's own `options` win."""
    given = address.query.get("options", "")
    ours = " ".join(f"-c {name}={value}" for name, value in POSTGRES_SETTINGS.items())
    return {"options": f"{ours} {given if isinstance(given, str) else ' '.join(given)}".strip()}
