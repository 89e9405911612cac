"""Webhooks: kept before they are answered, once, and what cannot be read is kept as well."""

import json
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import httpx
import pytest
from sqlalchemy import insert, select, text
from sqlmodel import Session, col

from bot.lane import REST
from models import Inbox, InboxState, Incident
from tests.web.house import SECRET, House
from web.hooks import MOST_LETTERS, raw_body

TRUSTED = {"x-memory-secret": SECRET}
SAID = {"message_id": "m1", "chat": "c", "handle": "h", "text": "幸福社区第一网格3栋楼下路灯坏了"}


def deliver(house: House, body: bytes, headers: dict[str, str] = TRUSTED) -> httpx.Response:
    """Post to the memory channel's hook."""
    return httpx.post(f"{house.url}/hooks/memory", content=body, headers=headers)


def inbox(house: House) -> list[Inbox]:
    """Everything that came in."""
    with Session(house.database.reader) as session:
        return list(session.execute(select(Inbox).order_by(col(Inbox.id))).scalars())


def test_a_message_is_kept_and_decided(house: House) -> None:
    assert deliver(house, json.dumps(SAID).encode()).status_code == 200
    house.write(lambda session: None)

    assert house.count(select(col(Incident.id))) == 1


def test_three_deliveries_at_once_and_a_late_one_act_once(house: House) -> None:
    with ThreadPoolExecutor(3) as together:
        answers = list(
            together.map(lambda _: deliver(house, json.dumps(SAID).encode()).status_code, range(3))
        )
    answers.append(deliver(house, json.dumps(SAID).encode()).status_code)
    house.write(lambda session: None)

    assert answers == [200] * 4
    assert house.count(select(col(Incident.id))) == 1


def test_a_stranger_leaves_nothing(house: House) -> None:
    for headers in (
        {},
        {"x-memory-secret": "guess"},
        {"x-memory-secret": "ÿ".encode("latin-1").decode("latin-1")},
    ):
        answer = httpx.post(
            f"{house.url}/hooks/memory",
            content=json.dumps(SAID).encode(),
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        )
        assert answer.status_code == 403
    assert inbox(house) == []


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"\xff\x00\xfe", b"[" * 90_000, b'{"message_id": 5}'])
def test_what_cannot_be_read_is_kept_once_as_a_dead_letter(house: House, body: bytes) -> None:
    assert [deliver(house, body).status_code for _ in range(2)] == [200, 200]

    letter = inbox(house)[0]
    assert [1, InboxState.DEAD, len(body)] == [len(inbox(house)), letter.state, letter.body["size"]]
    assert (letter.trouble or "").startswith("unreadable")


def test_a_dead_letter_keeps_text_as_text_and_bytes_in_base64() -> None:
    assert raw_body("坏了".encode()) == {"raw": "坏了", "size": 6}
    assert raw_body(b"\xff\x00") == {"raw_base64": "/wA=", "size": 2}
    assert len(raw_body(b"x" * 100_000)["raw"]) == 64 * 1024


def test_our_own_pages_have_no_webhook(house: House) -> None:
    assert httpx.post(f"{house.url}/hooks/webchat", json=SAID).status_code == 404
    assert inbox(house) == []


def test_of_very_many_unreadable_letters_the_newest_stay(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    others = {"state": InboxState.DEAD, "received_at": house.clock.now(), "body": {}, "chat_key": "c"}
    kept = [("other", "unreadable: x", 1), ("memory", "it broke", 1), ("memory", "unreadable: x", 1099)]
    for channel, trouble, times in kept:
        same = {**others, "channel": channel, "trouble": trouble, "tries": 0}
        rows = [{**same, "message_id": f"{trouble}{number}"} for number in range(times)]
        house.write(lambda session, rows=rows: session.execute(insert(Inbox), rows) and None)  # type: ignore[misc]
    deliver(house, b"{")

    letters = inbox(house)
    assert [letter.channel for letter in letters].count("memory") == MOST_LETTERS + 1
    assert [letters[0].channel, letters[1].trouble] == ["other", "it broke"]
    assert letters[-1].body == {"raw": "{", "size": 1}
    assert "100 of the oldest unreadable letters were dropped" in caplog.text


@pytest.mark.parametrize("name", ["nobody", "%00", "%2e%2e", "memory%2f..", "x" * 5000])
def test_no_other_channel_answers(shared_house: House, name: str) -> None:
    assert httpx.post(f"{shared_house.url}/hooks/{name}", json=SAID).status_code == 404


def test_too_much_is_refused(house: House) -> None:
    assert deliver(house, b"x" * 1_100_000).status_code == 413
    assert inbox(house) == []


def test_too_much_in_pieces_is_refused(house: House) -> None:
    pieces = (b"x" * 100_000 for _ in range(12))
    answer = httpx.post(f"{house.url}/hooks/memory", content=pieces, headers=TRUSTED)

    assert answer.status_code == 413
    assert inbox(house) == []


def test_a_full_disk_makes_the_platform_try_again(house: House, caplog: pytest.LogCaptureFixture) -> None:
    began = monotonic()
    house.write(lambda session: limit_pages(session, 1))
    bodies = [json.dumps({**SAID, "message_id": f"m{i}", "text": "很急" * 2000}).encode() for i in range(30)]
    refused = [body for body in bodies if deliver(house, body).status_code == 503]
    house.write(lambda session: limit_pages(session, 1_073_741_823))

    rests = 1 + (monotonic() - began) / REST
    assert refused
    assert deliver(house, refused[0]).status_code == 200
    for words in ("messages could not be kept", "a delivery could not be kept"):
        lines = [record for record in caplog.records if record.getMessage() == words]
        assert 1 <= len(lines) <= rests
        assert 1 <= sum(vars(line)["times"] for line in lines) <= len(refused)


def limit_pages(session: Session, pages: int) -> None:
    """SQLite refuses more pages than the file has already: a disk that is full."""
    session.execute(text(f"PRAGMA max_page_count={pages}"))
