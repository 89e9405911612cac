"""Anything at every door: never a 500, never a broken page, and the next message still works."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.catalogue import COMMANDS
from models import Scope
from tests.web.house import SECRET, House
from tests.web.pane import Pane

MANY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
FEW = settings(MANY, max_examples=15)
"""For what asks every command each time."""
ODD = (
    "\u202e",
    "\ud83d",
    "\x00",
    "'; DROP TABLE incident; --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "1",
    "0",
    "撤回",
    "3栋路灯坏了",
    "\U0001f469\u200d\U0001f692" * 9,
    "x" * 3000,
)
TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(ODD)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["id", "text", "pressed", "lat", "lon", "quick", "what", "grid", "incident", "media"])
BODIES = st.binary(max_size=200) | st.dictionaries(NAMES | TEXTS, VALUES, max_size=6).map(
    lambda value: json.dumps(value).encode()
)
KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/plain",
    ]
)
PIECES = st.binary(max_size=20).map(quote)
COOKIES = st.binary(max_size=60).map(lambda piece: bytes(byte for byte in piece if byte > 32 and byte != 127))
NUMBERS = st.integers(-5, 1005)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("incident", "into", "grid", "person", "to", "unit"), NUMBERS),
        **dict.fromkeys(("what", "reason", "result", "words", "category", "grade", "rating", "span"), TEXTS),
        "media": st.lists(TEXTS, max_size=2),
        "lat": st.floats(),
        "lon": st.floats(),
    },
)
AS_JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def client(shared_house: House) -> Iterator[httpx.Client]:
    """Lend one client with a worker's key."""
    headers = {"authorization": f"Bearer {shared_house.token('worker', Scope.API)}"}
    with httpx.Client(base_url=shared_house.url, headers=headers, timeout=30) as found:
        yield found


def is_whole(answer: httpx.Response) -> bool:
    """Say whether an answer is neither a failure nor half a page."""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status_code < 500 and (not is_page or answer.text.rstrip().endswith("</html>"))


@MANY
@given(body=BODIES, kind=KINDS)
@pytest.mark.parametrize("path", ["/chat/send", "/chat/photo", "/demo/clock"])
def test_the_pages_take_anything(client: httpx.Client, path: str, body: bytes, kind: str) -> None:
    answer = client.post(f"{path}?seat=resident", content=body, headers={"content-type": kind})

    assert is_whole(answer)


@MANY
@given(body=BODIES)
@pytest.mark.parametrize(("channel", "status"), [("memory", 200), ("webchat", 404)])
def test_the_hooks_take_anything(client: httpx.Client, channel: str, status: int, body: bytes) -> None:
    answer = client.post(f"/hooks/{channel}", content=body, headers={"x-memory-secret": SECRET})

    assert answer.status_code == status


@MANY
@given(body=BODIES)
@pytest.mark.parametrize(
    "command", ["report", "finish", "self_handle", "add_material", "rate", "transfer", "show"]
)
def test_the_api_takes_anything(client: httpx.Client, command: str, body: bytes) -> None:
    answer = client.post(
        f"/api/commands/{command}", content=body, headers={"content-type": "application/json"}
    )

    assert is_whole(answer)
    assert answer.json() is not None


@FEW
@given(fields=FIELDS)
def test_every_command_takes_fields_that_fit_by_name(client: httpx.Client, fields: dict[str, Any]) -> None:
    for name, kind in COMMANDS.items():
        if kind.in_api:
            fitting = {field: value for field, value in fields.items() if field in kind.model_fields}
            answer = client.post(f"/api/commands/{name}", content=json.dumps(fitting), headers=AS_JSON)
            assert answer.status_code < 500, (name, fitting)


@MANY
@given(path=PIECES, query=PIECES)
def test_any_address_is_answered(client: httpx.Client, path: str, query: str) -> None:
    for start in ("", "/chat", "/board", "/media", "/static", "/api", "/api/incidents", "/hooks"):
        assert is_whole(client.get(f"{start}/{path}?{query}", headers={"accept": "text/html"}))


@MANY
@given(cookie=COOKIES)
def test_any_cookie_is_taken(client: httpx.Client, cookie: bytes) -> None:
    headers = [(b"cookie", b"xiaoge_guest=" + cookie + b"; xiaoge_chat=" + cookie), (b"accept", b"text/html")]
    for path in ("/chat", "/board", "/chat/updates"):
        assert is_whole(client.get(path, headers=headers))


def test_a_megabyte_of_anything_is_survived(shared_house: House, client: httpx.Client) -> None:
    for piece in ("x", "💥", "\u202e", "<b>", "[", '{"a":', "\\ud83d"):
        body = (piece * 1_000_000).encode()[:990_000]
        for path in ("/chat/send?seat=resident", "/hooks/memory", "/api/commands/report", "/demo/clock"):
            answer = client.post(
                path, content=body, headers={"content-type": "application/json", "x-memory-secret": SECRET}
            )
            assert is_whole(answer)


def test_after_all_that_the_next_message_is_answered(shared_house: House) -> None:
    pane = Pane(shared_house.url, "neighbour")

    assert pane.say("帮助")
    assert pane.open().text.rstrip().endswith("</html>")
    pane.close()
