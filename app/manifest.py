"""What a backup says of itself, so that whoever restores it knows what it is before anything is touched."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from sqlalchemy import Connection, func, inspect, select, table
from sqlalchemy import text as statement

from app.sealing import SEALED
from models.sealing import Keys, lying

FORMAT: Final = 1
NAME: Final = "manifest.json"
_CANARY: Final = ("xiaoge", "backup")


class NoManifest(Exception):
    """These bytes are no manifest."""


@dataclass(frozen=True)
class Facts:
    """What stands in a database at one moment."""

    migration: str
    counts: dict[str, int]
    """Rows by table."""
    audit: dict[str, Any]
    """`lines` and `end` of the chain; empty for tables from before there was one."""
    sealed_by: list[str]
    """Short public names of the keys that sealed phones and other texts."""
    waiting: int
    """Letters that were promised and not sent."""


@dataclass(frozen=True)
class Manifest:
    """A backup's first member."""

    made_at: str
    """UTC, to the second."""
    place: str
    """Key of the book."""
    title: str
    name: str
    """Short name among several places; empty where there was one."""
    engine: str
    """sqlite or postgresql."""
    form: str
    """database (a SQLite file), dump (pg_dump's custom format) or tables (our own export)."""
    facts: Facts
    search: str = ""
    """Digest of a word we know, which tells whether a search key is the same; empty: it was not at hand."""
    photos: dict[str, Any] = field(default_factory=dict)
    """`folder`, `files`, `bytes`, and whether they are `included`."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Members beside the photos: `bytes` and `sha256`, and for a table its `columns`."""
    program: str = ""
    format: int = FORMAT

    def written(self) -> bytes:
        """As JSON that a person can read."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def read(cls, data: bytes) -> "Manifest":
        """Raises NoManifest."""
        try:
            fields = json.loads(data)
            if fields["format"] > FORMAT:
                raise NoManifest(f"it has the form {fields['format']} of a newer program")
            return cls(**{**fields, "facts": Facts(**fields["facts"])})
        except (ValueError, KeyError, TypeError) as no:
            raise NoManifest("its manifest cannot be read") from no


def this_program() -> str:
    """The program's version, where it was installed as one."""
    try:
        return version("xiaoge")
    except PackageNotFoundError:
        return ""


def facts_of(connection: Connection) -> Facts:
    """Read the facts within the connection's transaction, of tables of any version."""
    names = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    counts = {
        name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names
    }
    migration = connection.scalar(statement("SELECT version_num FROM alembic_version"))
    return Facts(
        migration=str(migration),
        counts=counts,
        audit=_audit(connection) if "audit_head" in counts else {},
        sealed_by=_sealed_by(connection),
        waiting=_waiting(connection),
    )


def _audit(connection: Connection) -> dict[str, Any]:
    row = connection.execute(statement("SELECT number, digest FROM audit_head")).first()
    return {"lines": row.number, "end": row.digest} if row is not None else {}


def _sealed_by(connection: Connection) -> list[str]:
    looked = inspect(connection)
    there = set(looked.get_table_names())
    found: set[str] = set()
    for sealed in SEALED:
        if sealed.table.name in there and _is_text(looked.get_columns(sealed.table.name), sealed.name):
            found |= lying(connection, sealed).by_key.keys()
    return sorted(found)


def _is_text(columns: list[Any], name: str) -> bool:
    """An earlier version may keep JSON where this one seals a text."""
    return any(column["name"] == name and "CHAR" in str(column["type"]).upper() for column in columns)


def _waiting(connection: Connection) -> int:
    return int(
        connection.execute(statement("SELECT count(*) FROM outbox WHERE state = 'waiting'")).scalar_one()
    )


def mark_of(keys: Keys | None) -> str:
    """By which a search key is known again, and nothing else is."""
    return keys.digest(*_CANARY)[:16] if keys else ""


def misfit_of(manifest: Manifest, keys: Keys | None) -> str | None:
    """Say in a sentence which keys a backup needs and which are not here; None where they fit."""
    needed = set(manifest.facts.sealed_by)
    missing = sorted(needed - set(keys.names if keys else ()))
    if missing:
        return (
            f"phones in it are sealed with the key {', '.join(missing)}, which is not here: first put the "
            "keys of that time back, where their copy is kept"
        )
    if needed and manifest.search and manifest.search != mark_of(keys):
        return (
            "the search key is not the one of that time, so nobody would be found by phone: put that one back"
        )
    return None


def differences(told: Facts, found: Facts) -> list[str]:
    """Name what a restored database has otherwise than its manifest says."""
    names = [name for name, count in _both(told.counts, found.counts) if count[0] != count[1]]
    return [*names, *(["the audit"] if told.audit != found.audit else [])]


def _both(one: Mapping[str, int], other: Mapping[str, int]) -> list[tuple[str, tuple[int, int]]]:
    return [(name, (one.get(name, 0), other.get(name, 0))) for name in sorted({*one, *other})]
