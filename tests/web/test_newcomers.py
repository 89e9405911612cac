"""Newcomers: a street may come in within an hour, a script's thousands may not."""

from datetime import timedelta

import httpx
from sqlalchemy import select
from sqlmodel import col

from models import Person
from tests.web.house import MONDAY, House
from web.newcomers import AN_HOUR, HOUR, Newcomers


def test_an_address_brings_so_many_an_hour_and_no_more() -> None:
    door = Newcomers()
    let_in = [door.admit("192.0.2.1", f"g{n}", MONDAY) for n in range(AN_HOUR + 1)]

    assert let_in == [True] * AN_HOUR + [False]
    assert door.admit("192.0.2.1", "g0", MONDAY)
    assert door.admit("192.0.2.2", "other", MONDAY)
    assert not door.admit("192.0.2.1", "late", MONDAY + HOUR - timedelta(seconds=1))
    assert door.admit("192.0.2.1", "late", MONDAY + HOUR)


def test_a_subscribers_many_long_addresses_are_one() -> None:
    door = Newcomers()
    let_in = [door.admit(f"2001:db8::{n + 1:x}", f"g{n}", MONDAY) for n in range(AN_HOUR + 1)]

    assert let_in[-1] is False
    assert door.admit("2001:db8:0:1::1", "next door", MONDAY)


def test_a_script_makes_no_thousands_of_people(earnest_house: House) -> None:
    before = earnest_house.count(select(col(Person.id)))
    answers = []
    for n in range(AN_HOUR + 3):
        body = {"id": f"message-{n}", "text": "幸福社区第一网格3栋楼下路灯坏了"}
        guest = {"cookie": f"xiaoge_guest=made-up-{n}"}
        answers.append(httpx.post(f"{earnest_house.url}/chat/send", json=body, headers=guest))
    earnest_house.write(lambda _: None)

    assert [answer.status_code for answer in answers] == [200] * AN_HOUR + [429] * 3
    assert answers[-1].json()["message"].endswith("。")
    assert earnest_house.count(select(col(Person.id))) - before <= AN_HOUR
