"""Copies the database while it is in use: whole, of one moment, and tried before it is called a backup."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from app.paths import no_database


class NoBackup(Exception):
    """No backup was made; the message says why in a plain sentence."""


def back_up(database_url: str, target: Path) -> int:
    """Write a backup. What was confirmed before it began is in it; nobody waits meanwhile.

    Args:
        database_url: what to copy. A SQLite backup is a database again; PostgreSQL's is for `pg_restore`.
        target: the file to write; it appears when it is complete, and never replaces another.

    Returns:
        its size in bytes.

    Raises:
        NoBackup: there is nothing to copy, the file exists, or the copy did not succeed.
    """
    if target.exists():
        raise NoBackup(f"{target} exists already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    address = make_url(database_url)
    try:
        if address.get_backend_name() == "sqlite":
            _copy(Path(address.database or ""), unfinished)
        else:
            _dump(address, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        raise NoBackup(f"There is no database {source}.")
    if trouble := no_database(source):
        raise NoBackup(trouble)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        verdict = new.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        raise NoBackup(f"The copy is damaged: {verdict}")


def _dump(address: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise NoBackup(
            "pg_dump is not installed here: install PostgreSQL's client programs, or back up there."
        )
    plain = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database, address.query
    ).render_as_string()
    environment = os.environ | ({"PGPASSWORD": str(address.password)} if address.password else {})
    command = [program, "--format=custom", f"--file={target}", plain]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NoBackup(f"pg_dump failed: {done.stderr.strip()}")
