"""Brings a backup back: into an empty place, tried before anything is touched, and told in plain words."""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlalchemy import text as statement
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.alone import NoUse
from app.backup import photo_files
from app.manifest import NAME, Manifest, NoManifest, misfit_of
from app.restore_file import into_file
from app.restore_photos import must_have_whole_photos, photos_back
from app.restore_server import into_server
from app.restoring import CannotRestore, HalfRestored
from app.sealing import key_file, must_open, read_keys
from app.settings import Settings
from handbook import BookError, open_book
from handlers.audit import note_program, prove
from handlers.work import Desk
from models import Deed
from models.database import MIGRATIONS, DatabaseTrouble, open_database
from models.sealing import Keys
from scheduler.clock import SystemClock

_LARGEST_MANIFEST: Final = 1 << 20


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
        HalfRestored: the database was replaced, and what follows failed.
    """
    manifest = read_manifest(file)
    keys = _keys_of(settings)
    _must_fit(settings, manifest, keys)
    with_photos = bool(manifest.photos.get("included"))
    if with_photos:
        must_have_whole_photos(file, settings.media)
    where = _folder(settings)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where, prefix=".restore-") as folder:
        _unpack(file, manifest, Path(folder))
        if manifest.engine == "sqlite":
            kept, older = into_file(settings, manifest, Path(folder) / "database.db", replace=replace)
        else:
            kept, older = into_server(settings, manifest, Path(folder), replace=replace)
    with _told_as_half(kept):
        named = _looked_through(settings, manifest, keys)
        photos = photos_back(file, settings.media) if with_photos else 0
        missing = len(named - {path.name for path in photo_files(settings.media)})
    return Restored(manifest, older, kept, photos, missing)


@contextmanager
def _told_as_half(kept: str) -> Iterator[None]:
    """Whatever fails from here on, the database is another one than before, and that must be said."""
    try:
        yield
    except (CannotRestore, DatabaseTrouble, BookError, SQLAlchemyError, tarfile.TarError, OSError) as no:
        before = f", and what was there before lies in {kept}" if kept else ""
        raise HalfRestored(f"The database is restored{before}, but: {no}") from no


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


# ---- the last look ---------------------------------------------------------------------------------------


def _looked_through(settings: Settings, manifest: Manifest, keys: Keys | None) -> set[str]:
    """Prove what was restored and note it in its audit. Returns the names of all photos it speaks of."""
    database = open_database(settings.database_url, keys=keys)
    try:
        if keys is not None:
            must_open(database, keys)
        with Session(database.reader) as session:
            proof = prove(session)
            query = statement("SELECT DISTINCT key FROM attachment WHERE key LIKE 'media:%'")
            named = {str(key).removeprefix("media:") for key in session.execute(query).scalars()}
        if proof.broken_at is not None:
            raise CannotRestore(
                f"its audit was tampered with before the backup was made: line {proof.broken_at} is not what "
                "was written there. Compare it with earlier backups."
            )
        desk = Desk(database, open_book(settings.place), SystemClock().now)
        with desk.session() as session:
            note_program(session, desk.now(), Deed.RESTORE, f"restore:{manifest.made_at}"[:100])
    finally:
        database.close()
    return named


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
