"""A number that is no phone became a part of the door."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from handlers.refusal import Refusal
from handlers.residents.entering import AddResident
from handlers.residents.scope import HOMES
from tests.handlers.test_own_data import everything
from tests.town import Town, founded


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        yield found


def homes(town: Town) -> int:
    with town.database.reader.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(HOMES)).scalar_one())


@pytest.mark.parametrize(
    "said", ["孙八 12345", "孙八12345", "孙八 01088886666", "孙八 1380000111", "孙八 123"]
)
def test_a_wrong_phone_is_no_part_of_a_door(town: Town, said: str) -> None:
    before = homes(town)
    told = town.say("worker", f"登记住户 6栋602 {said}")

    assert homes(town) == before
    assert any("11位" in part for part in told)
    assert "01088886666" not in everything(town)


@pytest.mark.parametrize("number", ["12345", "张三", "01088886666"])
def test_a_number_of_its_own_is_a_phone(town: Town, number: str) -> None:
    outcome = town.do(AddResident(door="3栋501", called="张三", number=number), "worker")

    assert isinstance(outcome, Refusal)
    assert outcome.text == "add_resident.wrong_phone"


@pytest.mark.parametrize(
    "said",
    [
        "6栋602 孙八 13800002222",
        "孙八 6栋602",
        "平安里 6栋 602 孙八",
        "6栋602 孙八",
        "6栋2单元602 13800002222 孙八",
    ],
)
def test_a_door_with_a_name_is_still_a_door(town: Town, said: str) -> None:
    assert any("已登记：孙八" in part for part in town.say("worker", f"登记住户 {said}"))
