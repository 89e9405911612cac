"""The keys that seal phones: from the environment, or for SQLite from a file beside the database."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, make_url, select
from sqlmodel import SQLModel

from app.alone import NoUse
from app.settings import Settings, keys_in
from handbook.signs import plain_number
from handlers.phones import digest_of_phone
from models import Person
from models.database import Database, open_database
from models.sealing import Keys, Sealed, SealingTrouble, digest, lying, new_key, reseal, sealed_columns, using

PEOPLE = Person.__table__  # type: ignore[attr-defined]
PHONES = PEOPLE.c.phone
SEALED = sealed_columns(SQLModel.metadata)
MISSING = (
    "XIAOGE_KEYS and XIAOGE_SEARCH_KEY are missing, which seal phones: put the two lines that `xiaoge keys` "
    "prints into the environment of every program that works on this database."
)
LOST = (
    "The key file {file} is gone, and without it no phone in the database can be read: put it back from "
    "where its copy is kept."
)


def new_keys() -> str:
    """Make a sealing key and a search key, as two lines for an environment or a key file."""
    return f"XIAOGE_KEYS={new_key()}\nXIAOGE_SEARCH_KEY={new_key()}\n"


def key_file(database_url: str) -> Path | None:
    """Where the keys of a SQLite database lie, unless they are in the environment; None for PostgreSQL."""
    address = make_url(database_url)
    return Path(f"{address.database}.keys") if address.get_backend_name() == "sqlite" else None


def read_keys(settings: Settings, *, make: bool = True) -> Keys:
    """Read the keys of a database, before it is opened.

    Args:
        settings: may hold the keys; else they are in the file beside a SQLite database.
        make: make that file where there is none and none was ever used.

    Raises:
        NoUse: a key is missing or is no key; the message says which, and what to do.
    """
    try:
        return Keys(*_given(settings, make=make))
    except SealingTrouble as trouble:
        raise NoUse(f"The keys that seal phones cannot be used: {trouble}") from None


def _given(settings: Settings, *, make: bool) -> tuple[str, str]:
    if settings.keys:
        return settings.keys, settings.search_key
    file = key_file(settings.database_url)
    if file is None:
        raise NoUse(MISSING)
    if make and not file.exists():
        _make(file, Path(str(file).removesuffix(".keys")))
    try:
        found = keys_in(file.read_text("utf-8"))
    except OSError as no:
        raise NoUse(f"The key file {file} cannot be read ({no.strerror}): no phone can without it.") from no
    return found.get("XIAOGE_KEYS", ""), found.get("XIAOGE_SEARCH_KEY", "")


def _make(file: Path, database: Path) -> None:
    """Write new keys for their owner alone; never where phones were sealed with others."""
    if database.exists() and _was_sealed(database):
        raise NoUse(LOST.format(file=file))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_for_owner(file, new_keys(), os.O_EXCL)


def _was_sealed(database: Path) -> bool:
    import sqlite3

    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        if not opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'person'").fetchone():
            return False
        return opened.execute("SELECT 1 FROM person WHERE phone LIKE 's1:%' LIMIT 1").fetchone() is not None


def write_for_owner(file: Path, words: str, how: int) -> None:
    """Write a file that nobody else may read; `how`: O_EXCL, so that no other is replaced."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600), "w") as opened:
        opened.write(words)
        opened.flush()
        os.fsync(opened.fileno())


def keys_in_lines(settings: Settings) -> str:
    """The keys in use, as `xiaoge keys` prints new ones. Raises NoUse."""
    sealing, search = _given(settings, make=False)
    return f"XIAOGE_KEYS={sealing}\nXIAOGE_SEARCH_KEY={search}\n"


def is_open_to_others(file: Path) -> bool:
    """Whether anybody but its owner may read a key file."""
    return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


# ---- what lies in the database -------------------------------------------------------------------------


def must_open(database: Database, keys: Keys) -> None:
    """Refuse to work with keys that do not fit what is sealed. Raises NoUse, which says what to do."""
    with database.reader.connect() as connection:
        trouble = misfit_of(connection, keys)
    if trouble:
        raise NoUse(trouble)


def misfit_of(connection: Connection, keys: Keys) -> str | None:
    """Say in a sentence which key is missing or wrong; None where all can be read and found."""
    strange: Counter[str] = Counter()
    for sealed in SEALED:
        by_key = lying(connection, sealed).by_key
        strange.update({name: count for name, count in by_key.items() if name not in keys.names})
    if strange:
        return (
            f"{strange.total()} phones or other texts are sealed with the key {', '.join(strange)}, which is "
            "not here: put that key back, behind the newest one in XIAOGE_KEYS or in the key file."
        )
    with using(keys):
        try:
            row = connection.execute(select(PHONES, PEOPLE.c.phone_digest).where(_FINDABLE).limit(1)).first()
        except SealingTrouble as trouble:
            return str(trouble)
        findable = row is None or row.phone_digest == digest_of_phone(row.phone)
    if not findable:
        return (
            "The search key is not the one by which phones were kept, so nobody is found by phone: put the "
            "old one back as XIAOGE_SEARCH_KEY."
        )
    return None


_FINDABLE = PHONES.is_not(None) & PEOPLE.c.phone_digest.is_not(None)


def seal_plain(database: Database) -> int:
    """Seal what an earlier version kept plain, a few at a time. Returns how many texts there were."""
    with database.reader.connect() as connection:
        plain = any(lying(connection, sealed).plain for sealed in SEALED)
    return sum(reseal_all(database)) if plain else 0


def reseal_all(database: Database) -> Iterator[int]:
    """Seal with the newest key what is plain or sealed with an older one; a commit for each batch."""
    for sealed in SEALED:
        while True:
            with using(database.keys), database.writer.begin() as connection:
                done = reseal(connection, sealed, beside=_digests(sealed))
            if not done:
                break
            yield done


def _digests(sealed: Column[Any]) -> Callable[[str], Mapping[str, Any]]:
    """The column by which a sealed number is found, where it has one."""
    name = f"{sealed.name}_digest"
    if name not in sealed.table.columns:
        return lambda _: {}
    assert isinstance(sealed.type, Sealed)
    purpose = sealed.type.purpose
    return lambda text: {name: digest(plain_number(text), purpose)}


def rotate(settings: Settings) -> tuple[int, Path | None]:
    """Seal everything with the newest key; where a key file is used, a new key is first put into it.

    Returns:
        how many texts were sealed anew, and the file into which a new key was put.

    Raises:
        NoUse: the keys here do not fit the database.
    """
    with _opened(settings) as database:
        must_open(database, read_keys(settings, make=False))
    file = None if settings.keys else key_file(settings.database_url)
    if file is not None:
        sealing, search = _given(settings, make=False)
        fresh = file.with_name(file.name + ".new")
        fresh.unlink(missing_ok=True)
        write_for_owner(fresh, f"XIAOGE_KEYS={new_key()},{sealing}\nXIAOGE_SEARCH_KEY={search}\n", os.O_EXCL)
        fresh.replace(file)
    with _opened(settings) as database:
        return sum(reseal_all(database)), file


def _opened(settings: Settings) -> AbstractContextManager[Database]:
    return closing(open_database(settings.database_url, keys=read_keys(settings, make=False)))
