"""Pictures made for tests: no file of anybody's camera is needed."""

import io
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

MINHOU = ((26, 9, 0.36), "N", (119, 7, 52.2), "E")


def picture(form: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **saving: Any) -> bytes:
    """Return a picture whose left half is red and whose right half is blue."""
    image = Image.new(mode, size, "blue" if mode != "L" else 80)
    image.paste("red" if mode != "L" else 160, (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, form, **saving)
    return out.getvalue()


def exif(gps: dict[int, Any] | None = None, orientation: int = 1) -> Image.Exif:
    """Hidden fields as a phone writes them."""
    fields = Image.Exif()
    fields[ExifTags.Base.Make] = "Fictional Phones"
    fields[ExifTags.Base.Orientation] = orientation
    if gps is not None:
        fields.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    return fields


def gps_of(lat: tuple[float, ...], north: str, lon: tuple[float, ...], east: str) -> dict[int, Any]:
    """GPS fields of a place in degrees, minutes and seconds."""
    tags = ExifTags.GPS
    return {
        tags.GPSLatitudeRef: north,
        tags.GPSLatitude: tuple(IFDRational(round(part * 100), 100) for part in lat),
        tags.GPSLongitudeRef: east,
        tags.GPSLongitude: tuple(IFDRational(round(part * 100), 100) for part in lon),
    }
