"""Sees to it that one program alone works on a SQLite file: two would answer the same chat out of order."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

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

    PostgreSQL may have many programs at once. Raises NoUse when another one is there already.
    """
    address = make_url(database_url)
    if address.get_backend_name() != "sqlite" or sys.platform == "win32":
        yield
        return
    import fcntl

    path = Path(f"{address.database}.lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NoUse(_BUSY.format(address.database)) from None
        yield
