"""The small parts every channel stands on."""

import asyncio
import json
import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.edge import Recent, load_json, writable
from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.memory import MemoryChannel, request_of
from tests.channels.stages import SECRET, run

any_text = st.text(st.characters(), max_size=20)
any_json = st.recursive(
    any_text | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


@given(any_json)
def test_what_comes_in_can_be_written_anywhere(value: object) -> None:
    text = json.dumps(writable(value), ensure_ascii=False)

    assert "\\u0000" not in text
    assert json.loads(text.encode("utf-8")) == writable(value)


@given(any_text)
def test_an_odd_sign_stays_one_sign(text: str) -> None:
    kept = writable(text)

    assert len(kept) == len(text)
    assert [new for new, old in zip(kept, text, strict=True) if new != old] == ["�"] * (
        sum("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in text)
    )


@pytest.mark.parametrize("body", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b'{"lat": NaN}'])
def test_numbers_that_are_none_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no number"):
        load_json(body)


def test_other_numbers_are_read() -> None:
    found = load_json(b"[26.150123, 1e3, -7]")

    assert found == [26.150123, 1000.0, -7]
    assert all(math.isfinite(number) for number in found)


def test_only_the_latest_is_remembered() -> None:
    recent: Recent[int, str] = Recent(2)
    for number in (1, 2, 3):
        recent.setdefault(number, str(number))

    assert list(recent) == [2, 3]


def test_a_request_for_the_twin_is_read_by_it() -> None:
    fields = {"message_id": "1", "chat": "c", "handle": "h", "text": "灯💡"}
    (message,) = MemoryChannel(secret=SECRET).parse(request_of(fields, SECRET))

    assert (message.channel, message.text) == ("memory", "灯💡")


async def parrot(call: Call) -> Reply:
    """Answer with what was understood."""
    fields, files = form_of(call)
    found = {"fields": fields, "files": {name: data.hex() for name, data in files.items()}}
    return Reply(200, json.dumps(found).encode())


def test_a_form_is_read_byte_for_byte_however_it_comes() -> None:
    data = bytes(range(256)) + b"\r\n--\r\n"

    async def story() -> None:
        async with LoopbackServer(parrot) as server, httpx.AsyncClient(trust_env=False) as client:
            many = await client.post(f"{server.url}/?a=1", data={"b": "灯"}, files={"photo": ("x", data)})
            plain = await client.post(server.url, data={"b": "灯", "c": ""})
            inside = await client.post(server.url, json={"b": 5})

        assert many.json() == {"fields": {"a": "1", "b": "灯"}, "files": {"photo": data.hex()}}
        assert plain.json()["fields"] == {"b": "灯", "c": ""}
        assert inside.json()["fields"] == {"b": 5}

    run(story())


def test_a_fault_in_the_answer_cuts_one_line_and_not_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(call: Call) -> Reply:
        if call.path == "/fault":
            raise ZeroDivisionError
        return Reply(200)

    async def story() -> None:
        async with LoopbackServer(answer) as server, httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"{server.url}/fault")
            assert (await client.get(server.url)).is_success

    run(story())
    assert "a request was not answered" in caplog.text


@pytest.mark.parametrize(
    "sent", [b"", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"GET / HT"]
)
def test_what_is_no_request_gets_no_answer(sent: bytes) -> None:
    async def story() -> bytes:
        async with LoopbackServer(parrot) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
            writer.write(sent)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer

    assert run(story()) == b""


def test_it_has_no_address_before_it_listens() -> None:
    with pytest.raises(RuntimeError):
        _ = LoopbackServer(parrot).url
