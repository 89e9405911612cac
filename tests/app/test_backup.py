"""Backups and their way back: whole, of one moment, made while others write, and never half restored."""

import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from app import postgres
from app.backup import NoBackup, back_up
from app.manifest import Manifest
from app.restore import Restored, read_manifest, restore, told
from app.restoring import CannotRestore
from app.settings import Settings, read_settings
from bot.media import MediaStore
from models.database import current_revision, migrate, open_database
from models.sealing import new_key
from tests.channels.pictures import picture
from tests.keys import ENVIRONMENT
from tests.postgres import find_programs, fresh_database
from tests.town import founded

Rows = dict[str, list[tuple[Any, ...]]]


def settings(url: str, folder: Path, **more: str) -> Settings:
    """A program of the default place."""
    names = {"DATABASE_URL": url, "PLACE": "default", "MEDIA": str(folder / "media"), **more}
    return read_settings(ENVIRONMENT | {f"XIAOGE_{name}": value for name, value in names.items()})


def rows(url: str) -> Rows:
    """All that is in a database, as it lies there; without the audit, which grows by the restoring."""
    engine = create_engine(make_url(url))
    with engine.connect() as connection:
        names = sorted(set(inspect(connection).get_table_names()) - {"audit_head", "audit_line"})
        found = {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in names}  # noqa: S608
    engine.dispose()
    return {name: sorted(map(tuple, lines), key=str) for name, lines in found.items()}


def used(url: str) -> None:
    """Let a town be lived in for a moment."""
    with founded("default", url) as town:
        town.say("resident", "幸福社区第一网格2栋的路灯坏了")
        town.say("居民甲", "垃圾没人收")


