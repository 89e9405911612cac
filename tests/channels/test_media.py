"""Photos are kept upright, small and without hidden data; other files as they came; bombs are refused."""

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from bot.media import LARGEST, LONG_SIDE, MediaStore, NoSuchMedia, NotAPicture, TooLarge, exif_place
from bot.message import Place
from tests.channels.pictures import MINHOU, exif, gps_of, picture


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def opened(store: MediaStore, key: str) -> Image.Image:
    return Image.open(io.BytesIO(store.read(key)))


@pytest.mark.parametrize(
    ("form", "ending"),
    [("JPEG", "jpg"), ("MPO", "jpg"), ("PNG", "png"), ("GIF", "png"), ("WEBP", "webp")],
)
def test_pictures_are_known_by_their_bytes_whatever_they_are_called(
    store: MediaStore, form: str, ending: str
) -> None:
    key = store.keep(picture(form), "bin")

    assert key.endswith("." + ending)
    assert opened(store, key).size == (60, 40)


def test_a_key_names_exactly_the_bytes_that_are_kept(store: MediaStore) -> None:
    key = store.keep(picture(), "photo")

    assert key == f"media:{hashlib.sha256(store.read(key)).hexdigest()}.jpg"
    assert key == store.keep(picture(), "photo")
    assert [key] == [f"media:{path.name}" for path in store.path(key).parent.iterdir()]


def test_nothing_hidden_survives(store: MediaStore) -> None:
    hidden: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": b"SECRET", "xmp": b"SECRET", "icc_profile": b"SECRET"},
        "PNG": {"icc_profile": b"SECRET"},
        "WEBP": {"xmp": b"SECRET"},
    }
    for form, more in hidden.items():
        data = picture(form, exif=exif(gps_of(*MINHOU)), **more)
        kept = opened(store, store.keep(data, "photo"))

        assert exif_place(data) is not None
        assert not kept.getexif()
        assert {"comment", "xmp", "icc_profile", "exif"}.isdisjoint(kept.info)
        assert b"Fictional Phones" not in store.read(store.keep(data))


def test_a_picture_is_turned_upright_before_the_hint_to_turn_it_is_lost(store: MediaStore) -> None:
    kept = opened(store, store.keep(picture(exif=exif(orientation=6)), "photo"))

    assert kept.size == (40, 60)
    top, bottom = kept.getpixel((20, 5)), kept.getpixel((20, 55))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > top[2]  # the left, which was red, is now above
    assert bottom[2] > 200 > bottom[0]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_is_made_small(store: MediaStore, form: str) -> None:
    kept = opened(store, store.keep(picture(form, size=(4100, 1000)), "photo"))

    assert max(kept.size) == LONG_SIDE
    assert kept.size[1] == pytest.approx(500, abs=2)


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "RGBA", "P"])
def test_every_kind_of_colour_is_taken(store: MediaStore, mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    image = Image.new(mode, (30, 30))
    out = io.BytesIO()
    image.save(out, form)

    assert opened(store, store.keep(out.getvalue(), "photo")).size == (30, 30)


def test_what_can_be_seen_through_stays_so(store: MediaStore) -> None:
    assert opened(store, store.keep(picture("PNG", mode="RGBA"), "photo")).mode == "RGBA"


def png_claiming(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000)))


@pytest.mark.parametrize("side", [8_100, 12_000, 30_000])
def test_a_decompression_bomb_is_no_picture(store: MediaStore, side: int) -> None:
    with pytest.raises(NotAPicture):
        store.keep(png_claiming(side, side))


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", picture()[:200], picture("PNG")[:60], b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_what_is_announced_as_a_photo_must_be_one(store: MediaStore, data: bytes) -> None:
    with pytest.raises(NotAPicture):
        store.keep(data, "photo")


@given(st.binary(max_size=400), st.sampled_from([b"", picture()[:150], picture("PNG")[:80], picture("WEBP")]))
@settings(max_examples=300, deadline=None)
def test_odd_bytes_are_kept_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, start: bytes
) -> None:
    store = MediaStore(tmp_path_factory.getbasetemp() / "odd")
    try:
        key = store.keep(start + tail)
    except NotAPicture:
        return
    assert store.path(key).exists()


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (b"OggS\0\2voice", "ogg"),
        (b"#!AMR\nvoice", "amr"),
        (b"\0\0\0\x18ftypmp42", "mp4"),
        (b"%PDF-1.7", "bin"),
        (b"", "bin"),
    ],
)
def test_other_files_are_kept_as_they_came(store: MediaStore, data: bytes, ending: str) -> None:
    key = store.keep(data, "voice")

    assert key.endswith("." + ending)
    assert store.read(key) == data


def test_a_file_may_be_so_large_and_no_larger(store: MediaStore) -> None:
    assert len(store.read(store.keep(bytes(LARGEST)))) == LARGEST
    with pytest.raises(TooLarge):
        store.keep(bytes(LARGEST + 1))


@pytest.mark.parametrize(
    "key",
    ["", "media:", "media:../../etc/passwd", "telegram:abc", f"media:{'a' * 64}.jpg/../x", "media:a.jpg"],
)
def test_a_key_cannot_lead_out_of_the_folder(store: MediaStore, key: str) -> None:
    with pytest.raises(NoSuchMedia):
        store.path(key)


def test_what_is_not_there_is_said_so(store: MediaStore) -> None:
    with pytest.raises(NoSuchMedia):
        store.read(f"media:{'a' * 64}.jpg")


def test_a_full_disk_leaves_no_half_a_file(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.keep(b"something")
    key = store.keep(b"something")

    assert [store.path(key)] == list(store.path(key).parent.iterdir())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_place_of_a_photo_is_read(form: str) -> None:
    assert exif_place(picture(form, exif=exif(gps_of(*MINHOU)))) == Place(lat=26.1501, lon=119.1311667)


def test_south_and_west_are_negative() -> None:
    data = picture(exif=exif(gps_of((33, 30, 0), "S", (70, 45, 0), "W")))

    assert exif_place(data) == Place(lat=-33.5, lon=-70.75)


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {1: "N", 2: (26, 9, 0)},
        gps_of((0, 0, 0), "N", (0, 0, 0), "E"),
        gps_of((96, 0, 0), "N", (119, 0, 0), "E"),
        gps_of((26, 0, 0), "N", (181, 0, 0), "E"),
        gps_of((26, 75, 0), "N", (119, 0, 0), "E"),
        gps_of((26, 0, 0), "Q", (119, 0, 0), "E"),
        gps_of((26, 0, 0), "", (119, 0, 0), "E"),
        gps_of((26, 0), "N", (119, 0), "E"),
        gps_of((26, 0, 0), "N", (119, 0, 0), "E") | {2: (IFDRational(0, 0),) * 3},
    ],
)
def test_nonsense_is_no_place(gps: dict[int, Any]) -> None:
    assert exif_place(picture(exif=exif(gps))) is None


@pytest.mark.parametrize("data", [b"", b"words", picture(), picture("GIF")])
def test_no_gps_is_no_place(data: bytes) -> None:
    assert exif_place(data) is None
