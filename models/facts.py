"""What the machine really gives the database: shown to whoever runs the program, before they trust it."""

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from models.database import Database

SYNCHRONOUS = ("off", "normal", "full", "extra")
FIRST_FIXED = {44: 6, 50: 7, 51: 3}  # minor version 3.x of SQLite: first patch without the WAL-reset bug


@dataclass(frozen=True)
class SqliteFacts:
    """What decides whether a SQLite database is safe on this machine."""

    version: str
    wal_reset_fixed: bool
    """Without the fix only the single writer keeps the file whole: nothing else may write to it."""
    synchronous: str
    """One of SYNCHRONOUS; below `full` a power cut may undo what was confirmed."""
    journal_mode: str


def sqlite_facts(database: Database) -> SqliteFacts:
    """Ask the writer's own connection what it runs with, because settings can be refused silently."""
    with database.writer.connect() as connection:
        version = str(connection.scalar(text("SELECT sqlite_version()")))
        level = int(connection.scalar(text("PRAGMA synchronous")) or 0)
        mode = str(connection.scalar(text("PRAGMA journal_mode")))
    return SqliteFacts(version, wal_reset_fixed(version), SYNCHRONOUS[level], mode)


def wal_reset_fixed(version: str) -> bool:
    """Tell whether a SQLite version is free of the bug that corrupts a file with several writers.

    Fixed in 3.53.0 and 3.51.3, carried back to 3.50.7 and 3.44.6; 3.52.0 was withdrawn
    (sqlite.org/wal.html#walresetbug, sqlite.org/changes.html).
    """
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    if (major, minor) >= (3, 53):
        return True
    return major == 3 and minor in FIRST_FIXED and patch >= FIRST_FIXED[minor]


def fsync_latency(folder: Path, rounds: int = 20) -> float:
    """Measure how long the folder's disk takes to keep a page for good: no commit can be quicker.

    Returns:
        the median of `rounds` trials, in seconds. Far below a tenth of a millisecond the disk, or what stands
        in for it, does not really wait, and a power cut may undo what was confirmed.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        return statistics.median(_one_fsync(file.fileno()) for _ in range(rounds))


def _one_fsync(file: int) -> float:
    began = time.perf_counter()
    os.write(file, bytes(4096))
    os.fsync(file)
    return time.perf_counter() - began
