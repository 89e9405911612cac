"""What the tests of the web door ask for: a whole house behind it, and people who sit before it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.database import migrate
from tests.web.house import House, build_house, serving
from tests.web.pane import Pane


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a demo: seats may be chosen, the clock can be moved."""
    with serving(build_house(sqlite_url, tmp_path)) as running:
        yield running


@pytest.fixture(scope="session")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Lend one demo to all tests that leave nothing behind, or do not mind what others left."""
    folder: Path = tmp_path_factory.mktemp("shared")
    url = f"sqlite:///{folder / 'xiaoge.db'}"
    migrate(url)
    with serving(build_house(url, folder)) as running:
        yield running


@pytest.fixture
def earnest_house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a house that is no demo: only links and cookies tell who somebody is."""
    with serving(build_house(sqlite_url, tmp_path, demo=False)) as running:
        yield running


@pytest.fixture
def sit(house: House) -> Iterator[Callable[[str], Pane]]:
    """Open a seat's chat."""
    panes: list[Pane] = []

    def open_pane(seat: str) -> Pane:
        panes.append(Pane(house.url, seat))
        return panes[-1]

    yield open_pane
    for pane in panes:
        pane.close()
