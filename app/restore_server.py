"""Brings a backup back into PostgreSQL: what is there is put aside as a schema, and back on failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, inspect
from sqlalchemy import text as statement

from app import postgres
from app.manifest import Manifest, facts_of
from app.restoring import TELLING, USED, CannotRestore, brought_up, must_be_as_told
from app.settings import Settings
from models.database import make_engine, migrate
from scheduler.clock import SystemClock


def into_server(
    settings: Settings, manifest: Manifest, folder: Path, *, replace: bool
) -> tuple[str, str | None]:
    """Fill the database, what was there put aside as a schema. Returns the schema's name, the new version."""
    url = settings.database_url
    with _connected(url) as connection:
        _must_be_free(connection)
        schema, used = str(connection.scalar(statement("SELECT current_schema()"))), _is_used(connection)
        if used and not replace:
            raise CannotRestore(USED.format("the database"))
    aside = _schema_aside(url, schema)
    try:
        _fill(url, manifest, folder)
        older = brought_up(url, manifest)
    except BaseException:
        _schema_back(url, schema, aside)
        raise
    if used:
        return f"schema {aside}", older
    if aside:
        with _connected(url) as connection:
            connection.execute(statement(f'DROP SCHEMA "{aside}" CASCADE'))
    return "", older


def _fill(url: str, manifest: Manifest, folder: Path) -> None:
    if manifest.form == "dump":
        try:
            postgres.restore_dump(url, folder / "database.dump")
        except postgres.Failed as no:
            raise CannotRestore(str(no)) from no
    else:
        migrate(url, to=manifest.facts.migration)
        columns = {name.removesuffix(".copy"): its["columns"] for name, its in manifest.files.items()}
        with _connected(url) as connection:
            postgres.import_tables(connection, columns, folder)
    with _connected(url) as connection:
        must_be_as_told(manifest, facts_of(connection))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(make_engine(url).url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def _must_be_free(connection: Connection) -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    others = connection.execute(statement(query)).scalar_one()
    if others:
        raise CannotRestore(
            f"{others} connections to the database are open: stop every program that uses it first."
        )


def _is_used(connection: Connection) -> bool:
    there = set(inspect(connection).get_table_names())
    return any(
        connection.execute(statement(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None  # noqa: S608
        for name in TELLING
        if name in there
    )


def _schema_aside(url: str, schema: str) -> str:
    """Make room by another name for what is there. Returns the name; empty where nothing was there."""
    aside = f"replaced_{SystemClock().now():%Y%m%dt%H%M%S}"
    with _connected(url) as connection:
        if not inspect(connection).get_table_names():
            return ""
        connection.execute(statement(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"'))
        connection.execute(statement(f'CREATE SCHEMA "{schema}"'))
    return aside


def _schema_back(url: str, schema: str, aside: str) -> None:
    """Undo what was begun."""
    with _connected(url) as connection:
        if aside:
            connection.execute(statement(f'DROP SCHEMA "{schema}" CASCADE'))
            connection.execute(statement(f'ALTER SCHEMA "{aside}" RENAME TO "{schema}"'))
            return
        for name in inspect(connection).get_table_names():
            connection.execute(statement(f'DROP TABLE "{name}" CASCADE'))
        connection.execute(statement("DROP FUNCTION IF EXISTS audit_line_stays"))
