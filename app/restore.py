"""Brings a backup back: into an empty place, tried before anything is touched, and told in plain words."""

import hashlib
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, inspect, make_url, text
from sqlmodel import Session

from app import postgres
from app.alone import NoUse
from app.backup import PHOTOS, NoBackup, facts_in, photo_files
from app.manifest import NAME, Facts, Manifest, NoManifest, differences, facts_of, misfit_of
from app.sealing import key_file, must_open, read_keys
from app.settings import Settings
from handbook import open_book
from handlers.audit import note_program, prove
from handlers.work import Desk
from models import Deed
from models.database import MIGRATIONS, make_engine, migrate, open_database
from models.sealing import Keys
from scheduler.clock import SystemClock

_LARGEST_MANIFEST: Final = 1 << 20
_BESIDE: Final = ("", "-wal", "-shm")
"""What belongs to a SQLite database, by what it adds to the name."""
_TELLING: Final = ("person", "inbox", "incident")
"""Tables in which a database that is used has rows."""


class CannotRestore(Exception):
    """Nothing was restored; the message says why, and what to do."""


@dataclass(frozen=True)
class Restored:
    """What was brought back."""

    manifest: Manifest
    migrated_to: str | None
    """The version to which older tables were brought; None where they were of this program's."""
    kept: str
    """Where what was there before lies now; empty where there was nothing."""
    photos: int
    """Photos that were brought back."""
    photos_missing: int
    """Photos of which the database speaks and that are not in the media folder."""


def read_manifest(file: Path) -> Manifest:
    """What a backup says of itself. Raises CannotRestore for a file that is none."""
    try:
        with tarfile.open(file) as tar:
            member = tar.next()
            if member is None or member.name != NAME or member.size > _LARGEST_MANIFEST:
                raise NoManifest("it does not begin with a manifest")
            opened = tar.extractfile(member)
            return Manifest.read(opened.read() if opened else b"")
    except FileNotFoundError:
        raise CannotRestore(f"There is no file {file}.") from None
    except (NoManifest, tarfile.TarError, OSError, EOFError) as no:
        raise CannotRestore(
            f"{file} is no backup that `xiaoge backup` made, or it is damaged from its beginning ({no})."
        ) from None


def restore(settings: Settings, file: Path, *, replace: bool = False) -> Restored:
    """Bring a backup back. Whoever calls sees to it that no other program works on the database.

    Args:
        settings: where to.
        file: the backup.
        replace: even where people or cases are; what was there is put aside, never deleted.

    Raises:
        CannotRestore: it is damaged, of another place, a newer program or other keys, or there is no room for
            it; nothing was changed.
    """
    manifest = read_manifest(file)
    keys = _keys_of(settings)
    _must_fit(settings, manifest, keys)
    where = _folder(settings)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where, prefix=".restore-") as folder:
        _unpack(file, manifest, Path(folder))
        if manifest.engine == "sqlite":
            kept, older = _into_file(settings, manifest, Path(folder) / "database.db", replace=replace)
        else:
            kept, older = _into_server(settings, manifest, Path(folder), replace=replace)
    photos = _photos_back(file, settings.media) if manifest.photos.get("included") else 0
    missing = _looked_through(settings, manifest, keys)
    return Restored(manifest, older, kept, photos, missing)


def _keys_of(settings: Settings) -> Keys | None:
    try:
        return read_keys(settings, make=False)
    except NoUse:
        return None


def _folder(settings: Settings) -> Path:
    """On the disk where the database will lie, so that it appears there in one step."""
    address = make_url(settings.database_url)
    return (
        Path(address.database or "").absolute().parent
        if address.get_backend_name() == "sqlite"
        else Path.cwd()
    )


# ---- whether it fits -------------------------------------------------------------------------------------


def _must_fit(settings: Settings, manifest: Manifest, keys: Keys | None) -> None:
    engine = make_url(settings.database_url).get_backend_name()
    what = f"It is a backup of {manifest.title} ({manifest.name or manifest.place})"
    if engine != manifest.engine:
        raise CannotRestore(
            f"{what} on {manifest.engine}, and the database here is {engine}: name one of its kind."
        )
    if manifest.place != settings.place or (
        manifest.name and settings.name and manifest.name != settings.name
    ):
        raise CannotRestore(
            f"{what}, and this is {settings.name or settings.place}: nothing of one place goes into another."
        )
    if manifest.facts.migration not in _known():
        raise CannotRestore(
            f"{what} by a newer program (tables {manifest.facts.migration}): install that one first."
        )
    misfit = misfit_of(manifest, keys)
    if misfit:
        own = key_file(settings.database_url)
        there = f" ({own})" if own is not None and not settings.keys else ""
        raise CannotRestore(f"The keys do not fit: {misfit}{there}.")


