"""The no of a choice is answered in one plain sentence, and nothing else is asked."""

from collections.abc import Iterator

import pytest

from tests.town import Town, founded

UNCHANGED = ["好的，没有改动。"]


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        yield found


def test_who_did_not_agree_is_not_marked(sqlite_url: str) -> None:
    with founded("minhou", sqlite_url) as town:
        town.say("worker", "登记住户 3栋501 张三 13800001111")
        told = town.say("worker", "标注 张三 独居")

        assert "同意" in told[-1]
        assert town.say("worker", "2") == UNCHANGED
        assert "独居" not in town.say("worker", "查户 3栋501")[-1]


def test_grids_that_were_not_to_be_merged_stay(town: Town) -> None:
    told = town.say("town", "合并 第一网格、第二网格")

    assert "2" in told[-1]
    assert town.say("town", "2") == UNCHANGED


def test_a_worker_who_was_not_to_leave_stays(town: Town) -> None:
    told = town.say("community", "李强离岗")

    assert "2" in told[-1]
    assert town.say("community", "2") == UNCHANGED
