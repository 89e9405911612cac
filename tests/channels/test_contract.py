"""What every channel promises, asked of each alike."""

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channel import Can, Channel, Gone, Later, Outcome, Refused, Request, Sent, Untrusted
from bot.channels.dingtalk_server import DingTalkServer
from bot.channels.memory import MemoryChannel, request_of
from bot.channels.telegram_server import TelegramServer
from bot.channels.terminal import TerminalChannel
from bot.message import Inbound, Outbound
from tests.channels import wecom_stage as wecom_stages
from tests.channels.stages import (
    KINDS,
    SECRET,
    TOKEN,
    WANG,
    Ear,
    Now,
    dingtalk_at,
    outbound,
    parsed,
    run,
    telegram_at,
)

ODD_TEXTS = {
    "emoji": "👨‍👩‍👧‍👦 修路灯💡",
    "right to left": "\u202eقفل الباب\u202c 3栋",
    "combining": "e\u0301\u200b\ufeff" * 50,
    "half a pair": "路灯\ud83d坏了",
    "nul": "路灯\x00坏了",
    "empty": "",
    "a million signs": "灯" * 1_000_000,
}


def payloads(name: str) -> list[Any]:
    """What a platform has sent."""
    paths = sorted((Path(__file__).parent / "payloads" / name).glob("*.json"))
    return [update for path in paths for update in json.loads(path.read_text())["updates"]]


UPDATES = payloads("telegram")
MESSAGE = {"message_id": "m1", "chat": "c", "handle": "h", "text": "路灯坏了", "sender_name": "王芳"}
PLACED = {"place": {"lat": 26.1, "lon": 119.1}, "attachments": [{"kind": "photo", "key": "memory:1"}]}
BODIES: dict[str, list[Any]] = {
    "dingtalk": [MESSAGE],
    "dingtalk_robot": [MESSAGE],
    "memory": [MESSAGE, MESSAGE | PLACED],
    "telegram": UPDATES,
    "terminal": [MESSAGE],
    "webchat": [MESSAGE],
    "wechat": payloads("wechat"),
    "wecom": payloads("wecom"),
    "wecom_kf": [{"Event": "kf_msg_or_event", "MsgType": "event", "Token": "T", "OpenKfId": "wk00fictional"}],
    "wecom_robot": [MESSAGE],
}

PARSERS = {name: kind.parser() for name, kind in KINDS.items()}

every_channel = pytest.mark.parametrize("name", sorted(KINDS))
many = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def trusted(name: str, body: bytes) -> Request:
    return KINDS[name].trusted(body)


def check(messages: Any, name: str) -> None:
    """Messages are such as any database can keep."""
    for message in messages or ():
        assert isinstance(message, Inbound)
        assert message.channel == name
        json.dumps(message.model_dump(mode="json"), allow_nan=False, ensure_ascii=False).encode("utf-8")
        assert "\x00" not in message.text


@every_channel
@given(body=st.binary(max_size=300))
@many
def test_any_bytes_are_read_or_refused(name: str, body: bytes) -> None:
    check(parsed(PARSERS[name], trusted(name, body)), name)


@every_channel
@given(body=json_values)
@many
def test_any_json_is_read_or_refused(name: str, body: Any) -> None:
    check(parsed(PARSERS[name], trusted(name, json.dumps(body).encode())), name)


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from nodes(value[key])


@st.composite
def bent(draw: st.DrawFn, name: str) -> Any:
    """A real body in which something is missing or is something else."""
    body = copy.deepcopy(draw(st.sampled_from(BODIES[name])))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(nodes(body)) or [({"": 0}, "")]))
        if draw(st.booleans()) and isinstance(container, dict):
            del container[key]
        else:
            container[key] = draw(json_values)
    return body


@every_channel
@given(data=st.data())
@many
def test_what_is_missing_or_wrong_is_read_or_refused(name: str, data: st.DataObject) -> None:
    body = KINDS[name].write(data.draw(bent(name)))

    check(parsed(PARSERS[name], trusted(name, body)), name)


