"""Backups: whole, of one moment, made while others write."""

import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app.backup import NoBackup, back_up
from tests.town import founded


def messages(path: Path) -> set[str]:
    """Names of the messages in a database file."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row[0] for row in database.execute("SELECT message_id FROM inbox")}


def test_what_was_acknowledged_before_it_began_is_in_it(sqlite_url: str, tmp_path: Path) -> None:
    with founded("default", sqlite_url) as town:
        town.say("resident", "3栋路灯坏了")
        before = messages(Path(sqlite_url.removeprefix("sqlite:///")))
        going, enough = threading.Event(), threading.Event()

        def go_on() -> None:
            number = 0
            while not enough.is_set():
                town.send(town.inbound(f"居民{number}", "3栋路灯坏了"))
                number += 1
                going.set()

        writer = threading.Thread(target=go_on)
        writer.start()
        going.wait()
        size = back_up(sqlite_url, tmp_path / "kept" / "monday.db")
        enough.set()
        writer.join()
        after = messages(Path(sqlite_url.removeprefix("sqlite:///")))

    kept = messages(tmp_path / "kept" / "monday.db")
    assert size == (tmp_path / "kept" / "monday.db").stat().st_size > 0
    assert before <= kept <= after
    assert list((tmp_path / "kept").iterdir()) == [tmp_path / "kept" / "monday.db"]


def test_it_replaces_no_other(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "monday.db"
    target.write_text("an older one")
    with pytest.raises(NoBackup, match="exists already"):
        back_up(sqlite_url, target)

    assert target.read_text() == "an older one"


def test_without_a_database_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match="There is no database"):
        back_up(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "monday.db")

    assert not (tmp_path / "monday.db").exists()
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_database_makes_no_backup(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    damaged = tmp_path / "damaged.db"
    shutil.copy(path, damaged)
    content = bytearray(damaged.read_bytes())
    content[8192:12288] = os.urandom(4096)
    damaged.write_bytes(bytes(content))
    with pytest.raises((NoBackup, sqlite3.DatabaseError)):
        back_up(f"sqlite:///{damaged}", tmp_path / "monday.db")

    assert not (tmp_path / "monday.db").exists()


def pretend(folder: Path, script: str) -> None:
    """Put a program called pg_dump into a folder."""
    program = folder / "pg_dump"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_postgresqls_own_program_is_called_and_the_password_kept_off_its_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, 'printf "%s\\n%s" "$*" "$PGPASSWORD" > "${2#--file=}"')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    back_up("postgresql+psycopg://xiaoge:geheim@db/xiaoge", tmp_path / "monday.dump")
    arguments, password = (tmp_path / "monday.dump").read_text().splitlines()

    assert arguments.endswith("postgresql://xiaoge@db/xiaoge")
    assert password == "geheim"


def test_when_it_fails_its_own_words_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, 'echo "no such host" >&2; exit 1')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(NoBackup, match="no such host"):
        back_up("postgresql://db/xiaoge", tmp_path / "monday.dump")

    assert not (tmp_path / "monday.dump").exists()


def test_without_it_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBackup, match="pg_dump is not installed"):
        back_up("postgresql://db/xiaoge", tmp_path / "monday.dump")
