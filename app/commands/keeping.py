"""What is kept: backups, the keys that seal, and what has been kept for long enough."""

import argparse
from pathlib import Path

from app.commands import MISUSED, Add, complain, settings_of
from app.settings import Settings, WrongSetting


def add_keeping(add: Add) -> None:
    """Add the commands for what is kept: backups, keys, and what was kept for long enough."""
    backup = add("backup", _backup, "copy the database while it is in use")
    backup.add_argument(
        "file", type=Path, nargs="?", help="unless told a new one in the folder XIAOGE_BACKUPS"
    )
    backup.add_argument("--photos", action="store_true", help="put the photos in as well")
    restore = add("restore", _restore, "bring a backup back, while no program works on the database")
    restore.add_argument("file", type=Path)
    restore.add_argument("--replace", action="store_true", help="put aside what is there")
    keys = add("keys", _keys, "print new keys for an environment, or change the key that seals phones")
    keys.add_argument(
        "deed",
        nargs="?",
        choices=("rotate", "copy"),
        help="seal all with the newest key; keep a copy of the keys",
    )
    keys.add_argument("file", nargs="?", type=Path, help="where the copy goes")
    retention = add("retention", _retention, "take out what was kept for long enough (done every night)")
    retention.add_argument("--dry-run", action="store_true", help="only tell what would go")
    retention.add_argument("--closed", action="store_true", help="also what modules keep that are off now")


def _keys(given: argparse.Namespace) -> int:
    from app.sealing import new_keys

    if given.deed is None:
        print(new_keys(), end="")
        return 0
    if given.deed == "copy":
        return _copy_keys(given)
    from app.alone import alone
    from app.sealing import rotate

    settings = settings_of(given)
    with alone(settings.database_url):
        count, made = rotate(settings)
    print(f"A new key was put into {made}." if made else "The newest key of XIAOGE_KEYS was taken.")
    print(f"{count} phones are sealed with it now. Older keys open older backups: keep them too.")
    return 0


def _copy_keys(given: argparse.Namespace) -> int:
    from app.spare import copy_keys

    if given.file is None:
        return complain("name the file that the copy goes into: `xiaoge keys copy FILE`.", MISUSED)
    name = copy_keys(settings_of(given), given.file)
    print(
        f"The keys are in {given.file} (the newest is {name}): keep it on another disk, apart from backups."
    )
    return 0


def _retention(given: argparse.Namespace) -> int:
    from app.retention import take_out, would_go

    settings = settings_of(given)
    lines = would_go(settings, closed=given.closed)
    print(*lines or ["没有到期的。"], sep="\n", flush=True)
    if lines and not given.dry_run:
        went = take_out(settings, closed=given.closed)
        print(f"已清理 {sum(went.values()):,} 条。")
    return 0


def _backup(given: argparse.Namespace) -> int:
    from app.backup import back_up
    from app.noting import note_taken
    from handbook import open_book
    from models import Deed

    settings = settings_of(given)
    target = given.file or _next_backup(settings)
    manifest = back_up(settings, target, photos=given.photos)
    note_taken(settings, open_book(settings.place), Deed.BACKUP)
    photos = manifest.photos
    told = (
        f"{photos['files']:,} photos are in it."
        if given.photos
        else f"{photos['files']:,} photos lie in {photos['folder']}: copy them too, or say --photos."
    )
    print(
        f"{target} is written and whole: {target.stat().st_size:,} bytes. {told} "
        "The keys that seal phones are not in it: keep their copy apart from it."
    )
    return 0


def _next_backup(settings: Settings) -> Path:
    """A name that tells whose it is and of when."""
    from scheduler.clock import SystemClock

    if settings.backups is None:
        raise WrongSetting("Name the file, or set XIAOGE_BACKUPS to the folder where backups are kept.")
    return settings.backups / f"{settings.name or settings.place}-{SystemClock().now():%Y-%m-%dT%H%M%S}Z.tar"


def _restore(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.restore import restore, told

    settings = settings_of(given)
    with alone(settings.database_url):
        done = restore(settings, given.file, replace=given.replace)
    print(*told(settings, done), sep="\n")
    return 0
