"""Brings a backup back into a SQLite file: all of it appears in one step, or nothing."""

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from app.backup import NoBackup, facts_in
from app.manifest import Manifest
from app.restoring import TELLING, USED, CannotRestore, brought_up, must_be_as_told
from app.settings import Settings
from scheduler.clock import SystemClock

_BESIDE: Final = ("", "-wal", "-shm")
"""What belongs to a SQLite database, by what it adds to the name."""


def into_file(
    settings: Settings, manifest: Manifest, fresh: Path, *, replace: bool
) -> tuple[str, str | None]:
    """Let the file take the place of the database. Returns where the old one lies, and the new version."""
    target = Path(make_url(settings.database_url).database or "")
    used = target.exists() and _is_used_file(target)
    if used and not replace:
        raise CannotRestore(USED.format(target))
    try:
        with closing(sqlite3.connect(fresh)) as opened:
            sound = opened.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        must_be_as_told(manifest, facts_in(fresh))
    except (sqlite3.DatabaseError, NoBackup) as no:
        raise CannotRestore(f"The database in the backup cannot be used: {no}") from no
    if not sound:
        raise CannotRestore("The database in the backup is damaged: take another backup.")
    older = brought_up(f"sqlite:///{fresh}", manifest)
    fresh.chmod(0o600)
    _written(fresh)
    kept = _also_aside(target) if used else ""
    for end in _BESIDE[1:]:  # before the new file is there: they are read into whatever bears the name
        Path(f"{target}{end}").unlink(missing_ok=True)
    fresh.replace(target)
    _written(target.absolute().parent)
    return kept, older


def _is_used_file(file: Path) -> bool:
    """Whether anything is in it that could be missed; what cannot be read might be."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
            tables = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            asked = [name for name in TELLING if name in tables]
            return any(opened.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in asked)  # noqa: S608
    except sqlite3.DatabaseError:
        return True


def _also_aside(target: Path) -> str:
    """Give the database a second name. It keeps its own until the new file takes that in one step: were there
    no file for a moment, a start after a crash would found the example town.
    """
    _emptied(target)
    stamp = f"{SystemClock().now():%Y%m%dT%H%M%S}"
    aside = f"{target}.replaced-{stamp}"
    for end in _BESIDE:
        part, second = Path(f"{target}{end}"), Path(f"{aside}{end}")
        if part.exists():
            try:
                second.hardlink_to(part)
            except OSError:  # not every disk knows two names for a file
                shutil.copy2(part, second)
                _written(second)
    _written(target.absolute().parent)
    return aside


def _emptied(database: Path) -> None:
    """Bring into the file what lies beside it, so that it is whole by itself; a damaged one is left alone."""
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _written(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
