"""Files that go out on WeCom: laid down there first, in a form it takes, and good for three days."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from PIL import Image

from bot.channels.edge import Recent
from bot.channels.wecom_client import WeComClient
from bot.channels.wecom_reading import NAME
from bot.media import MediaStore, NoSuchMedia

Kind = Literal["image", "file"]
FRESH: Final = timedelta(hours=60)
"""How long an uploaded file is used again; WeCom keeps it 72 hours."""
LARGEST_PICTURE: Final = 5 * 1024 * 1024
"""Bytes: one page says 10 MB, the table of errors 5 (channels.md 2.2)."""


class Uploads:
    """What was laid down, and when.

    Args:
        client: of the application.
        media: where files are read from.
        now: gives aware UTC.
        channel: whose names of files are its platform's own.
    """

    def __init__(
        self,
        client: WeComClient,
        media: MediaStore | None,
        now: Callable[[], datetime],
        channel: str = NAME,
    ) -> None:
        self._channel = channel
        self._client = client
        self._media = media
        self._now = now
        self._there: Recent[tuple[str, Kind], tuple[str, datetime]] = Recent(500)

    async def media_id(self, key: str, kind: Kind) -> str:
        """WeCom's name for a file. Raises NoSuchMedia, OSError, and what `WeComClient.upload` raises."""
        channel, _, name = key.partition(":")
        if channel == self._channel:
            return name
        known = self._there.get((key, kind))
        if known is not None and self._now() < known[1] + FRESH:
            return known[0]
        if self._media is None:
            raise NoSuchMedia(key)
        data, at = self._media.read(key), self._now()
        ending = key.rpartition(".")[2]
        if kind == "image":
            data, ending = as_picture(data, ending)
        media_id = await self._client.upload(kind, data, f"{kind}.{ending}")
        self._there[key, kind] = media_id, at
        return media_id

    def forget(self, media_id: str) -> tuple[str, Kind] | None:
        """WeCom does not know it any more. Returns what may be laid down anew, if we have it."""
        found = next((known for known, (there, _) in self._there.items() if there == media_id), None)
        if found is not None:
            del self._there[found]
        return found


def as_picture(data: bytes, ending: str) -> tuple[bytes, str]:
    """A picture WeCom takes: JPEG or PNG of at most 5 MB."""
    if ending in ("jpg", "png") and len(data) <= LARGEST_PICTURE:
        return data, ending
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue(), "jpg"
