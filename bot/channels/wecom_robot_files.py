"""Pictures that a WeCom group robot takes: it carries them in the call itself, so they must be small."""

import io
from typing import Final

from PIL import Image

LARGEST: Final = 2 * 1024 * 1024
"""Bytes before they are written as base64 (channels.md 2.2)."""
_SIDES: Final = (2048, 1600, 1200, 800, 480)
_STARTS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def as_small_picture(data: bytes) -> bytes:
    """A JPEG or PNG of at most 2 MB: as it is where it fits, else drawn smaller on white.

    Raises OSError or ValueError for what is no picture, or cannot be made to fit.
    """
    if data.startswith(_STARTS) and len(data) <= LARGEST:
        return data
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
        through = image.convert("RGBA")
    plain = Image.new("RGB", through.size, "white")
    plain.paste(through, mask=through.getchannel("A"))
    for side in _SIDES:
        plain.thumbnail((side, side))
        out = io.BytesIO()
        plain.save(out, "JPEG", quality=80)
        if out.tell() <= LARGEST:
            return out.getvalue()
    raise ValueError("the picture does not fit")
