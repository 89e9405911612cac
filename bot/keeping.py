"""Keeps lists that were sent apart from photos and database: sealed, for there are phones in them."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.media import write_whole
from models.sealing import Keys, keys_in_use

PREFIX: Final = "list:"
_PURPOSE: Final = "given list"
_KEY: Final = re.compile(r"list:([0-9a-f]{64})")


class NotKept(LookupError):
    """Nothing is kept under this key (any more)."""


class SealedStore:
    """A folder of sealed files, each named by the SHA-256 of what is in it.

    Args:
        folder: where they lie.
        keys: of the place whose lists they are; None: those of the process, which serves this place alone.
    """

    def __init__(self, folder: Path, keys: Keys | None = None) -> None:
        self._folder = folder
        self._keys = keys

    def keep(self, data: bytes) -> str:
        """Keep a file safely on the disk before any row speaks of it. Returns its key, `list:<sha256>`."""
        key = f"{PREFIX}{hashlib.sha256(data).hexdigest()}"
        write_whole(self._path(key), self._own_keys().seal_bytes(data, _PURPOSE))
        return key

    def read(self, key: str) -> bytes:
        """Bytes kept under a key. Raises NotKept."""
        try:
            sealed = self._path(key).read_bytes()
        except FileNotFoundError:
            raise NotKept(key) from None
        return self._own_keys().open_bytes(sealed, _PURPOSE)

    def delete(self, key: str) -> None:
        """Delete what is kept under a key, if anything is."""
        self._path(key).unlink(missing_ok=True)

    def all_keys(self) -> Iterator[str]:
        """The keys of all that is kept."""
        yield from (f"{PREFIX}{path.name}" for path in self._folder.glob("??/*") if len(path.name) == 64)

    def _own_keys(self) -> Keys:
        return self._keys or keys_in_use()

    def _path(self, key: str) -> Path:
        match = _KEY.fullmatch(key)
        if match is None:
            raise NotKept(key)
        return self._folder / match[1][:2] / match[1]