def _known() -> list[str]:
    """Versions of the tables, the newest first."""
    return [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


def _unpack(file: Path, manifest: Manifest, folder: Path) -> None:
    """Take the database's files out, and compare each with what the manifest says of it."""
    try:
        with tarfile.open(file) as tar:
            for name, its in manifest.files.items():
                opened = tar.extractfile(name)
                if opened is None or Path(name).name != name:
                    raise CannotRestore(f"{file} is damaged: {name} is no file in it.")
                with (folder / name).open("wb") as out:
                    shutil.copyfileobj(opened, out)
                with (folder / name).open("rb") as written:
                    digest = hashlib.file_digest(written, "sha256").hexdigest()
                if digest != its["sha256"]:
                    raise CannotRestore(
                        f"{file} is damaged: {name} is not what was backed up. Take another backup."
                    )
    except (tarfile.TarError, KeyError, EOFError) as no:
        raise CannotRestore(
            f"{file} is damaged: it is cut off, or parts are missing. Take another backup."
        ) from no


def _must_be_as_told(manifest: Manifest, found: Facts) -> None:
    odd = differences(manifest.facts, found)
    if odd:
        raise CannotRestore(f"What was read from the backup is not what its manifest says: {', '.join(odd)}.")


# ---- SQLite ----------------------------------------------------------------------------------------------


def _into_file(
    settings: Settings, manifest: Manifest, fresh: Path, *, replace: bool
) -> tuple[str, str | None]:
    """Let the file take the place of the database. Returns where the old one lies, and the new version."""
    target = Path(make_url(settings.database_url).database or "")
    used = target.exists() and _is_used_file(target)
    if used and not replace:
        raise CannotRestore(_USED.format(target))
    try:
        with closing(sqlite3.connect(fresh)) as opened:
            sound = opened.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        _must_be_as_told(manifest, facts_in(fresh))
    except (sqlite3.DatabaseError, NoBackup) as no:
        raise CannotRestore(f"The database in the backup cannot be used: {no}") from no
    if not sound:
        raise CannotRestore("The database in the backup is damaged: take another backup.")
    older = _brought_up(f"sqlite:///{fresh}", manifest)
    fresh.chmod(0o600)
    kept = _put_aside(target) if used else ""
    for end in _BESIDE[1:]:
        Path(f"{target}{end}").unlink(missing_ok=True)
    fresh.replace(target)
    return kept, older


_USED = (
    "There are people or cases in {} already, so nothing was restored: name another database, or say "
    "--replace, which puts what is there aside."
)


def _is_used_file(file: Path) -> bool:
    """Whether anything is in it that could be missed; what cannot be read might be."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
            tables = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            asked = [name for name in _TELLING if name in tables]
            return any(opened.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in asked)  # noqa: S608
    except sqlite3.DatabaseError:
        return True


def _put_aside(target: Path) -> str:
    stamp = f"{SystemClock().now():%Y%m%dT%H%M%S}"
    aside = f"{target}.replaced-{stamp}"
    for end in _BESIDE:
        part = Path(f"{target}{end}")
        if part.exists():
            part.rename(f"{aside}{end}")
    return aside


def _brought_up(url: str, manifest: Manifest) -> str | None:
    version = migrate(url)
    return version if version != manifest.facts.migration else None


# ---- PostgreSQL ------------------------------------------------------------------------------------------


def _into_server(
    settings: Settings, manifest: Manifest, folder: Path, *, replace: bool
) -> tuple[str, str | None]:
    """Fill the database, what was there put aside as a schema. Returns the schema's name, the new version."""
    url = settings.database_url
    with _connected(url) as connection:
        _must_be_free(connection)
        schema, used = str(connection.scalar(text("SELECT current_schema()"))), _is_used(connection)
        if used and not replace:
            raise CannotRestore(_USED.format("the database"))
    aside = _schema_aside(url, schema)
    try:
        _fill(url, manifest, folder)
    except Exception:
        _schema_back(url, schema, aside)
        raise
    older = _brought_up(url, manifest)
    if used:
        return f"schema {aside}", older
    if aside:
        with _connected(url) as connection:
            connection.execute(text(f'DROP SCHEMA "{aside}" CASCADE'))
    return "", older


def _fill(url: str, manifest: Manifest, folder: Path) -> None:
    if manifest.form == "dump":
        try:
            postgres.restore_dump(url, folder / "database.dump")
        except postgres.Failed as no:
            raise CannotRestore(str(no)) from no
    else:
        migrate(url, to=manifest.facts.migration)
        columns = {name.removesuffix(".copy"): its["columns"] for name, its in manifest.files.items()}
        with _connected(url) as connection:
            postgres.import_tables(connection, columns, folder)
    with _connected(url) as connection:
        _must_be_as_told(manifest, facts_of(connection))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(make_engine(url).url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def _must_be_free(connection: Connection) -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    others = connection.execute(text(query)).scalar_one()
    if others:
        raise CannotRestore(
            f"{others} connections to the database are open: stop every program that uses it first."
        )


def _is_used(connection: Connection) -> bool:
    there = set(inspect(connection).get_table_names())
    return any(
        connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None  # noqa: S608
        for name in _TELLING
        if name in there
    )


def _schema_aside(url: str, schema: str) -> str:
    """Make room by another name for what is there. Returns the name; empty where nothing was there."""
    aside = f"replaced_{SystemClock().now():%Y%m%dt%H%M%S}"
    with _connected(url) as connection:
        if not inspect(connection).get_table_names():
            return ""
        connection.execute(text(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"'))
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    return aside


def _schema_back(url: str, schema: str, aside: str) -> None:
    """Undo what was begun."""
    with _connected(url) as connection:
        if aside:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
            connection.execute(text(f'ALTER SCHEMA "{aside}" RENAME TO "{schema}"'))
            return
        for name in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{name}" CASCADE'))
        connection.execute(text("DROP FUNCTION IF EXISTS audit_line_stays"))


# ---- photos, and the last look ---------------------------------------------------------------------------


def _photos_back(file: Path, folder: Path) -> int:
    """Bring photos back that are missing; each is named by its content, which is compared."""
    count = 0
    with tarfile.open(file) as tar:
        for member in tar:
            parts = Path(member.name).parts
            if len(parts) != 3 or parts[0] != PHOTOS or not member.isfile() or ".." in parts:
                continue
            target = folder / parts[1] / parts[2]
            opened = tar.extractfile(member)
            if target.exists() or opened is None:
                continue
            data = opened.read()
            if hashlib.sha256(data).hexdigest() != target.stem:
                raise CannotRestore(
                    f"The database is restored, but {file} is damaged: the photo {target.name}."
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_suffix(".new").write_bytes(data)
            target.with_suffix(".new").replace(target)
            count += 1
    return count


def _looked_through(settings: Settings, manifest: Manifest, keys: Keys | None) -> int:
    """Prove what was restored and note it in its audit. Returns how many photos are missing."""
    database = open_database(settings.database_url, keys=keys)
    try:
        if keys is not None:
            must_open(database, keys)
        with Session(database.reader) as session:
            proof = prove(session)
            named = (
                session.execute(text("SELECT DISTINCT key FROM attachment WHERE key LIKE 'media:%'"))
                .scalars()
                .all()
            )
        if proof.broken_at is not None:
            raise CannotRestore(
                f"The database is restored, but its audit was tampered with before the backup was made: line "
                f"{proof.broken_at} is not what was written there. Compare it with earlier backups."
            )
        desk = Desk(database, open_book(settings.place), SystemClock().now)
        with desk.session() as session:
            note_program(session, desk.now(), Deed.RESTORE, f"restore:{manifest.made_at}"[:100])
    finally:
        database.close()
    there = {path.name for path in photo_files(settings.media)}
    return len({key.removeprefix("media:") for key in named} - there)


def told(settings: Settings, done: Restored) -> Iterator[str]:
    """What was restored, in plain words."""
    manifest, facts = done.manifest, done.manifest.facts
    yield f"{manifest.title} ({settings.name or manifest.place}) is as it was at {manifest.made_at}."
    counts = ", ".join(f"{facts.counts.get(name, 0):,} {words}" for name, words in _COUNTED.items())
    yield f"It has {counts}."
    if facts.audit:
        lines, end = facts.audit["lines"], facts.audit["end"][-12:]
        yield f"Its audit is whole: {lines} lines then, the last one ended with {end}."
    if done.migrated_to is not None:
        yield f"Its tables were of version {facts.migration} and are now of {done.migrated_to}."
    if done.kept:
        yield f"What was there before lies in {done.kept}: delete it when it is not needed any more."
    if done.photos:
        yield f"{done.photos} photos were brought back."
    if done.photos_missing:
        yield f"{done.photos_missing} photos are missing in {settings.media}: copy them back from their copy."
    if facts.waiting:
        yield f"{facts.waiting} letters waited then and are sent once the program runs, some perhaps again."
    yield "What was said, decided or given since then is not in it; keys taken away since then open again."


_COUNTED: Final = {"grid": "grids", "person": "people", "incident": "cases", "inbox": "messages"}
