"""Voice messages, videos and files that were kept, and spoken of, as photos."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.fetching import Fetcher
from bot.media import MediaStore
from bot.message import Attachment
from bot.talk import Talk
from handlers.amending import AddMaterial
from handlers.material import Media
from models import Attachment as Row
from tests.channels.pictures import picture
from tests.town import Town, founded

WORDS = "幸福社区第一网格2栋的路灯坏了"
VOICE = Attachment(kind="voice", key="memory:voice")
PHOTO = Attachment(kind="photo", key="memory:photo")
VIDEO = Attachment(kind="video", key="memory:video")
FILE = Attachment(kind="file", key="memory:file")


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as one:
        yield one


def kept(town: Town) -> list[tuple[str, str]]:
    """Kind and key of everything that lies with a case."""
    with Session(town.database.reader) as session:
        rows = session.execute(select(col(Row.kind), col(Row.key)).order_by(col(Row.id)))
        return [(row.kind, row.key) for row in rows]


def test_all_is_kept_as_what_it_is(town: Town) -> None:
    town.say("resident", WORDS, attachments=[PHOTO, VOICE])
    town.say("resident", attachments=[VIDEO])

    assert kept(town) == [
        ("photo", "memory:photo"),
        ("voice", "memory:voice"),
        ("video", "memory:video"),
    ]


def test_what_came_before_the_words_keeps_its_kind(town: Town) -> None:
    (asked,) = town.say("resident", attachments=[VOICE])
    town.say("resident", attachments=[PHOTO])
    town.say("resident", WORDS)

    assert asked.startswith("收到语音。")
    assert kept(town) == [("voice", "memory:voice"), ("photo", "memory:photo")]


def test_nothing_that_came_with_an_answer_is_lost(town: Town) -> None:
    town.say("resident", "上报", attachments=[PHOTO])
    town.say("resident", attachments=[VIDEO])
    town.say("resident", WORDS, attachments=[VOICE])

    assert sorted(kept(town)) == [
        ("photo", "memory:photo"),
        ("video", "memory:video"),
        ("voice", "memory:voice"),
    ]


def test_a_photo_under_the_word_that_ends_a_case_is_kept(town: Town) -> None:
    town.say("resident", WORDS)
    number = town.latest().id
    town.say("worker", attachments=[VIDEO])
    town.say("worker", f"办结 {number} 换了灯泡", attachments=[PHOTO])

    assert town.incident(number or 0).state != "open"
    assert kept(town) == [("video", "memory:video"), ("photo", "memory:photo")]


@pytest.mark.parametrize(
    ("sent", "called"),
    [([PHOTO], "照片"), ([VOICE], "语音"), ([VIDEO], "视频"), ([FILE], "文件"), ([PHOTO, FILE], "附件")],
)
def test_the_owner_is_told_what_was_added(town: Town, sent: list[Attachment], called: str) -> None:
    town.say("resident", WORDS)
    town.news("worker")
    town.say("resident", attachments=sent)

    assert f"有补充：{called}" in town.news("worker")[0]


def test_a_file_that_is_a_picture_is_shown_as_a_photo(town: Town, tmp_path: Path) -> None:
    town.channel.files = {"memory:file": (picture(), "bin"), "memory:voice": (b"OggS sound", "oga")}
    town.say("resident", WORDS, attachments=[FILE, VOICE])
    fetcher = Fetcher(town.lane, {"memory": town.channel}, MediaStore(tmp_path), lambda: town.now)
    asyncio.run(fetcher.round())

    assert [(kind, key.rpartition(".")[2]) for kind, key in kept(town)] == [
        ("photo", "jpg"),
        ("voice", "ogg"),
    ]


def test_a_bare_key_is_a_photo() -> None:
    command = AddMaterial.model_validate({"incident": 1001, "media": ["memory:photo", VOICE.model_dump()]})
    before = Talk.model_validate({"loose": {"media": ["memory:photo"]}}).aged(
        datetime(2026, 1, 1, tzinfo=UTC)
    )
    schema = AddMaterial.model_json_schema()["properties"]["media"]["items"]

    assert command.media == (PHOTO, VOICE)
    assert before.loose.media == (PHOTO,)
    assert "string" in [way.get("type") for way in schema["anyOf"]]
    assert Media is Attachment
