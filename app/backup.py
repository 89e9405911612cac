"""Copies the database while it is in use: whole, of one moment, and tried before it is called a backup.

A backup is one tar file: a manifest, the database, and the photos where they are asked for.
"""

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, make_url
from sqlalchemy import text as statement

from app import postgres
from app.alone import NoUse
from app.manifest import NAME, Facts, Manifest, facts_of, mark_of, this_program
from app.paths import no_database
from app.sealing import read_keys
from app.settings import Settings
from handbook import open_book
from models.database import current_revision, make_engine
from scheduler.clock import SystemClock

PHOTOS = "media"
"""Folder of the photos within a backup."""


class NoBackup(Exception):
    """No backup was made; the message says why in a plain sentence."""


def back_up(settings: Settings, target: Path, *, photos: bool = False) -> Manifest:
    """Write a backup. What was confirmed before it began is in it; nobody waits meanwhile.

    Args:
        settings: say what to copy.
        target: the file to write; it appears when it is complete, and never replaces another.
        photos: put them in as well; they are the larger part, and never change once they are there.

    Returns:
        what the backup says of itself.

    Raises:
        NoBackup: there is nothing to copy, the file exists, or the copy did not succeed.
    """
    if target.exists():
        raise NoBackup(f"{target} exists already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        facts, form, files = _copied(settings.database_url, Path(folder))
        manifest = _manifest(settings, facts, form, files, photos=photos)
        unfinished = Path(folder) / "backup"
        _pack(manifest, Path(folder), settings.media if photos else None, unfinished)
        _appear(unfinished, target)
    return manifest


def _copied(url: str, folder: Path) -> tuple[Facts, str, dict[str, list[str]]]:
    """Copy the database into a folder. Returns its facts, the copy's form, and its files with columns."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _copy(Path(address.database or ""), folder / "database.db"), "database", {"database.db": []}
    if current_revision(url) is None:
        raise NoBackup("There are no tables in the database.")
    with _one_moment(url) as connection:
        facts = facts_of(connection)
        if postgres.program("pg_dump", _server(connection)) is None:
            columns = postgres.export_tables(connection, facts.counts, folder)
            return facts, "tables", {f"{name}.copy": its for name, its in columns.items()}
        snapshot, schema = connection.execute(
            statement("SELECT pg_export_snapshot(), current_schema()")
        ).one()
        try:
            postgres.dump(url, snapshot, schema, folder / "database.dump")
        except postgres.Failed as no:
            raise NoBackup(str(no)) from no
    return facts, "dump", {"database.dump": []}


def _server(connection: Connection) -> int:
    """The server's version, as its programs count it."""
    return int(connection.execute(statement("SHOW server_version_num")).scalar_one()) // 10_000


@contextmanager
def _one_moment(url: str) -> Iterator[Connection]:
    engine = make_engine(url).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _copy(source: Path, target: Path) -> Facts:
    if not source.exists():
        raise NoBackup(f"There is no database {source}.")
    if trouble := no_database(source):
        raise NoBackup(trouble)
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            verdict = new.execute("PRAGMA integrity_check").fetchone()[0]
            new.execute("PRAGMA journal_mode=DELETE")  # one file, with no log beside it
    except sqlite3.DatabaseError as no:
        verdict = str(no)
    if verdict != "ok":
        raise NoBackup(f"The database is damaged: {verdict.splitlines()[0]}. Restore the last good backup.")
    return facts_in(target)


def facts_in(file: Path) -> Facts:
    """The facts of a SQLite file that nobody uses. Raises NoBackup for one without our tables."""
    url = f"sqlite:///{file}"
    if current_revision(url) is None:
        raise NoBackup("There are no tables in the database.")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return facts_of(connection)


def _manifest(
    settings: Settings, facts: Facts, form: str, files: dict[str, list[str]], *, photos: bool
) -> Manifest:
    kept = [path.stat().st_size for path in photo_files(settings.media)]
    return Manifest(
        made_at=SystemClock().now().isoformat(timespec="seconds"),
        place=settings.place,
        title=settings.title or open_book(settings.place).place.name,
        name=settings.name,
        engine=make_url(settings.database_url).get_backend_name(),
        form=form,
        facts=facts,
        search=_search_mark(settings),
        photos={"included": photos, "folder": str(settings.media), "files": len(kept), "bytes": sum(kept)},
        files={name: {"columns": columns} for name, columns in files.items()},
        program=this_program(),
    )


def _search_mark(settings: Settings) -> str:
    """A backup is also made where there are no keys."""
    try:
        return mark_of(read_keys(settings, make=False))
    except NoUse:
        return ""


def photo_files(folder: Path) -> Iterator[Path]:
    """What is kept in a media folder, without what is just being written."""
    return (path for path in sorted(folder.glob("??/*")) if path.is_file() and not path.name.startswith("."))


# ---- the file --------------------------------------------------------------------------------------------


def _pack(manifest: Manifest, folder: Path, photos: Path | None, target: Path) -> None:
    for name, its in manifest.files.items():
        with (folder / name).open("rb") as file:
            its["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        its["bytes"] = (folder / name).stat().st_size
    with tarfile.open(target, "w") as tar:
        _add(tar, NAME, manifest.written())
        for name in manifest.files:
            tar.add(folder / name, name)
        for path in photo_files(photos) if photos else ():
            tar.add(path, f"{PHOTOS}/{path.parent.name}/{path.name}", recursive=False)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _appear(unfinished: Path, target: Path) -> None:
    """Let the file be there, whole and for good, under a name that nobody has taken meanwhile."""
    unfinished.chmod(0o600)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise NoBackup(f"{target} exists already.") from None
    except OSError:  # a disk that knows no second names
        unfinished.rename(target)
