"""Keeps photos and files apart from the database, named by what is in them and free of hidden data."""

import hashlib
import io
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image, ImageOps

from bot.message import Place

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one file: what Telegram lets a bot fetch, and more than any phone's photo."""
LONG_SIDE: Final = 2048
MOST_PIXELS: Final = 64_000_000
"""A 50-megapixel phone fits; a picture that unpacks to more is meant to fill the memory."""

_KEPT_AS = {
    "JPEG": ("JPEG", "jpg"),
    "MPO": ("JPEG", "jpg"),  # a JPEG with a second view, as some phones write
    "PNG": ("PNG", "png"),
    "GIF": ("PNG", "png"),  # its first frame
    "WEBP": ("WEBP", "webp"),
}
PICTURES = (".jpg", ".png", ".webp")
"""Endings of what is kept as a picture."""
_READ_AS = ("JPEG", "PNG", "GIF", "WEBP")
"""The only decoders that unknown bytes are given to."""
Image.init()
_PICTURE_HINTS = frozenset({"photo", "jpg", "jpeg", "png", "gif", "webp"})
_KEY = re.compile(r"media:([0-9a-f]{64}\.(?:jpg|png|webp|ogg|amr|mp4|bin))")


class NotAPicture(Exception):
    """The bytes are no picture that can be shown safely."""


class TooLarge(Exception):
    """The file is larger than is kept."""


class NoSuchMedia(LookupError):
    """Nothing is kept under this key."""


class MediaStore:
    """A folder of files, each named by the SHA-256 of its bytes: one file is kept once, and never changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, data: bytes, hint: str = "") -> str:
        """Keep a file safely on the disk before any row speaks of it.

        Args:
            data: the bytes as they came; pictures are turned upright, made small and stripped of EXIF first.
            hint: "photo" or a file ending; a picture's means that nothing else is taken.

        Returns:
            Its key, `media:<sha256 of the kept bytes>.<ending>`.

        Raises:
            TooLarge: more than 20 MB.
            NotAPicture: announced as a picture or looking like one, but not to be opened as one.
        """
        if len(data) > LARGEST:
            raise TooLarge(f"{len(data)} bytes")
        if hint.lower().lstrip(".") in _PICTURE_HINTS or _looks_like_a_picture(data):
            kept, ending = _plain_picture(data)
        else:
            kept, ending = data, _ending(data)
        key = f"media:{hashlib.sha256(kept).hexdigest()}.{ending}"
        write_whole(self.path(key), kept)
        return key

    def read(self, key: str) -> bytes:
        """Bytes kept under a key. Raises NoSuchMedia."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            raise NoSuchMedia(key) from None

    def path(self, key: str) -> Path:
        """Where the file of a key lies, whether or not it is there. Raises NoSuchMedia for what is no key."""
        match = _KEY.fullmatch(key)
        if match is None:
            raise NoSuchMedia(key)
        return self._folder / match[1][:2] / match[1]


def write_whole(target: Path, data: bytes) -> None:
    """Write all or nothing: a crash leaves no half a file under a good name."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    for folder in (target.parent, target.parent.parent):
        _flush_folder(folder)


def exif_place(data: bytes) -> Place | None:
    """Where a photo was taken, so that a reporter need not say it; asked before `keep` strips it.

    Returns:
        WGS-84 degrees from the camera's GPS fields, or None when they are absent or make no sense.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_READ_AS) as image:
            gps = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef], {"N": 1, "S": -1}, 90)
        lon = _degrees(
            gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef], {"E": 1, "W": -1}, 180
        )
    except Exception:  # noqa: BLE001 - a photo's hidden fields are anybody's bytes: what cannot be read is no place
        return None
    return None if (lat, lon) == (0, 0) else Place(lat=lat, lon=lon)


def _degrees(parts: tuple[float, float, float], side: str, signs: dict[str, int], most: int) -> float:
    """Degrees, minutes and seconds as signed degrees. Raises an error of any kind for nonsense."""
    degrees, minutes, seconds = (float(part) for part in parts)
    size = degrees + minutes / 60 + seconds / 3600
    if not (0 <= minutes <= 60 and 0 <= seconds <= 60 and 0 <= size <= most):
        raise ValueError(f"no degrees: {parts!r}")
    return round(size * signs[side.strip("\0 ").upper()], 7)


def _plain_picture(data: bytes) -> tuple[bytes, str]:
    """Bytes and ending of a picture drawn anew: upright, at most 2048 pixels, nothing hidden in it."""
    try:
        with Image.open(io.BytesIO(data), formats=_READ_AS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise NotAPicture(f"{image.width} x {image.height} pixels")
            form, ending = _KEPT_AS[image.format or ""]
            return _drawn(image, form), ending
    except NotAPicture:
        raise
    except Exception as error:
        raise NotAPicture(str(error)) from error


def _drawn(image: Image.Image, form: str) -> bytes:
    through = form != "JPEG" and image.has_transparency_data
    image.thumbnail((LONG_SIDE, LONG_SIDE))  # of a large JPEG it unpacks no more than it needs
    plain = ImageOps.exif_transpose(image).convert("RGBA" if through else "RGB")
    plain.info.clear()  # comments, XMP, colour profiles: Pillow would write some of them again
    out = io.BytesIO()
    plain.save(out, form, quality=85)
    return out.getvalue()


def _looks_like_a_picture(data: bytes) -> bool:
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
    return data.startswith(starts) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def _ending(data: bytes) -> str:
    if data.startswith(b"OggS"):
        return "ogg"
    if data.startswith(b"#!AMR"):
        return "amr"
    return "mp4" if data[4:8] == b"ftyp" else "bin"


def _flush_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
