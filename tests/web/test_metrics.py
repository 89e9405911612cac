"""Figures for monitoring: only with the key, the same names always, and nothing about a person."""

import re
from datetime import timedelta
from time import monotonic

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from handlers.writing import Writing
from models import Outbox
from tests.web.house import METRICS_KEY, SECRET, House

MAIL = Outbox.__table__  # type: ignore[attr-defined]


def scraped(house: House) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every figure by its name and labels."""
    answer = httpx.get(f"{house.url}/metrics", headers={"authorization": f"Bearer {METRICS_KEY}"})
    assert answer.status_code == 200
    assert not re.search(r"=\"[^\"]*(\d{5}|[\u4e00-\u9fff])", answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def a_letter(house: House, key: str, **fields: object) -> None:
    now = house.clock.now()
    usual = {"key": key, "recipient": "p1", "person_id": 1, "text": "menu.help", "args": {}, "choices": []}
    times = {"at": now, "not_before": now, "urgent": False, "tries": 0, "state": "waiting"}
    letter = {**usual, **times, **fields}

    def job(session: Writing) -> None:
        session.execute(insert(MAIL).values(letter))

    house.write(job)


def until_sent(house: House) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The figures once a letter has gone out."""
    end = monotonic() + 20
    while monotonic() < end:
        found = scraped(house)
        if any(name == "xiaoge_letters_total" for name, _ in found):
            return found
    raise AssertionError("no letter went out")


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer wrong", METRICS_KEY, f"Bearer {METRICS_KEY}x", "Bearer 密"]
)
def test_without_the_key_there_is_no_such_page(shared_house: House, shown: str) -> None:
    headers = {b"authorization": shown.encode()} if shown else {}

    assert httpx.get(f"{shared_house.url}/metrics", headers=headers).status_code == 404


def test_what_comes_in_and_goes_out_is_counted(house: House) -> None:
    said = {"message_id": "m1", "chat": "c", "handle": "h", "text": "你好", "sender_name": "王芳"}
    httpx.post(f"{house.url}/hooks/memory", json=said, headers={"x-memory-secret": SECRET})
    until_sent(house)  # its figures of the database are a moment older than those of the process
    found = scraped(house)

    assert found["xiaoge_messages_accepted_total", (("channel", "memory"),)] == 1
    assert found["xiaoge_letters_total", (("channel", "memory"), ("outcome", "sent"))] == 1
    assert found["xiaoge_send_seconds_count", (("channel", "memory"),)] == 1
    assert found["xiaoge_inbox_waiting", (("channel", ""),)] == 0


def test_queues_have_a_length_and_an_age(house: House) -> None:
    now = house.clock.now()
    failed = {"channel": "wecom", "tries": 5, "lease_until": now + timedelta(hours=1)}
    a_letter(house, "a", not_before=now - timedelta(minutes=20), **failed)
    a_letter(house, "b", not_before=now + timedelta(hours=9))
    found = scraped(house)

    assert found["xiaoge_outbox_waiting", (("channel", "wecom"),)] == 1
    assert found["xiaoge_outbox_oldest_seconds", (("channel", "wecom"),)] == pytest.approx(1200, abs=20)
    assert found["xiaoge_outbox_failing_waiting", (("channel", "wecom"),)] == 1
    assert found["xiaoge_outbox_held", ()] == 1
    assert found["xiaoge_trouble", (("kind", "channel_down"),)] == 1
    assert found["xiaoge_cases_open", ()] == 0
