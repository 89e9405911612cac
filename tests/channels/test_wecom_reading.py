"""WeCom's callbacks as they look when recorded, what each must become, and who may not speak as WeCom."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.channel import Answers, Checks, Greets, Recalls, Request, SendsTogether, Unreadable, Untrusted
from bot.channels.datum import to_gcj02
from bot.channels.wecom_delivery import Courier, xml_of
from bot.message import Inbound
from tests.channels.stages import run
from tests.channels.wecom_stage import (
    CALLBACK_KEY,
    CALLBACK_TOKEN,
    COURIER,
    PAYLOADS,
    Clock,
    as_xml,
    sealed,
    wecom,
)

FILES = sorted(PAYLOADS.glob("*.json"))
TEXT = b"<xml><MsgType>text</MsgType></xml>"
BOMB = b'<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'
NOT_XML = "\ufffe\uffff"
NAMELESS = b"<xml><MsgType>text</MsgType><Content>a</Content></xml>"


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_callback_becomes_what_is_written_beside_it(path: Path) -> None:
    recording = json.loads(path.read_text())
    request = sealed(as_xml(recording["updates"][0]))

    if recording["expected"] is None:
        with pytest.raises(Unreadable):
            wecom().parse(request)
    else:
        heard = list(wecom().parse(request))
        assert heard == [Inbound(channel="wecom", **expected) for expected in recording["expected"]]


def test_a_place_is_where_the_phone_was_and_not_where_the_map_shows_it() -> None:
    """WeCom's message is GCJ-02: 26.1473 N, 119.1365 E lies half a kilometre off."""
    (message,) = wecom().parse(sealed(as_xml(recorded("location")["updates"][0])))

    assert message.place is not None
    shown = to_gcj02(message.place.lat, message.place.lon)
    assert shown == pytest.approx((26.1473, 119.1365), abs=1e-6)
    assert abs(message.place.lon - 119.1365) > 0.003


def test_the_same_callback_that_comes_again_is_encrypted_anew_and_read_alike() -> None:
    for path in FILES:
        xml = as_xml(json.loads(path.read_text())["updates"][0])
        first, second = sealed(xml), sealed(xml)
        assert first.body != second.body
        if path.stem != "location_off_the_earth":
            assert wecom().parse(first) == wecom().parse(second)


@given(words=st.text(st.characters(codec="utf-8", exclude_characters="\r", min_codepoint=32), min_size=1))
@example(words="]]>")
@example(words="<Encrypt>灯</Encrypt> &amp; 👨‍👩‍👧‍👦")
def test_any_words_come_through_as_they_were_said(words: str) -> None:
    """WeCom writes them as CDATA or escaped; only blanks at the ends are lost, as in every client."""
    fields: dict[str, object] = {**recorded("text")["updates"][0], "Content": words}
    try:
        heard = wecom().parse(COURIER.sealed(xml_of(fields)))
    except Unreadable:
        assert any(sign in words for sign in NOT_XML)
        return

    assert [message.text for message in heard] == ([words.strip()] if words.strip() else [])


@pytest.mark.parametrize(
    "xml", [b"no xml", NAMELESS, b"<xml>", b'<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>']
)
def test_what_cannot_be_read_is_kept_once_however_often_it_comes(xml: bytes) -> None:
    names = set()
    for _ in range(3):
        with pytest.raises(Unreadable) as caught:
            wecom().parse(sealed(xml))
        names.add(caught.value.message_id)

    assert len(names) == 1
    assert names.pop().startswith("sha256:")


@pytest.mark.parametrize(
    "courier",
    [
        Courier("somebodyelse", CALLBACK_KEY, COURIER._receive_id, Clock(), 5, 0),
        Courier(CALLBACK_TOKEN, CALLBACK_KEY, "wwanothercorp", Clock(), 5, 0),
    ],
    ids=["another token", "another organisation"],
)
def test_who_is_not_wecom_is_not_heard(courier: Courier) -> None:
    with pytest.raises(Untrusted):
        wecom().parse(courier.sealed(TEXT.decode()))
    with pytest.raises(Untrusted):
        wecom().greet(courier.greeting("123"))


def test_another_key_under_the_right_signature_is_not_read() -> None:
    other = Courier(CALLBACK_TOKEN, CALLBACK_KEY[::-1], COURIER._receive_id, Clock(), 5, 0)

    with pytest.raises((Unreadable, Untrusted)):
        wecom().parse(other.sealed(TEXT.decode()))


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
@pytest.mark.parametrize("value", [None, "", "0", "签", "\ud800"])
def test_every_part_of_the_signature_counts(name: str, value: str | None) -> None:
    request = sealed(TEXT)
    query = {key: part for key, part in request.query.items() if key != name}
    bent = Request({}, query if value is None else {**query, name: value}, request.body)

    with pytest.raises(Untrusted):
        wecom().parse(bent)


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml></xml>", b"<Encrypt></Encrypt>", b"<" * 100_000])
def test_what_is_not_encrypted_is_not_from_wecom(body: bytes) -> None:
    with pytest.raises(Untrusted):
        wecom().parse(Request({}, dict(sealed(TEXT).query), body))


def test_wecom_is_greeted_with_its_own_words_bare() -> None:
    asked = COURIER.greeting("1288432023552776189")
    spaced = Request({}, {**asked.query, "echostr": asked.query["echostr"].replace("+", " ")}, b"")

    assert wecom().greet(asked) == "1288432023552776189"
    assert wecom().greet(spaced) == "1288432023552776189"
    with pytest.raises(Untrusted):
        wecom().greet(Request({}, {}, b""))


def test_a_delivery_is_answered_at_once_and_with_nothing() -> None:
    channel = wecom()
    request = sealed(as_xml(recorded("text")["updates"][0]))

    assert run(channel.answer(request, channel.parse(request))).body == ""


def test_it_can_what_it_says() -> None:
    channel = wecom()

    for able in (Greets, Answers, Checks, Recalls, SendsTogether):
        assert isinstance(channel, able)
    assert not channel.can.buttons
    assert wecom(cards=True).can.buttons
