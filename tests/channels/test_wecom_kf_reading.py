"""微信客服's entries as they look when recorded, and what each must become, whatever its shape."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Answers, Checks, Greets, Scans, Unreadable, Untrusted
from bot.channels.wecom_delivery import Courier, xml_of
from bot.channels.wecom_kf_reading import Came, Failed, Heard, read
from bot.message import Inbound
from tests.channels.stages import run
from tests.channels.wecom_kf_stage import PAYLOADS, wecom_kf
from tests.channels.wecom_stage import CALLBACK_KEY, CORP, Clock, sealed

FILES = sorted(PAYLOADS.glob("*.json"))
ENTRIES = [json.loads(path.read_text())["updates"][0] for path in FILES]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_entry_becomes_what_is_written_beside_it(path: Path) -> None:
    recording = json.loads(path.read_text())
    entry = recording["updates"][0]

    if recording["expected"] is None:
        with pytest.raises(Unreadable):
            read(entry)
    else:
        found = read(entry).inbound
        wanted = [Inbound(channel="wecom_kf", **expected) for expected in recording["expected"]]
        assert ([found] if found else []) == wanted


def test_who_came_and_who_refused_is_told_apart() -> None:
    named = dict(zip((path.stem for path in FILES), ENTRIES, strict=True))
    who = "wmWangFang0000000000000000000001"

    assert read(named["came"]).came == Came(who, "CODE")
    assert read(named["came_again"]).came is None
    assert read(named["not_arrived"]).failed == Failed(who, 10, "对方拒收")
    assert "CODE" not in repr(read(named["came"]).came)


@given(data=st.data())
def test_what_is_missing_or_wrong_is_read_or_refused(data: st.DataObject) -> None:
    entry: Any = copy.deepcopy(data.draw(st.sampled_from(ENTRIES)))
    inner = entry[data.draw(st.sampled_from(sorted(entry)))] if data.draw(st.booleans()) else entry
    target = inner if isinstance(inner, dict) and inner else entry
    key = data.draw(st.sampled_from(sorted(target)))
    target[key] = data.draw(json_values)
    if data.draw(st.booleans()):
        del target[key]

    check(entry)


@given(entry=json_values)
def test_any_json_is_read_or_refused(entry: Any) -> None:
    check(entry)


def check(entry: Any) -> None:
    names: list[str] = []
    try:
        found = read(entry)
    except Unreadable as no:
        names.append(no.message_id)
        found = Heard()
    assert all(0 < len(name) <= 80 for name in names)
    assert isinstance(found, Heard)
    if found.inbound is not None:
        json.dumps(found.inbound.model_dump(mode="json"), allow_nan=False).encode()


def test_a_callback_brings_no_message_and_no_stranger_calls() -> None:
    fields: dict[str, object] = {
        "MsgType": "event",
        "Event": "kf_msg_or_event",
        "Token": "T",
        "OpenKfId": "wk00fictional",
    }
    channel = wecom_kf()
    other = Courier("another", CALLBACK_KEY, CORP, Clock(), 5.0, 0.0)

    assert channel.parse(sealed(xml_of(fields).encode())) == ()
    with pytest.raises(Untrusted):
        channel.parse(other.sealed(xml_of(fields)))
    assert run(channel.answer(sealed(b"<xml></xml>"), ())).body == ""
    assert all(isinstance(channel, kind) for kind in (Answers, Checks, Greets, Scans))
