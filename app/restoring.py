"""What bringing a backup back into a file and into a server have in common."""

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.manifest import Facts, Manifest, differences
from models.database import DatabaseTrouble, migrate

TELLING: Final = ("person", "inbox", "incident")
"""Tables in which a database that is used has rows."""
USED = (
    "There are people or cases in {} already, so nothing was restored: name another database, or say "
    "--replace, which puts what is there aside."
)


class CannotRestore(Exception):
    """Nothing was restored; the message says why, and what to do."""


class HalfRestored(CannotRestore):
    """The database was replaced, and what should have followed failed; the message says all of that."""


def must_be_as_told(manifest: Manifest, found: Facts) -> None:
    """Refuse what is not what was backed up. Raises CannotRestore."""
    odd = differences(manifest.facts, found)
    if odd:
        raise CannotRestore(f"What was read from the backup is not what its manifest says: {', '.join(odd)}.")


def brought_up(url: str, manifest: Manifest) -> str | None:
    """Migrate older tables. Returns the version that they have now; None where it is the backup's.

    Raises CannotRestore where they cannot be, and whoever calls undoes what was begun.
    """
    try:
        version = migrate(url)
    except (DatabaseTrouble, SQLAlchemyError) as no:
        why = str(no).splitlines()[0]
        raise CannotRestore(f"Its tables could not be brought up to this version: {why}") from no
    return version if version != manifest.facts.migration else None
