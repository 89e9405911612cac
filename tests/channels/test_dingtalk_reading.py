"""DingTalk's deliveries as they look when recorded, and what each must become."""

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channel import Unreadable
from bot.channels.dingtalk_reading import read
from bot.message import Inbound
from tests.channels.test_contract import check, json_values, nodes

PAYLOADS = sorted((Path(__file__).parent / "payloads/dingtalk").glob("*.json"))
DELIVERIES = [one for path in PAYLOADS for one in json.loads(path.read_text())["deliveries"]]
many = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


def recorded(name: str) -> Any:
    return json.loads((Path(__file__).parent / f"payloads/dingtalk/{name}.json").read_text())["deliveries"][0]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_recorded_delivery_becomes_what_is_written_beside_it(path: Path) -> None:
    recording = json.loads(path.read_text())
    heard = [read(json.dumps(one))[0] for one in recording["deliveries"]]

    assert [one for one in heard if one] == [
        Inbound(channel="dingtalk", **expected) for expected in recording["expected"]
    ]


def test_the_way_back_is_known_with_its_end_and_is_in_no_log() -> None:
    _, door = read(json.dumps(recorded("text")))

    assert door is not None
    assert door.until == datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
    assert door.address.startswith("https://oapi.dingtalk.com/robot/sendBySession?session=")
    assert "session" not in repr(door)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "", 7, None, "oapi.dingtalk.com/x"])
def test_a_way_back_that_leads_nowhere_is_not_taken(address: object) -> None:
    assert read(json.dumps({**recorded("text"), "sessionWebhook": address}))[1] is None


def test_what_cannot_be_read_is_named_by_its_number() -> None:
    with pytest.raises(Unreadable) as caught:
        read(json.dumps({"msgId": "msg77", "text": {"content": "张三的电话"}}))

    assert caught.value.message_id == "msg77"
    assert "张三" not in str(caught.value)


@pytest.mark.parametrize("data", ["{", "[]", "7", "null", '{"msgId":"a"}', "[" * 100_000, "\ud800"])
def test_what_is_no_delivery_is_refused(data: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data)

    assert 0 < len(caught.value.message_id) <= 80


@given(st.text(max_size=200) | json_values.map(json.dumps))
@many
def test_anything_is_read_or_refused(data: str) -> None:
    assert_read_or_refused(data)


@given(st.data())
@many
def test_what_is_missing_or_wrong_is_read_or_refused(data: st.DataObject) -> None:
    body = copy.deepcopy(data.draw(st.sampled_from(DELIVERIES)))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(nodes(body)) or [({"": 0}, "")]))
        if data.draw(st.booleans()) and isinstance(container, dict):
            del container[key]
        else:
            container[key] = data.draw(json_values)
    assert_read_or_refused(json.dumps(body))


def assert_read_or_refused(data: str) -> None:
    with suppress(Unreadable):
        message, _ = read(data)
        check([message] if message else [], "dingtalk")
