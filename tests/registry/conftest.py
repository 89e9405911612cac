"""Empty registries on both databases."""

from collections.abc import Iterator

import pytest

from tests.registry.office import Registry, registry


@pytest.fixture
def office(migrated_url: str) -> Iterator[Registry]:
    """An empty registry on each promised engine."""
    with registry(migrated_url) as found:
        yield found


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Registry]:
    """An empty registry, for what does not differ between the engines."""
    with registry(sqlite_url) as found:
        yield found
