"""Lends a database with all tables and nobody in it: a SQLite file, or a PostgreSQL server that syncs."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.database import migrate
from models.sealing import Keys, new_key, use
from tests.postgres import SETTINGS, find_programs, fresh_database, running_server

SAFE = SETTINGS | {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""The tests' server forgets to sync; ours must not, or the disk would not be measured."""


def use_throwaway_keys() -> None:
    """Seal phones in this process with keys that end with it, as its database does."""
    use(Keys(new_key(), new_key()))


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Lend the URL of a database, sqlite or postgresql. Raises RuntimeError where there is no server."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            url = f"sqlite:///{Path(folder) / 'xiaoge.db'}"
            migrate(url)
            yield url
        return
    programs = find_programs()
    if programs is None:
        raise RuntimeError("no PostgreSQL was found")
    with running_server(programs, SAFE) as server, fresh_database(server) as url:
        migrate(url)
        yield url
