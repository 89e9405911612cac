"""People at their desks, for the faults that were found."""

from collections.abc import Iterator

import pytest

from tests.app.conftest import books_read_once
from tests.handlers.office import Office, office

__all__ = ["books_read_once", "desk"]


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Office]:
    """The people of the default place."""
    with office("default", sqlite_url) as people:
        yield people
