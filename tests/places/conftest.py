"""Two places in one process, over a real socket: aa has the default book, bb another."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import pytest

from models.sealing import use
from tests.app.conftest import books_read_once
from tests.places.system import BOOKS, System, found, served, tables_for
from tests.postgres import fresh_database

__all__ = ["books_read_once", "no_keys_of_the_process", "system"]


@pytest.fixture(autouse=True)
def no_keys_of_the_process() -> None:
    """Each database has keys of its own here; the tests' own come back afterwards."""
    use(None)


Lend = Callable[[Path, str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def sqlite_databases(sqlite_template: Path) -> Lend:
    """Lends migrated files by their names."""
    return lambda folder, name: nullcontext(
        f"sqlite:///{shutil.copy(sqlite_template, folder / f'{name}.db')}"
    )


@pytest.fixture(scope="session")
def postgresql_databases(postgres_url: str, postgres_template: str) -> Lend:
    """Lends migrated databases of the server."""
    return lambda _, __: fresh_database(postgres_url, postgres_template)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system(
    request: pytest.FixtureRequest, books_read_once: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Both places running, each in a database of its own; shared by tests that do not mind each other."""
    folder: Path = tmp_path_factory.mktemp("places")
    with ExitStack() as stack:
        lend = request.getfixturevalue(f"{request.param}_databases")
        places = tables_for(folder, {name: stack.enter_context(lend(folder, name)) for name in BOOKS})
        for place in places:
            found(place)
        yield stack.enter_context(served(places))