@pytest.fixture
def other_url(request: pytest.FixtureRequest, migrated_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the same kind."""
    if migrated_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'new.db'}"
        return
    with fresh_database(request.getfixturevalue("postgres_url")) as url:
        yield url


def changed(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The same backup with another manifest."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            data = old.extractfile(member)
            assert data is not None
            content = data.read()
            if member.name == "manifest.json":
                fields = json.loads(content)
                change(fields)
                content = json.dumps(fields).encode()
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target


# ---- there and back --------------------------------------------------------------------------------------


def test_all_comes_back_as_it_was(migrated_url: str, other_url: str, tmp_path: Path) -> None:
    used(migrated_url)
    before = rows(migrated_url)
    made = back_up(settings(migrated_url, tmp_path), tmp_path / "kept" / "monday.tar")
    to = settings(other_url, tmp_path)
    done = restore(to, tmp_path / "kept" / "monday.tar")

    assert rows(other_url) == before
    assert (made.facts.counts["incident"], done.migrated_to, done.kept) == (len(before["incident"]), None, "")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["monday.tar"]
    assert stat.S_IMODE((tmp_path / "kept" / "monday.tar").stat().st_mode) == 0o600
    words = "\n".join(told(to, done))
    assert "is as it was at" in words
    assert f"{len(before['person'])} people, {len(before['incident'])} cases" in words
    goes_on(other_url)


def goes_on(url: str) -> None:
    """New rows get numbers of their own, and what was restored is in the audit."""
    used_again = open_database(url)
    with closing(used_again), used_again.writer.begin() as connection:
        connection.execute(text("INSERT INTO person (name) VALUES ('后来的人')"))
        noted = connection.execute(text("SELECT what FROM audit_line ORDER BY id DESC LIMIT 1")).scalar_one()
    assert noted == "restore"


def test_without_postgresqls_programs_the_tables_are_exported(
    migrated_postgres_url: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(migrated_postgres_url)
    before = rows(migrated_postgres_url)
    monkeypatch.setattr(postgres, "program", lambda *_: None)
    made = back_up(settings(migrated_postgres_url, tmp_path), tmp_path / "monday.tar")
    with fresh_database(postgres_url) as other:
        restore(settings(other, tmp_path), tmp_path / "monday.tar")

        assert made.form == "tables"
        assert rows(other) == before
        goes_on(other)


def test_what_was_acknowledged_before_it_began_is_in_it(
    migrated_url: str, other_url: str, tmp_path: Path
) -> None:
    with founded("default", migrated_url) as town:
        town.say("resident", "3栋路灯坏了")
        before = rows(migrated_url)["inbox"]
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
        back_up(settings(migrated_url, tmp_path), tmp_path / "monday.tar")
        enough.set()
        writer.join()
        after = rows(migrated_url)["inbox"]
    restore(settings(other_url, tmp_path), tmp_path / "monday.tar")
    ids = [{row[0] for row in found} for found in (before, rows(other_url)["inbox"], after)]

    assert ids[0] <= ids[1] <= ids[2]


def test_older_tables_are_brought_up(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    old = settings(database_url, tmp_path)
    migrate(database_url, to="waits_in_columns")
    engine = create_engine(make_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO person (name) VALUES ('张大爷')"))
    engine.dispose()
    back_up(old, tmp_path / "old.tar")
    with closing_other(database_url, tmp_path, request) as other:
        done = restore(settings(other, tmp_path), tmp_path / "old.tar")

        assert read_manifest(tmp_path / "old.tar").facts.migration == "waits_in_columns"
        assert done.migrated_to == current_revision(other) != "waits_in_columns"
        assert [row[1] for row in rows(other)["person"]] == ["张大爷"]


def closing_other(url: str, folder: Path, request: pytest.FixtureRequest) -> Any:
    """Another database of the same kind."""
    if url.startswith("sqlite"):
        return nullcontext(f"sqlite:///{folder / 'new.db'}")
    return fresh_database(request.getfixturevalue("postgres_url"))


def test_photos_come_along_when_they_are_asked_for(sqlite_url: str, tmp_path: Path) -> None:
    used(sqlite_url)
    key = MediaStore(tmp_path / "media").keep(picture(), "photo")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as opened:
        opened.execute(
            "INSERT INTO attachment (incident_id, person_id, kind, key, at) "
            "SELECT id, reporter_id, 'photo', ?, opened_at FROM incident LIMIT 1",
            [key],
        )
        opened.commit()
    given = settings(sqlite_url, tmp_path)
    without, whole = back_up(given, tmp_path / "a.tar"), back_up(given, tmp_path / "b.tar", photos=True)
    found = []
    for name in ("a", "b"):
        folder = tmp_path / f"elsewhere-{name}"
        done = restore(settings(f"sqlite:///{folder / 'x.db'}", folder), tmp_path / f"{name}.tar")
        found.append((done.photos, done.photos_missing))

    assert [made.photos["included"] for made in (without, whole)] == [False, True]
    assert found == [(0, 1), (1, 0)]
    assert MediaStore(tmp_path / "elsewhere-b" / "media").read(key).startswith(b"\xff\xd8\xff")


# ---- where it is refused ---------------------------------------------------------------------------------


def test_a_full_database_is_put_aside_only_when_told(migrated_url: str, tmp_path: Path) -> None:
    used(migrated_url)
    given = settings(migrated_url, tmp_path)
    back_up(given, tmp_path / "monday.tar")
    before = rows(migrated_url)
    database = open_database(migrated_url)
    with closing(database), database.writer.begin() as connection:
        connection.execute(text("INSERT INTO person (name) VALUES ('今天来的人')"))
    later = rows(migrated_url)

    with pytest.raises(
        CannotRestore, match=r"There are people or cases in .* already, so nothing was restored"
    ):
        restore(given, tmp_path / "monday.tar")
    assert rows(migrated_url) == later
    done = restore(given, tmp_path / "monday.tar", replace=True)
    assert rows(migrated_url) == before
    assert "今天来的人" in kept_people(migrated_url, done)


def kept_people(url: str, done: Restored) -> list[str]:
    """Names in what was put aside."""
    aside = done.kept.removeprefix("schema ")
    where = "person" if url.startswith("sqlite") else f"{aside}.person"
    engine = create_engine(f"sqlite:///{aside}" if url.startswith("sqlite") else make_url(url))
    with engine.connect() as connection:
        found = list(connection.execute(text(f"SELECT name FROM {where}")).scalars())  # noqa: S608
    engine.dispose()
    return found


@pytest.fixture
def backup(sqlite_url: str, tmp_path: Path) -> Path:
    """A sound one."""
    used(sqlite_url)
    back_up(settings(sqlite_url, tmp_path), tmp_path / "sound.tar")
    return tmp_path / "sound.tar"


def damaged(backup: Path, at: float) -> Path:
    """The same with some bytes changed."""
    content = bytearray(backup.read_bytes())
    place = int(len(content) * at)
    content[place : place + 64] = os.urandom(64)
    target = backup.with_name("damaged.tar")
    target.write_bytes(content)
    return target


def cut(backup: Path) -> Path:
    """The first half of it."""
    target = backup.with_name("cut.tar")
    target.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    return target


@pytest.mark.parametrize("spoil", [lambda one: damaged(one, 0.5), lambda one: damaged(one, 0.0), cut])
def test_a_damaged_backup_changes_nothing(
    backup: Path, tmp_path: Path, spoil: Callable[[Path], Path]
) -> None:
    to = settings(f"sqlite:///{tmp_path / 'new' / 'x.db'}", tmp_path)
    with pytest.raises(CannotRestore, match="damaged"):
        restore(to, spoil(backup))

    assert not (tmp_path / "new").exists() or list((tmp_path / "new").iterdir()) == []


MISFITS: list[tuple[dict[str, str], Callable[[dict[str, Any]], None], str]] = [
    ({"KEYS": new_key()}, lambda _: None, "The keys do not fit: phones in it are sealed with the key"),
    ({"SEARCH_KEY": new_key()}, lambda _: None, "The keys do not fit: the search key is not the one"),
    ({"PLACE": "qingcao"}, lambda _: None, "is a backup of .*, and this is qingcao: nothing of one place"),
    ({}, lambda it: it.update(engine="postgresql"), "on postgresql, and the database here is sqlite"),
    ({}, lambda it: it["facts"].update(migration="of_next_year"), "by a newer program"),
    ({}, lambda it: it.update(format=9), "form 9 of a newer program"),
    ({}, lambda it: it["facts"]["counts"].update(person=1), "not what its manifest says: person"),
    ({}, lambda it: it["facts"]["audit"].update(end="0"), "not what its manifest says: the audit"),
]


@pytest.mark.parametrize(
    ("more", "change", "why"), MISFITS, ids=[str(number) for number in range(len(MISFITS))]
)
def test_what_does_not_fit_is_refused_before_anything_is_touched(
    backup: Path, tmp_path: Path, more: dict[str, str], change: Callable[[dict[str, Any]], None], why: str
) -> None:
    to = settings(f"sqlite:///{tmp_path / 'new' / 'x.db'}", tmp_path, **more)
    with pytest.raises(CannotRestore, match=why):
        restore(to, changed(backup, tmp_path / "changed.tar", change))

    assert not (tmp_path / "new" / "x.db").exists()


def test_nothing_of_one_place_goes_into_another(backup: Path, sqlite_url: str, tmp_path: Path) -> None:
    back_up(replace(settings(sqlite_url, tmp_path), name="aa"), tmp_path / "aa.tar")
    to = settings(f"sqlite:///{tmp_path / 'new.db'}", tmp_path)

    with pytest.raises(CannotRestore, match=r"\(aa\), and this is bb"):
        restore(replace(to, name="bb"), tmp_path / "aa.tar")
    assert restore(replace(to, name="aa"), backup).manifest.name == ""


def test_a_failure_on_the_way_leaves_what_was_there(migrated_postgres_url: str, tmp_path: Path) -> None:
    used(migrated_postgres_url)
    given = settings(migrated_postgres_url, tmp_path)
    back_up(given, tmp_path / "sound.tar")
    before = rows(migrated_postgres_url)
    odd = changed(
        tmp_path / "sound.tar", tmp_path / "odd.tar", lambda it: it["facts"]["counts"].update(person=1)
    )
    with pytest.raises(CannotRestore, match="not what its manifest says"):
        restore(given, odd, replace=True)

    assert rows(migrated_postgres_url) == before


def test_a_database_in_use_is_left_alone(migrated_postgres_url: str, tmp_path: Path) -> None:
    used(migrated_postgres_url)
    given = settings(migrated_postgres_url, tmp_path)
    back_up(given, tmp_path / "monday.tar")
    database = open_database(migrated_postgres_url)
    with closing(database), database.reader.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(CannotRestore, match="stop every program that uses it first"):
            restore(given, tmp_path / "monday.tar", replace=True)


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + b"\0" * 4096])
def test_what_is_no_backup_is_told(sqlite_url: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)

    with pytest.raises(CannotRestore, match="is no backup that `xiaoge backup` made"):
        restore(settings(sqlite_url, tmp_path), tmp_path / "x.tar")
    with pytest.raises(CannotRestore, match="There is no file"):
        restore(settings(sqlite_url, tmp_path), tmp_path / "none.tar")


# ---- making one ------------------------------------------------------------------------------------------


def test_it_replaces_no_other(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "monday.tar"
    target.write_text("an older one")
    with pytest.raises(NoBackup, match="exists already"):
        back_up(settings(sqlite_url, tmp_path), target)

    assert target.read_text() == "an older one"


def test_without_a_database_there_is_no_backup(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match=r"There is no database|There are no tables"):
        back_up(settings(database_url, tmp_path), tmp_path / "monday.tar")

    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_damaged_database_makes_no_backup(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    spoilt = tmp_path / "spoilt.db"
    shutil.copy(path, spoilt)
    content = bytearray(spoilt.read_bytes())
    content[8192:12288] = os.urandom(4096)
    spoilt.write_bytes(bytes(content))
    with pytest.raises(NoBackup, match="The database is damaged"):
        back_up(settings(f"sqlite:///{spoilt}", tmp_path), tmp_path / "monday.tar")

    assert not (tmp_path / "monday.tar").exists()


def test_the_manifest_holds_nothing_by_which_a_person_is_found(backup: Path) -> None:
    manifest = read_manifest(backup)
    words = manifest.written().decode()

    assert Manifest.read(manifest.written()) == manifest
    assert not any(secret in words for secret in ENVIRONMENT.values())
    assert "王芳" not in words
    assert manifest.facts.waiting == 0 or manifest.facts.counts["outbox"]


def test_postgresqls_own_words_are_told_and_no_password_is_on_its_command_line(
    migrated_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "pg_dump"
    script.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit\n'
        'echo "$* and $PGPASSWORD" >&2; exit 1\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(NoBackup, match="pg_dump failed: --dbname=postgresql://") as caught:
        back_up(settings(migrated_postgres_url, tmp_path), tmp_path / "monday.tar")
    arguments, _, password = str(caught.value).rpartition(" and ")

    assert password == make_url(migrated_postgres_url).password
    assert password not in arguments
    assert not (tmp_path / "monday.tar").exists()


def test_the_programs_of_the_wheel_are_found() -> None:
    folder = find_programs()

    assert folder is not None
    assert postgres.program("pg_dump") is not None
