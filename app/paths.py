"""Says whether the files and folders which the settings name can be used, before anything stands on them."""

import errno
import tempfile
from pathlib import Path

from app.settings import WrongSetting

_HEAD = b"SQLite format 3\0"
"""How every SQLite file begins (sqlite.org/fileformat.html); an empty file becomes one."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def must_keep_photos(folder: Path) -> None:
    """Refuse to start where no photo could ever be kept; a full disk may have room again and is no reason.

    Raises WrongSetting, whose message names the folder and what the system says of it.
    """
    trouble = trouble_with(folder)
    if trouble is not None and trouble.errno not in _FULL:
        raise WrongSetting(f"XIAOGE_MEDIA cannot be used: {told(folder, trouble)}")


def trouble_with(folder: Path) -> OSError | None:
    """Write a file into a folder, made when missing, and take it away; returns what stood against it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"photo")
    except OSError as trouble:
        return trouble
    return None


def told(folder: Path, trouble: OSError) -> str:
    """Say it in a plain sentence."""
    return f"no photo can be kept in {folder} ({trouble.strerror})."


def no_database(file: Path) -> str | None:
    """Say in a sentence why a file can be no SQLite database; None where it is one, or may become one."""
    try:
        with file.open("rb") as opened:
            head = opened.read(len(_HEAD))
    except FileNotFoundError:
        return None
    except OSError as trouble:
        return f"{file} cannot be used as a database ({trouble.strerror})."
    return None if head in (b"", _HEAD) else f"{file} is no SQLite database, and is left as it is."
