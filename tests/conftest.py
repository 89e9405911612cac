"""What every test may ask for: databases that are really there, a browser, and no network outside."""

import logging
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from models.database import migrate
from models.sealing import use
from tests.keys import KEYS, use_test_keys
from tests.network import keep_on_this_machine
from tests.postgres import find_programs, fresh_database, running_server, sqlalchemy_url

MEMORY = Path("/dev/shm")  # noqa: S108
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
    # Databases of tests lie in memory where they can: a test kills processes, it never cuts the power.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

use_test_keys()

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: not any(item.iter_markers("long")) and not any(item.iter_markers("browser")))


@pytest.fixture(scope="session", autouse=True)
def no_outside_network() -> Iterator[None]:
    """Guard all tests at once: nobody has to remember it."""
    with pytest.MonkeyPatch.context() as patch:
        keep_on_this_machine(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_store_of_certificates() -> Iterator[None]:
    """Read the certificates once: each HTTP client would take 40 ms for them, and needs none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Put levels and handlers back: a program that runs within a test sets them up for its own."""
    loggers = [
        logging.getLogger(name) for name in ("", "xiaoge", "app", "bot", "handlers", "scheduler", "web")
    ]
    levels, handlers = [one.level for one in loggers], list(loggers[0].handlers)
    yield
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)
    for handler in set(loggers[0].handlers) - set(handlers):
        if type(handler) is logging.StreamHandler:
            loggers[0].removeHandler(handler)


@pytest.fixture(autouse=True)
def keys_of_the_tests() -> Iterator[None]:
    """Give the process its keys back after a program in it has used its own."""
    yield
    use(KEYS)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL server for the whole run: the one in TEST_DATABASE_URL, else one of our own."""
    given, programs = os.environ.get("TEST_DATABASE_URL"), find_programs()
    if given:
        yield sqlalchemy_url(given)
    elif programs:
        with running_server(programs) as url:
            yield url
    else:
        pytest.fail("No PostgreSQL was found: run the tests with `make test`, or set TEST_DATABASE_URL.")


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """Lend the SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Run the test on each promised engine, with an empty database of its own (a SQLAlchemy URL)."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the system's Chromium; tests which ask for it carry the mark `browser`."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or pytest.fail("No Chromium was found: install it, or leave the mark `browser` out.")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One migrated SQLite file for the whole run: a copy of it is had in no time."""
    path = tmp_path_factory.mktemp("template") / "xiaoge.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """One migrated PostgreSQL database for the whole run, by its name: the server copies it quickly."""
    with fresh_database(postgres_url) as url:
        migrate(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Lend a SQLite database with all tables and no people, for what does not differ between the engines."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'xiaoge.db')}"


@pytest.fixture
def migrated_postgres_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """Lend a PostgreSQL database with all tables and no people."""
    with fresh_database(postgres_url, postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """Run the test on each promised engine, in a database of its own with all tables and no people."""
    lender = "sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    return str(request.getfixturevalue(lender))
