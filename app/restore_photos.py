"""Photos of a backup: looked at before anything is touched, brought back when the database is there."""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

from app.backup import PHOTOS
from app.restoring import CannotRestore


def must_have_whole_photos(file: Path, folder: Path) -> None:
    """Look at them before the database is touched. Raises CannotRestore."""
    try:
        for _ in _photos(file, folder):
            pass
    except (tarfile.TarError, EOFError) as no:
        raise CannotRestore(f"{file} is damaged: it is cut off. Take another backup.") from no


def photos_back(file: Path, folder: Path) -> int:
    """Bring photos back that are missing. Returns how many."""
    count = 0
    for target, data in _photos(file, folder):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_suffix(".new").write_bytes(data)
        target.with_suffix(".new").replace(target)
        count += 1
    return count


def _photos(file: Path, folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Those of a backup that are not in the folder; each is named by its content, which is compared."""
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
                    f"{file} is damaged: {target.name} is not the photo that was kept. Take another "
                    f"backup, or put that photo into {target.parent} yourself."
                )
            yield target, data
