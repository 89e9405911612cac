"""People at their desks, for the faults that were found."""

from collections.abc import Iterator

import pytest

from tests.handlers.office import Office, office


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Office]:
    """The people of the default place."""
    with office("default", sqlite_url) as people:
        yield people
