"""Databases and addresses that are not what they seem: told in one sentence, and never called good."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.check import check
from app.settings import Settings, WrongSetting, read_settings
from models.database import DatabaseTrouble, migrate
from tests.keys import ENVIRONMENT


def settings(url: str, folder: Path, **more: str) -> Settings:
    """A program of the default place."""
    names = {"DATABASE_URL": url, "PLACE": "default", "MEDIA": str(folder / "media"), **more}
    return read_settings(ENVIRONMENT | {f"XIAOGE_{name}": value for name, value in names.items()})


def order(url: str, *statements: str) -> None:
    """Do something to a database that this program would never do."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def found_wrong(url: str, folder: Path) -> list[str]:
    """What `xiaoge check` says must be mended."""
    return [finding.words for finding in check(settings(url, folder)) if finding.wrong]


@pytest.mark.parametrize("value", ["sqlite:///f.db?mode=ro", "sqlite:///file:f.db?uri=true"])
def test_a_file_opened_in_a_way_that_is_not_followed_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="XIAOGE_DATABASE_URL cannot be used: a SQLite file is named"):
        settings(value, tmp_path)


@pytest.mark.parametrize("host", ["http://127.0.0.1", "127.0.0.1:80", "my host", "256.1.1.1", "-x", "a..b"])
def test_a_host_that_can_be_none_is_told_at_once(host: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match=r"XIAOGE_HOST cannot be used: .* is no address of a machine"):
        settings("sqlite:///f.db", tmp_path, HOST=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost", "grid-1.example.cn"])
def test_a_host_that_can_be_one_is_taken(host: str, tmp_path: Path) -> None:
    assert settings("sqlite:///f.db", tmp_path, HOST=host).host == host


def test_a_host_of_another_machine_is_told_in_one_line(tmp_path: Path) -> None:
    nobodys = {"XIAOGE_HOST": "192.0.2.1", "XIAOGE_PORT": "0"}  # RFC 5737
    folders = {"XIAOGE_MEDIA": str(tmp_path / "media"), "XIAOGE_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    command = [sys.executable, "-m", "app", "serve"]
    done = subprocess.run(
        command, env=os.environ | nobodys | folders, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith("xiaoge: XIAOGE_HOST names 192.0.2.1, where this machine cannot listen")
    assert len(done.stderr.splitlines()) == 1


DAMAGES = {
    "DELETE FROM alembic_version": "does not say which version",
    "INSERT INTO alembic_version VALUES ('another')": "several versions",
    "ALTER TABLE alembic_version RENAME COLUMN version_num TO number": "does not say which version",
    "DROP TABLE alembic_version": "does not say which version",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_version_is_told_in_a_sentence(migrated_url: str, tmp_path: Path, damage: str) -> None:
    order(migrated_url, damage)

    with pytest.raises(DatabaseTrouble, match=DAMAGES[damage]):
        migrate(migrated_url)
    assert [DAMAGES[damage] in words for words in found_wrong(migrated_url, tmp_path)] == [True]


def test_what_another_program_keeps_beside_ours_is_no_hindrance(database_url: str, tmp_path: Path) -> None:
    order(database_url, "CREATE TABLE somebody_elses (id INTEGER)")
    migrate(database_url)

    assert found_wrong(database_url, tmp_path) == []


@pytest.mark.parametrize(
    ("damage", "lack"),
    [("DROP TABLE outbox", "outbox"), ("ALTER TABLE grid DROP COLUMN name", "grid.name")],
)
def test_a_database_that_lacks_something_is_not_called_good(
    migrated_url: str, tmp_path: Path, damage: str, lack: str
) -> None:
    order(migrated_url, damage)

    (words,) = found_wrong(migrated_url, tmp_path)
    assert words.startswith(f"The database lacks {lack}")


def test_an_audit_without_its_guard_is_not_called_good(sqlite_url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        connection.execute("DROP TRIGGER audit_line_no_delete")
        connection.commit()

    assert [
        "Lines of the audit could be changed" in words for words in found_wrong(sqlite_url, tmp_path)
    ] == [True]
