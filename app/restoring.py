"""What bringing a backup back into a file and into a server have in common."""

from typing import Final

from app.manifest import Facts, Manifest, differences
from models.database import migrate

TELLING: Final = ("person", "inbox", "incident")
"""Tables in which a database that is used has rows."""
USED = (
    "There are people or cases in {} already, so nothing was restored: name another database, or say "
    "--replace, which puts what is there aside."
)


class CannotRestore(Exception):
    """Nothing was restored; the message says why, and what to do."""


def must_be_as_told(manifest: Manifest, found: Facts) -> None:
    """Refuse what is not what was backed up. Raises CannotRestore."""
    odd = differences(manifest.facts, found)
    if odd:
        raise CannotRestore(f"What was read from the backup is not what its manifest says: {', '.join(odd)}.")


def brought_up(url: str, manifest: Manifest) -> str | None:
    """Migrate older tables. Returns the version that they have now; None where it is the backup's."""
    version = migrate(url)
    return version if version != manifest.facts.migration else None
