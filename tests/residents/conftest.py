"""People at their desks, in a place that keeps more of its residents than the minimum."""

from collections.abc import Iterator

import pytest

from tests.handlers.office import Office, office


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Office]:
    """The people of 闽侯, where care, key persons and years of birth are kept."""
    with office("minhou", sqlite_url) as people:
        yield people


@pytest.fixture
def either(migrated_url: str) -> Iterator[Office]:
    """The same, on each promised engine."""
    with office("minhou", migrated_url) as people:
        yield people
