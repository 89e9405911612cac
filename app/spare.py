"""Whether there is something to go back to: backups that are young enough, and a copy of the keys."""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from app.findings import Finding, mind, ok
from app.manifest import Manifest, mark_of
from app.restore import read_manifest
from app.restoring import CannotRestore
from app.sealing import key_file, keys_in_lines, read_keys, write_for_owner
from app.settings import Settings
from models.sealing import Keys
from scheduler.clock import SystemClock

OLD = timedelta(days=7)


def backups(settings: Settings) -> Iterator[Finding]:
    """How old the newest backup of this place is, where one said in which folder they are."""
    folder = settings.backups
    if folder is None:
        yield mind(
            "No folder of backups is told of (XIAOGE_BACKUPS), so nobody can say how old the last one is: "
            f"`{settings.command} backup` once a day, and copy it to another machine."
        )
        return
    newest = max((manifest.made_at for manifest in _of_place(settings, folder)), default=None)
    if newest is None:
        yield mind(f"There is no backup of {settings.name or settings.place} in {folder}.")
        return
    age = SystemClock().now() - datetime.fromisoformat(newest)
    shown = f"The newest backup in {folder} is of {newest}"
    yield (
        ok(f"{shown}.")
        if age <= OLD
        else mind(f"{shown}, {age.days} days old: see why no newer one is made.")
    )
    if _on_one_disk(settings, folder):
        yield mind(
            f"{folder} is on the database's own disk, and would be lost with it: copy backups elsewhere."
        )


def _of_place(settings: Settings, folder: Path) -> Iterator[Manifest]:
    for file in folder.glob("*.tar"):
        try:
            manifest = read_manifest(file)
        except CannotRestore:
            continue
        if manifest.place == settings.place and manifest.name in ("", settings.name):
            yield manifest


def _on_one_disk(settings: Settings, folder: Path) -> bool:
    file = key_file(settings.database_url)
    return file is not None and file.parent.exists() and file.parent.stat().st_dev == folder.stat().st_dev


# ---- keys ------------------------------------------------------------------------------------------------


def copy_keys(settings: Settings, target: Path) -> str:
    """Write the keys into another file, for their owner alone, and note beside the database that it was done.

    Returns:
        the short public name of the newest sealing key.

    Raises:
        FileExistsError: the file is there already.
        NoUse: there are no keys.
    """
    keys = read_keys(settings, make=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_for_owner(target, keys_in_lines(settings), os.O_EXCL)
    note = _note(settings)
    if note is not None:
        note.write_text(
            json.dumps({"key": keys.names[0], "search": mark_of(keys), "to": str(target)}), "utf-8"
        )
    return keys.names[0]


def copied(settings: Settings, keys: Keys) -> Iterator[Finding]:
    """Whether the keys of a SQLite database were copied; those of an environment lie where it comes from."""
    note = None if settings.keys else _note(settings)
    if note is None:
        return
    try:
        noted = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        noted = {}
    if (noted.get("key"), noted.get("search")) == (keys.names[0], mark_of(keys)):
        yield ok(f"The keys were copied to {noted['to']}.")
    else:
        yield mind(
            "The newest key was never copied, and without it no phone in any backup can be read: "
            f"`{settings.command} keys copy FILE` onto another disk, apart from the backups."
        )


def _note(settings: Settings) -> Path | None:
    file = key_file(settings.database_url)
    return file and file.with_name(f"{file.name}.copied")
