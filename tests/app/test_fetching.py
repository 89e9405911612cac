"""Photos that a channel only named: fetched, kept, and given up when they are lost for good."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.fetching import KEPT_BY_CHANNELS, WAITS, Fetcher
from bot.media import MediaStore
from bot.message import Attachment
from models import Attachment as Row
from tests.channels.pictures import picture
from tests.town import Town, founded

PHOTO = picture()


class Shaky:
    """The town's channel, whose files can be out of reach."""

    def __init__(self, town: Town) -> None:
        self._channel = town.channel
        self.down = False
        self.asked = 0

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Fail while it is down."""
        self.asked += 1
        if self.down:
            raise ConnectionError("out of reach")
        return await self._channel.fetch(key)


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as one:
        yield one


@pytest.fixture
def channel(town: Town) -> Shaky:
    return Shaky(town)


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def fetcher(town: Town, channel: Shaky, media: MediaStore) -> Fetcher:
    """One that has just been started."""
    return Fetcher(town.lane, {"memory": channel}, media, lambda: town.now)  # type: ignore[dict-item]


def report_with(town: Town, *names: str) -> None:
    """A resident reports something with photos."""
    photos = [Attachment(kind="photo", key=f"memory:{name}") for name in names]
    told = town.say("resident", "幸福社区第一网格2栋的路灯坏了", attachments=photos)
    assert told


def keys(town: Town) -> list[str]:
    """What the attachments are called now."""
    with Session(town.database.reader) as session:
        return list(session.execute(select(col(Row.key)).order_by(col(Row.id))).scalars())


def test_a_named_photo_is_fetched_and_kept(town: Town, channel: Shaky, media: MediaStore) -> None:
    town.channel.files["memory:lamp"] = (PHOTO, "jpg")
    report_with(town, "lamp")
    missing = asyncio.run(fetcher(town, channel, media).round())
    (key,) = keys(town)

    assert missing == 0
    assert key.startswith("media:")
    assert media.read(key).startswith(b"\xff\xd8\xff")


def test_a_photo_that_is_gone_or_none_is_given_up(town: Town, channel: Shaky, media: MediaStore) -> None:
    town.channel.files["memory:text"] = (b"\xff\xd8\xff but no picture", "jpg")
    report_with(town, "lost", "text")
    missing = asyncio.run(fetcher(town, channel, media).round())

    assert missing == 0
    assert keys(town) == ["gone:memory:lost", "gone:memory:text"]


def test_it_tries_again_after_growing_waits(town: Town, channel: Shaky, media: MediaStore) -> None:
    town.channel.files["memory:lamp"] = (PHOTO, "jpg")
    report_with(town, "lamp")
    channel.down = True
    one = fetcher(town, channel, media)
    asked = []
    asyncio.run(one.round())
    for wait in WAITS[:3]:
        town.now += timedelta(seconds=wait - 1)
        asyncio.run(one.round())
        asked.append(channel.asked)
        town.now += timedelta(seconds=1)
        asyncio.run(one.round())
    channel.down = False
    town.now += timedelta(seconds=WAITS[3])
    missing = asyncio.run(one.round())

    assert asked == [1, 2, 3]
    assert channel.asked == 5
    assert missing == 0
    assert keys(town)[0].startswith("media:")


def test_what_no_channel_keeps_so_long_is_given_up(town: Town, channel: Shaky, media: MediaStore) -> None:
    report_with(town, "lamp")
    channel.down = True
    town.now += KEPT_BY_CHANNELS + timedelta(days=1)
    asyncio.run(fetcher(town, channel, media).round())

    assert keys(town) == ["gone:memory:lamp"]


def test_after_a_restart_what_is_missing_is_tried_at_once(
    town: Town, channel: Shaky, media: MediaStore
) -> None:
    town.channel.files["memory:lamp"] = (PHOTO, "jpg")
    report_with(town, "lamp")
    channel.down = True
    asyncio.run(fetcher(town, channel, media).round())
    channel.down = False
    asyncio.run(fetcher(town, channel, media).round())

    assert keys(town)[0].startswith("media:")


def test_a_photo_of_a_channel_that_is_off_waits_and_the_others_do_not(
    town: Town, channel: Shaky, media: MediaStore
) -> None:
    town.channel.files["memory:lamp"] = (PHOTO, "jpg")
    photos = [Attachment(kind="photo", key=key) for key in ("wecom:1", "memory:lamp")]
    town.say("resident", "幸福社区第一网格2栋的路灯坏了", attachments=photos)
    missing = asyncio.run(fetcher(town, channel, media).round())

    assert missing == 0
    assert keys(town)[0] == "wecom:1"
    assert keys(town)[1].startswith("media:")


def test_a_disk_that_is_full_loses_no_photo(town: Town, channel: Shaky, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    town.channel.files["memory:lamp"] = (PHOTO, "jpg")
    report_with(town, "lamp")
    one = fetcher(town, channel, MediaStore(tmp_path / "file" / "media"))
    missing = asyncio.run(one.round())

    assert missing == 1
    assert keys(town) == ["memory:lamp"]
