"""A restore that fails leaves what was there, and where it does not, it says so and where that lies now."""

import io
import os
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from app.backup import back_up
from app.restore import restore
from app.restoring import CannotRestore, HalfRestored
from app.settings import Settings
from bot.media import MediaStore
from models.database import DatabaseTrouble, open_database
from tests.app.test_backup import Rows, rows, settings, used
from tests.channels.pictures import picture


def lived_on(given: Settings, backup: Path, *, photos: bool = False) -> Rows:
    """A town whose backup is older than what is in it now, which is returned."""
    used(given.database_url)
    if photos:
        MediaStore(given.media).keep(picture(), "photo")
    back_up(given, backup, photos=photos)
    database = open_database(given.database_url)
    with closing(database), database.writer.begin() as connection:
        connection.execute(text("INSERT INTO person (name) VALUES ('今天来的人')"))
    return rows(given.database_url)


def with_damaged_photos(backup: Path) -> Path:
    """The same with other bytes in its photos."""
    target = backup.with_name("damaged.tar")
    with tarfile.open(backup) as old, tarfile.open(target, "w") as new:
        for member in old:
            opened = old.extractfile(member)
            assert opened is not None
            data = opened.read()
            new.addfile(member, io.BytesIO(data[::-1] if member.name.startswith("media/") else data))
    return target


def test_tables_that_cannot_be_brought_up_leave_what_was_there(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(migrated_url, tmp_path)
    now = lived_on(given, tmp_path / "monday.tar")

    def no_step(_: str) -> str:
        raise DatabaseTrouble("a step failed.")

    monkeypatch.setattr("app.restoring.migrate", no_step)
    with pytest.raises(CannotRestore, match="could not be brought up to this version: a step failed"):
        restore(given, tmp_path / "monday.tar", replace=True)
    assert rows(migrated_url) == now


def test_a_damaged_photo_is_seen_before_anything_is_replaced(migrated_url: str, tmp_path: Path) -> None:
    given = settings(migrated_url, tmp_path)
    now = lived_on(given, tmp_path / "monday.tar", photos=True)
    elsewhere = replace(given, media=tmp_path / "empty")

    with pytest.raises(CannotRestore, match="is not the photo that was kept") as caught:
        restore(elsewhere, with_damaged_photos(tmp_path / "monday.tar"), replace=True)
    assert not isinstance(caught.value, HalfRestored)
    assert rows(migrated_url) == now


def test_what_fails_after_it_was_replaced_says_so(migrated_url: str, tmp_path: Path) -> None:
    given = settings(migrated_url, tmp_path)
    now = lived_on(given, tmp_path / "monday.tar", photos=True)
    (tmp_path / "full").write_text("no folder")

    with pytest.raises(HalfRestored) as caught:
        restore(replace(given, media=tmp_path / "full"), tmp_path / "monday.tar", replace=True)
    assert str(caught.value).startswith("The database is restored, and what was there before lies in ")
    assert "Not a directory" in str(caught.value)
    assert len(rows(migrated_url)["person"]) == len(now["person"]) - 1


def test_there_is_a_database_at_every_moment(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(sqlite_url, tmp_path)
    now = lived_on(given, tmp_path / "monday.tar")

    def crash(*_: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            restore(given, tmp_path / "monday.tar", replace=True)
    assert rows(sqlite_url) == now


def test_what_only_the_log_beside_it_has_is_put_aside_too(sqlite_url: str, tmp_path: Path) -> None:
    given = settings(sqlite_url, tmp_path)
    now = lived_on(given, tmp_path / "monday.tar")
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as left_open:
        left_open.execute("PRAGMA wal_autocheckpoint = 0")
        left_open.execute("INSERT INTO person (name) VALUES ('刚刚来的人')")
        left_open.commit()
        done = restore(given, tmp_path / "monday.tar", replace=True)

    assert len(rows(f"sqlite:///{done.kept}")["person"]) == len(now["person"]) + 1
    assert len(rows(sqlite_url)["person"]) == len(now["person"]) - 1


def test_the_new_file_is_on_the_disk_before_it_bears_the_name(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(sqlite_url, tmp_path)
    lived_on(given, tmp_path / "monday.tar")
    written: list[int] = []
    on_disk = os.fsync

    def noting(number: int) -> None:
        written.append(os.fstat(number).st_ino)
        on_disk(number)

    monkeypatch.setattr("os.fsync", noting)
    restore(given, tmp_path / "monday.tar", replace=True)

    file = Path(sqlite_url.removeprefix("sqlite:///"))
    assert file.stat().st_ino in written
    assert file.parent.stat().st_ino in written
