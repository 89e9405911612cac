"""Brings the tables up to date before anything is served, and loads nothing for it that stays."""

import os
import re
import subprocess
import sys

from models.database import MIGRATIONS, DatabaseTrouble, current_revision

_NAMES = re.compile(r"""^(down_)?revision\b[^=]*= *["'](\w+)["']""", re.MULTILINE)


def bring_up_to_date(database_url: str) -> None:
    """Migrate where it is needed, in a process of its own: Alembic's memory goes when it is done.

    The caller sees to it that no other program works on the database.

    Raises DatabaseTrouble when the tables could not be changed; the other process has said why.
    """
    if current_revision(database_url) == newest():
        return
    command = [sys.executable, "-m", "app", "migrate", "--held"]
    alone = {name: value for name, value in os.environ.items() if name != "XIAOGE_PLACES"}
    environment = alone | {"XIAOGE_DATABASE_URL": database_url}
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    if done.returncode:
        raise DatabaseTrouble("The tables could not be brought up to this version.")


def newest() -> str:
    """Name the version that no other one builds upon."""
    found: set[str] = set()
    built_upon: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        for down, name in _NAMES.findall(path.read_text("utf-8")):
            (built_upon if down else found).add(name)
    (name,) = found - built_upon
    return name
