"""Lists as offices make them by hand: relations beside the names, sums and signatures below."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlmodel import col

from handlers.actor import CLOCK
from models import Person
from tests.registry.office import GRIDS, HOMES, PEOPLE, Registry, registry


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Registry]:
    with registry(sqlite_url) as found:
        yield found


def names(office: Registry) -> set[str]:
    with office.desk.reading(CLOCK) as reading:
        return set(reading.session.execute(select(col(Person.name))).scalars())


def test_what_members_are_to_each_other_is_no_part_of_their_names(one: Registry) -> None:
    line = [
        "第一网格",
        "3栋",
        "501",
        "钱大",
        "13900000001",
        "孙小美(妻)、钱小乐（长子、在外）,钱小云[女]、钱小雨（女",
    ]
    one.brings(GRIDS, [HOMES[0], line])

    assert {"孙小美", "钱小乐", "钱小云", "钱小雨"} <= names(one)
    assert not [name for name in names(one) if set(name) & set("()（）[]妻")]


@pytest.mark.parametrize(
    "foot",
    [
        "合计",
        "合计：1人",
        "小计",
        "总计:3",
        "填表人：李强",
        "填报单位（盖章）：幸福社区",
        "审核人: 王主任",
        "备注：以上属实",
    ],
)
def test_what_stands_below_a_list_is_no_line_of_it(one: Registry, foot: str) -> None:
    report = one.brings(GRIDS, [*PEOPLE, [foot, "", "", "1"], ["", foot]], [*HOMES, [foot], ["", "", foot]])

    assert report["counts"]["wrong"] == 0
    assert not one.wrong(GRIDS, [*PEOPLE, [foot]])


@pytest.mark.parametrize("name", ["合计明", "注小意", "单位楼"])
def test_a_name_that_begins_like_one_is_a_line(one: Registry, name: str) -> None:
    one.brings(GRIDS, [*PEOPLE, [name, "13800000002", "网格员", "第一网格"]])

    assert name in names(one)
