"""What is told of the machine is what the database really runs with."""

import sqlite3
from pathlib import Path

import pytest

from models.database import open_database
from models.facts import SqliteFacts, fsync_latency, sqlite_facts, wal_reset_fixed


def test_the_facts_are_those_of_the_writer(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    fixed = wal_reset_fixed(sqlite3.sqlite_version)
    assert sqlite_facts(database) == SqliteFacts(sqlite3.sqlite_version, fixed, "full", "wal")
    database.close()


@pytest.mark.parametrize(
    "version", ["3.44.6", "3.50.7", "3.51.3", "3.51.10", "3.53.0", "3.53.4", "3.60.1", "4.0.0"]
)
def test_versions_with_the_fix(version: str) -> None:
    assert wal_reset_fixed(version)


@pytest.mark.parametrize("version", ["3.40.1", "3.44.5", "3.45.3", "3.50.6", "3.51.2", "3.52.0", "2.99.99"])
def test_versions_without_it(version: str) -> None:
    assert not wal_reset_fixed(version)


def test_the_disk_is_really_asked(tmp_path: Path) -> None:
    assert 0 < fsync_latency(tmp_path, rounds=5) < 10
    assert list(tmp_path.iterdir()) == []
