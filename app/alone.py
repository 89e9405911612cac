"""Sees to it that one program alone works on a SQLite file: two would answer the same chat out of order."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from app.paths import no_database
from models.database import DatabaseTrouble

_BUSY = (
    "Another program works on {}: stop it first. Start it again afterwards: what people send to a platform "
    "meanwhile is delivered then."
)


class NoUse(DatabaseTrouble):
    """Starting again would not help: somebody has to change something first."""


@contextmanager
def alone(database_url: str) -> Iterator[None]:
    """Hold a SQLite database for the length of a block; the system lets go of it when the process dies.

    PostgreSQL may have many programs at once. Raises NoUse when another one is there already, and where no
    database can be.
    """
    address = make_url(database_url)
    if address.get_backend_name() != "sqlite" or sys.platform == "win32":
        yield
        return
    import fcntl

    with _opened(Path(address.database or "")) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NoUse(_BUSY.format(address.database)) from None
        yield


def _opened(database: Path) -> IO[str]:
    """Open the file that is locked, beside the database. Raises NoUse before anything is written."""
    trouble = no_database(database)
    if trouble is not None:
        raise NoUse(trouble)
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(f"{database}.lock").open("a")
    except OSError as no:
        raise NoUse(f"{database} cannot be used as a database ({no.strerror}).") from no
