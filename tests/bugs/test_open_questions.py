"""Commands that came while a question was open were taken for its answer, and wrong things were written."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from handlers.refusal import Refusal
from handlers.residents.entering import AddResident
from handlers.residents.scope import PEOPLE
from tests.handlers.test_own_data import everything
from tests.town import Town, founded

LANDLINE = "01088886666"


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        found.say("worker", "登记住户 3栋501 张三 13800001111")
        yield found


def names(town: Town) -> set[str]:
    with town.database.reader.connect() as connection:
        return set(connection.execute(select(PEOPLE.c.name)).scalars())


@pytest.mark.parametrize(
    "words",
    [
        "去世 张三",
        "查户 3栋501",
        "查户 无此楼",
        "搬走 李四",
        "名单 独居",
        "看电话张三",
        "标注 张三 独居",
        "登记住户 3栋509",
    ],
)
def test_a_command_is_nobodys_name(town: Town, words: str) -> None:
    before = names(town)
    town.say("worker", "1")
    town.say("worker", words)

    assert names(town) == before


def test_somebody_else_is_entered_behind_their_own_door(town: Town) -> None:
    town.say("worker", "1")
    told = town.say("worker", "登记住户 3栋604 郑二 13800002222")

    assert any("郑二" in part and "3栋604" in part for part in told)
    assert "郑二" in names(town)


def test_the_question_that_was_left_is_kept(town: Town) -> None:
    town.say("worker", "1")
    assert any("继续" in part for part in town.say("worker", "查户 3栋501"))
    town.say("worker", "继续")
    town.say("worker", "李四")

    assert "李四" in names(town)


@pytest.mark.parametrize("words", [LANDLINE, f"李四 {LANDLINE}", "李四 12345", "12345", "李四（户主）"])
def test_what_is_no_name_is_asked_for_again(town: Town, words: str) -> None:
    before = names(town)
    town.say("worker", "1")
    told = town.say("worker", words)

    assert names(town) == before
    assert any("姓名" in part for part in told)
    assert LANDLINE not in everything(town)
    town.say("worker", "李四 13900008888")
    assert names(town) == {*before, "李四"}


@pytest.mark.parametrize("name", ["李四", "买买提·艾山", "李㛃", "Anna Berg"])
def test_names_of_all_kinds_are_names(town: Town, name: str) -> None:
    town.say("worker", "1")
    town.say("worker", name)

    assert name in names(town)


def test_what_is_no_name_is_refused_at_every_door(town: Town) -> None:
    for called in (LANDLINE, "李四 88886666", "李四<b>"):
        outcome = town.do(AddResident(door="3栋501", called=called), "worker")

        assert isinstance(outcome, Refusal)
        assert outcome.text == "add_resident.called.wrong"


def test_a_command_is_no_reason_to_give_a_case_back(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    town.say("worker", "退回")
    state = town.latest().state
    town.say("worker", "登记住户 3栋502 李四")

    assert "李四" in names(town)
    assert town.latest().state == state


@pytest.mark.parametrize("reason", ["搬走了，不归我管", "名单上没有这户", "标记不清楚，找不到地方"])
def test_words_like_a_command_are_still_a_reason(town: Town, reason: str) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    town.say("worker", "退回")
    told = town.say("worker", reason)

    assert not any("继续" in part for part in told)


@pytest.mark.parametrize("words", ["名单", "查重", "查户 3栋501"])
def test_a_yes_or_no_is_left_by_a_command(town: Town, words: str) -> None:
    town.say("worker", "去世 张三")
    told = town.say("worker", words)

    assert not any("没看懂" in part for part in told)
    assert any("继续" in part for part in told)
