"""Telegram's updates as they look when recorded, and what each must become."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Request, Unreadable, Untrusted
from bot.channels.telegram import SECRET_HEADER, TelegramChannel
from bot.channels.telegram_words import Mark, Me, hear
from bot.message import Inbound
from tests.channels.stages import SECRET, TOKEN, telegram, telegram_request

PAYLOADS = sorted((Path(__file__).parent / "payloads/telegram").glob("*.json"))
ME = Me(1000001, "xiaoge_bot")
CHANNEL = telegram()


def recorded(name: str) -> Any:
    return json.loads((Path(__file__).parent / f"payloads/telegram/{name}.json").read_text())["updates"][0]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_recorded_update_becomes_what_is_written_beside_it(path: Path) -> None:
    recording = json.loads(path.read_text())
    channel = telegram()
    heard = [one for update in recording["updates"] for one in channel.parse(telegram_request(update))]

    assert heard == [Inbound(channel="telegram", **expected) for expected in recording["expected"]]


def test_the_same_update_is_read_alike_each_time() -> None:
    for path in PAYLOADS:
        for update in json.loads(path.read_text())["updates"]:
            request = telegram_request(update)
            assert CHANNEL.parse(request) == CHANNEL.parse(request)


def test_what_cannot_be_read_is_named_by_its_number() -> None:
    with pytest.raises(Unreadable) as caught:
        CHANNEL.parse(telegram_request({"update_id": 77, "message": {"text": "张三的电话"}}))

    assert caught.value.message_id == "77"
    assert "张三" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"update_id":"77"}', b'{"update_id":true}'])
def test_what_has_no_number_is_named_by_its_bytes(body: bytes) -> None:
    names = set()
    for _ in range(2):
        with pytest.raises(Unreadable) as caught:
            CHANNEL.parse(Request({SECRET_HEADER: SECRET}, {}, body))
        names.add(caught.value.message_id)

    assert len(names) == 1
    assert names.pop().startswith("sha256:")


def test_without_a_secret_no_webhook_is_trusted() -> None:
    with pytest.raises(Untrusted):
        TelegramChannel(TOKEN).parse(Request({SECRET_HEADER: ""}, {}, json.dumps(recorded("text")).encode()))


def test_a_group_waits_until_the_bot_knows_its_own_name() -> None:
    channel = telegram(username=None)

    assert channel.parse(telegram_request(recorded("text")))
    with pytest.raises(Untrusted):
        channel.parse(telegram_request(recorded("group_mention")))


@given(st.text(max_size=80))
def test_a_private_text_is_heard_as_it_was_written(text: str) -> None:
    assert hear(text, [], ME).text == text


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_mention_is_found_wherever_it_stands(before: str, after: str) -> None:
    text = f"{before} @xiaoge_bot {after}"
    mark = Mark("mention", len(before.encode("utf-16-le")) // 2 + 1, len("@xiaoge_bot"))
    heard = hear(text, [mark], ME)

    assert heard.addressed
    assert "".join(heard.text.split()) == "".join(f"{before}{after}".split()) or heard.text == "菜单"


@given(
    st.text(max_size=30),
    st.lists(
        st.builds(
            Mark,
            st.sampled_from(["mention", "bot_command", "text_mention", "bold"]),
            st.integers(-5, 40),
            st.integers(-5, 40),
            st.sampled_from([None, 1000001, 5]),
        ),
        max_size=4,
    ),
)
def test_marks_that_do_not_fit_do_no_harm(text: str, marks: list[Mark]) -> None:
    hear(text, marks, ME).text.encode("utf-8")
