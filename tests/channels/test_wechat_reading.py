"""What WeChat delivers to an official account, what each becomes, and who may not speak as WeChat."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Answers, Checks, Greets, Request, Scans, Unreadable, Untrusted
from bot.channels.wechat_delivery import WeChatCourier
from bot.channels.wechat_envelope import WeChatEnvelope
from bot.channels.wecom_delivery import xml_of
from bot.channels.wecom_envelope import read_xml
from bot.message import Inbound
from tests.channels.wechat_stage import APP, CALLBACK_KEY, CALLBACK_TOKEN, PAYLOADS, sealed, wechat
from tests.channels.wecom_reference import decrypt, encrypt, sign
from tests.channels.wecom_stage import Clock, as_xml

FILES = sorted(PAYLOADS.glob("*.json"))
PLAIN = WeChatCourier(CALLBACK_TOKEN, "", APP, Clock(), 5.0, 0.0)
OUTER = re.compile(r"<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|(\d+))</\1>")
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=300)


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


def heard(request: Request, key: str = CALLBACK_KEY) -> list[Inbound]:
    return list(wechat(callback_key=key).parse(request))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("mode", ["sealed", "plain"])
def test_a_recorded_delivery_becomes_what_is_written_beside_it(path: Path, mode: str) -> None:
    recording = json.loads(path.read_text())
    xml = as_xml(recording["updates"][0])
    plain = mode == "plain"
    request, key = (PLAIN.sealed(xml.decode()), "") if plain else (sealed(xml), CALLBACK_KEY)

    if recording["expected"] is None:
        with pytest.raises(Unreadable):
            heard(request, key)
    else:
        wanted = [Inbound(channel="wechat", **expected) for expected in recording["expected"]]
        assert heard(request, key) == wanted


def test_the_same_event_has_one_name_and_the_next_one_another() -> None:
    event = recorded("subscribe")["updates"][0]
    first, again = (heard(sealed(as_xml(event)))[0].message_id for _ in range(2))
    later = heard(sealed(as_xml(event | {"CreateTime": "1796097601"})))[0].message_id

    assert first == again != later


def test_with_a_key_nothing_plain_is_believed() -> None:
    """The signature of a plain delivery says nothing of its content: anybody who saw one could speak."""
    with pytest.raises(Untrusted):
        heard(PLAIN.sealed(xml_of(recorded("text")["updates"][0])))


@pytest.mark.parametrize("mode", ["sealed", "plain"])
def test_a_wrong_signature_or_account_is_not_even_read(mode: str) -> None:
    key = "" if mode == "plain" else CALLBACK_KEY
    xml = xml_of(recorded("text")["updates"][0])
    strangers = [WeChatCourier("another", key, APP, Clock(), 5.0, 0.0)]
    if key:
        strangers.append(WeChatCourier(CALLBACK_TOKEN, key, "wx_another", Clock(), 5.0, 0.0))

    for stranger in strangers:
        with pytest.raises(Untrusted):
            heard(stranger.sealed(xml), key)
    for query in ({}, {"signature": "密码", "timestamp": "1", "nonce": "\ud800"}):
        with pytest.raises(Untrusted):
            heard(Request({}, query, xml.encode()), key)


@pytest.mark.parametrize("key", ["", CALLBACK_KEY])
def test_the_address_is_proved_in_plain_words(key: str) -> None:
    asked = PLAIN.greeting("4711")

    assert wechat(callback_key=key).greet(asked) == "4711"
    with pytest.raises(Untrusted):
        wechat(callback_key=key).greet(Request({}, {**asked.query, "nonce": "x"}, b""))


@given(message=texts)
def test_what_the_reference_seals_is_opened(message: str) -> None:
    encrypted = encrypt(message.encode(), CALLBACK_KEY, APP)
    query = {"msg_signature": sign(CALLBACK_TOKEN, "1", "2", encrypted), "timestamp": "1", "nonce": "2"}
    envelope = WeChatEnvelope(CALLBACK_TOKEN, CALLBACK_KEY, APP, Clock())

    request = Request({}, query, f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode())
    assert envelope.open(request) == message


@given(words=texts)
def test_an_answer_is_opened_by_the_reference_and_says_the_same(words: str) -> None:
    answer = WeChatEnvelope(CALLBACK_TOKEN, CALLBACK_KEY, APP, Clock()).answer("oWang", "gh_1", words)
    outer = {name: cdata or bare for name, cdata, bare in OUTER.findall(answer.body)}
    message, receiver = decrypt(outer["Encrypt"], CALLBACK_KEY)
    inner = read_xml(message.decode())

    signed = sign(CALLBACK_TOKEN, outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
    assert (receiver, outer["MsgSignature"]) == (APP, signed)
    assert (inner["ToUserName"], inner["FromUserName"], inner["MsgType"]) == ("oWang", "gh_1", "text")
    assert inner["Content"].strip() == words.strip()


@pytest.mark.parametrize("words", ["]]>", "<Content>", "a]]>b]]>c", "&lt;", "灯\x00\x08坏"])
def test_no_words_break_the_answer(words: str) -> None:
    answer = WeChatEnvelope(CALLBACK_TOKEN, "", APP, Clock()).answer("oWang", "gh_1", words)

    assert read_xml(answer.body)["Content"] == words.replace("\x00", "").replace("\x08", "")


def test_it_can_do_what_the_door_asks_for() -> None:
    channel = wechat()

    assert all(isinstance(channel, kind) for kind in (Answers, Checks, Greets, Scans))


def test_a_delivery_that_is_both_plain_and_sealed_is_read_by_its_seal() -> None:
    """兼容模式 sends both; what stands in the plain half is nobody's word."""
    fields = recorded("text")["updates"][0]
    whole = sealed(as_xml(fields))
    forged = as_xml(fields | {"Content": "谁也没有说过"}).replace(b"</xml>", b"")
    body = forged + whole.body.replace(b"<xml>", b"")

    (message,) = heard(Request(whole.headers, whole.query, body))
    assert message.text == "3栋楼下路灯坏了"
