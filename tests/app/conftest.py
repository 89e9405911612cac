"""What the tests of the whole program share: books that are read once, and a town that is founded once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.__main__ import main
from tests.keys import ENVIRONMENT
from tests.town import book_of

OPENERS = (
    *("app.backup", "app.branch", "app.build", "app.check", "app.lists", "app.registry", "app.restore"),
    *("app.retention", "app.talk", "handbook.loading"),
)


@pytest.fixture(scope="session", autouse=True)
def books_read_once() -> Iterator[None]:
    """Let the program in this process open each place's book once: it is frozen, and reading takes long."""
    with pytest.MonkeyPatch.context() as patch:
        for module in OPENERS:
            patch.setattr(f"{module}.open_book", book_of)
        yield


@pytest.fixture(scope="session")
def founded_file(books_read_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found the default town once, as the command line does: a copy of its file is had in no time."""
    path = tmp_path_factory.mktemp("founded") / "xiaoge.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XIAOGE_DATABASE_URL", f"sqlite:///{path}")
        patch.setenv("XIAOGE_PLACE", "default")
        patch.setenv("XIAOGE_KEYS", ENVIRONMENT["XIAOGE_KEYS"])
        patch.setenv("XIAOGE_SEARCH_KEY", ENVIRONMENT["XIAOGE_SEARCH_KEY"])
        assert main(["found"]) == 0
    return path