@every_channel
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"update_id":1,"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff\xfe" + b"a" * 1_000_000,
        b"9" * 100_000,
        b'{"update_id":' + b"9" * 10_000 + b"}",
        b'{"update_id":1e999}',
        b"\xed\xa0\x80",
        b"",
        b"null",
    ],
    ids=["deep", "deep-dicts", "deep-inside", "1mb", "huge", "huge-id", "inf", "surrogate", "empty", "null"],
)
def test_hostile_bodies_are_refused(name: str, body: bytes) -> None:
    assert not parsed(PARSERS[name], trusted(name, body))


@pytest.mark.parametrize("name", ["memory", "telegram"])
@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_odd_texts_come_through(name: str, text: str) -> None:
    body = copy.deepcopy(
        BODIES[name][-1] if name == "memory" else next(u for u in UPDATES if "voice" in str(u))
    )
    if name == "memory":
        body["text"] = text
    else:
        body["message"]["caption"] = text
    (message,) = parsed(PARSERS[name], trusted(name, json.dumps(body).encode())) or ()

    check([message], name)
    assert message.text == text.replace("\ud83d", "�").replace("\x00", "�")


@pytest.mark.parametrize("name", ["memory", "telegram"])
@pytest.mark.parametrize("given_secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "密码", "\ud800"])
def test_a_request_without_the_secret_is_not_even_read(name: str, given_secret: str | None) -> None:
    (header,) = KINDS[name].headers
    headers = {} if given_secret is None else {header: given_secret}

    for body in (json.dumps(BODIES[name][0]).encode(), b"{", b"[" * 100_000):
        with pytest.raises(Untrusted):
            PARSERS[name].parse(Request(headers, {}, body))


@every_channel
def test_words_reach_the_chat_in_order(name: str) -> None:
    async def story() -> None:
        async with KINDS[name].stage() as stage:
            assert isinstance(await stage.channel.send(outbound("第一句", "第二句💡")), Sent)
            if KINDS[name].keeps_words:
                assert [said.strip() for said in stage.said()] == ["第一句", "第二句💡"]

    run(story())


@every_channel
@pytest.mark.parametrize("sign", ["a", "网", "💡"])
def test_the_longest_text_is_taken_whole(name: str, sign: str) -> None:
    async def story() -> None:
        async with KINDS[name].stage() as stage:
            words = sign * (stage.channel.can.longest // len(sign.encode()))
            assert isinstance(await stage.channel.send(outbound(words)), Sent)
            if KINDS[name].keeps_words:
                assert [said.strip() for said in stage.said()] == [words]

    run(story())


@every_channel
def test_a_text_that_is_too_long_is_never_cut(name: str) -> None:
    async def story() -> None:
        async with KINDS[name].stage() as stage:
            words = "a" * (stage.channel.can.longest + 1)
            outcome = await stage.channel.send(outbound(words))
            whole = isinstance(outcome, Sent) and (not stage.said() or stage.said()[0].strip() == words)
            assert whole or (isinstance(outcome, Refused) and stage.said() == [])

    run(story())


outbounds = st.builds(
    outbound,
    st.text(max_size=60),
    st.text(max_size=60),
    chat=st.text(max_size=10) | st.just(str(WANG)),
    buttons=st.lists(st.tuples(st.text(max_size=10), st.text(max_size=40)), max_size=4).map(tuple),
    photos=st.lists(st.text(max_size=20), max_size=2).map(tuple),
)


@every_channel
@given(messages=st.lists(outbounds, min_size=10, max_size=10))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_sending_ends_in_an_outcome_whatever_is_sent(name: str, messages: list[Outbound]) -> None:
    async def story() -> list[Outcome]:
        async with KINDS[name].stage() as stage:
            return [await stage.channel.send(message) for message in messages]

    assert all(isinstance(outcome, Outcome) for outcome in run(story()))


@every_channel
def test_an_attachment_nobody_sent_is_gone(name: str) -> None:
    async def story() -> None:
        async with KINDS[name].stage() as stage:
            for key in (f"{name}:nothing", "media:x", "", f"{name}:/etc/passwd", f"{name}:../../etc/passwd"):
                assert await stage.channel.fetch(key) is None

    run(story())


@every_channel
def test_it_can_be_stopped_at_any_time(name: str) -> None:
    async def story() -> None:
        async with KINDS[name].stage() as stage:
            await stage.channel.stop()
            await stage.channel.start(Ear())
            await stage.channel.stop()
            await stage.channel.stop()

    run(story())


@every_channel
def test_what_it_can_is_said(name: str) -> None:
    can = PARSERS[name].can

    assert isinstance(can, Can)
    assert can.longest >= 500
    assert can.per_second >= can.per_chat_second > 0
    assert PARSERS[name].name == name


DOCUMENT = "姓名,职务\n李强,网格员\n".encode()


async def wecom_document() -> tuple[Inbound, tuple[bytes, str] | None]:
    """The same of WeCom, whose deliveries need an address of ours."""
    heard: list[Inbound] = []
    async with wecom_stages.played() as (platform, application, _):
        async with wecom_stages.hooked(platform, application, heard.extend):
            await platform.send_file(str(WANG), "人员.csv", DOCUMENT)
        return heard[0], await application.fetch(heard[0].attachments[0].key)


async def document_of(name: str, folder: Path) -> tuple[Inbound, tuple[bytes, str] | None]:
    """What a channel hands on of a file that somebody sends, and what it fetches of it."""
    (folder / "人员.csv").write_bytes(DOCUMENT)
    ear = Ear()
    if name == "telegram":
        async with TelegramServer(TOKEN) as server:
            channel: Channel = telegram_at(server, username=None, poll_seconds=0.1)
            await channel.start(ear)
            server.send_document(WANG, "人员.csv", DOCUMENT)
            await server.updates.quiet()
            found = await channel.fetch(ear.heard[0].attachments[0].key)
            await channel.stop()
        return ear.heard[0], found
    if name == "dingtalk":
        now = Now()
        async with DingTalkServer(now) as gateway:
            robot = dingtalk_at(gateway, now)
            await robot.start(ear)
            await gateway.send_document("wang", "人员.csv", DOCUMENT)
            await gateway.gateway.quiet()
            found = await robot.fetch(ear.heard[0].attachments[0].key)
            await robot.stop()
        return ear.heard[0], found
    if name == "wecom":
        return await wecom_document()
    if name == "terminal":
        terminal = TerminalChannel("我", io.StringIO(f"/file {folder / '人员.csv'}\n"), io.StringIO())
        await terminal.start(ear)
        await terminal.ended.wait()
        return ear.heard[0], await terminal.fetch(ear.heard[0].attachments[0].key)
    twin = MemoryChannel()
    twin.files["memory:1"] = (DOCUMENT, "csv")
    sent: dict[str, Any] = {
        "attachments": [{"kind": "file", "key": "memory:1", "name": "人员.csv", "size": len(DOCUMENT)}]
    }
    (message,) = twin.parse(request_of({**MESSAGE, **sent}))
    return message, await twin.fetch("memory:1")


@pytest.mark.parametrize("name", ["dingtalk", "memory", "telegram", "terminal", "wecom"])
def test_a_document_comes_with_its_name_and_is_fetched_whole(name: str, tmp_path: Path) -> None:
    message, found = run(document_of(name, tmp_path))
    (file,) = message.attachments

    assert (file.kind, file.name) == ("file", "人员.csv")
    assert file.size in (len(DOCUMENT), 0)
    assert found is not None
    assert found[0] == DOCUMENT


def test_the_twin_ends_as_it_is_told() -> None:
    async def story() -> None:
        channel = MemoryChannel()
        outcomes: list[Outcome] = [Later(3), Gone("left"), Sent("7")]
        channel.script(outcomes)

        assert outcomes == [await channel.send(outbound("灯", mail_id=number)) for number in range(3)]
        assert await channel.send(outbound("路")) == Sent("2")
        assert channel.words(str(WANG)) == ["灯", "路"]

    run(story())


def test_the_twin_hands_on_what_it_hears() -> None:
    async def story() -> None:
        channel, ear = MemoryChannel(), Ear()
        message = Inbound(channel="memory", message_id="1", chat="c", handle="h", text="灯")
        channel.files["memory:1"] = (b"bytes", "jpg")
        with pytest.raises(RuntimeError):
            await channel.hear(message)
        await channel.start(ear)
        await channel.hear(message)

        assert ear.heard == [message]
        assert await channel.fetch("memory:1") == (b"bytes", "jpg")

    run(story())
