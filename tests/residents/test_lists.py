"""An office's own lists bring what the modules keep, and take it out again; only the columns that are on."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from handlers.actor import CLOCK
from handlers.importing import ImportLists, UndoImport
from handlers.registry.exporting import everything, template
from handlers.residents.own import WithdrawConsent
from handlers.residents.scope import DETAILS
from handlers.work import Reading
from tests.handlers.office import Office, office
from tests.registry.office import lists
from tests.residents.homes import details
from tests.residents.test_marking import NUMBER, with_all_on

HEADING = ["网格", "楼栋", "门牌", "户主", "手机", "关怀类别", "身份证号", "房屋类型"]
LINE = ["第一网格", "3栋", "501", "张三", "13900000001", "独居、残疾人", NUMBER, "出租房"]


@pytest.fixture
def all_on(migrated_url: str) -> Iterator[Office]:
    """A place that keeps everything, on each promised engine."""
    with office("default", migrated_url) as people:
        people.world.book = with_all_on(people.world.book)
        people.world.desk.book = people.world.book
        yield people


def brings(desk: Office, *lines: list[str]) -> dict[str, Any]:
    """A list is brought in by whoever runs the program; the report."""
    sheet = [HEADING, *lines]
    found = lists(sheet)
    outcome = desk.world.do(CLOCK, ImportLists(lists=found), chat=False).outcome
    data: dict[str, Any] = outcome.data  # type: ignore[union-attr]
    return data


def kept(desk: Office) -> list[tuple[str, str, str | None]]:
    rows = desk.world.session.execute(select(DETAILS).order_by(DETAILS.c.module, DETAILS.c.mark))
    return [(row.module, row.mark, row.hidden or row.value) for row in rows]


WHOLE = [
    ("care", "alone", None),
    ("care", "disabled", None),
    ("id_number", "", NUMBER),
    ("tenancy", "rented", None),
]


def test_columns_of_the_modules_that_are_on_are_read(all_on: Office) -> None:
    line = ["幸福社区/第一网格", *LINE[1:]]
    assert brings(all_on, line)["counts"]["new"] == 1
    assert kept(all_on) == WHOLE
    again = brings(all_on, line)
    assert (again["counts"]["same"], again["number"]) == (1, None)

    changed = brings(all_on, [*line[:5], "独居、低保", "", ""])
    assert changed["counts"]["changed"] == 1
    assert ("care", "hard_up", None) in kept(all_on)


def test_an_import_with_details_is_undone_to_the_letter(all_on: Office) -> None:
    line = ["幸福社区/第一网格", *LINE[1:]]
    first = brings(all_on, [*line[:5], "", "", ""])["number"]
    second = brings(all_on, line)["number"]
    assert kept(all_on) == WHOLE
    for number in (second, first):
        outcome = all_on.world.do(CLOCK, UndoImport(number=number), chat=False).outcome
        assert outcome.data["number"] == number  # type: ignore[union-attr]
        assert kept(all_on) == []


@pytest.mark.parametrize(("column", "value"), [(5, "月亮"), (6, NUMBER[:-1] + "1")])
def test_a_value_that_is_none_is_told_and_nothing_of_its_line_written(
    all_on: Office, column: int, value: str
) -> None:
    line = ["幸福社区/第一网格", *LINE[1:]]
    line[column] = value
    report = brings(all_on, line)

    assert report["counts"]["wrong"] == 1
    assert "不认识" in report["wrong"][0]["reason"]
    assert kept(all_on) == []


def test_what_is_off_is_a_column_nobody_knows(sqlite_url: str) -> None:
    with office("default", sqlite_url) as desk:
        report = brings(desk, ["幸福社区/第一网格", *LINE[1:]])

        assert set(report["sheets"][0]["left_out"]) == set(HEADING[5:])
        assert kept(desk) == []
        assert "身份证号" not in str([list(lines) for _, lines in template(desk.world.book)])


def test_what_goes_out_comes_in_unchanged(all_on: Office) -> None:
    brings(all_on, ["幸福社区/第一网格", *LINE[1:]])
    world = all_on.world
    reading = Reading(world.session, world.now, world.book, world.desk.tree(world.session), CLOCK)
    sheet = [list(line) for line in dict(everything(reading))["住户"]]

    assert sheet[1][-1] == "出租"
    assert NUMBER in sheet[1]
    report = world.do(CLOCK, ImportLists(lists=lists(sheet)), chat=False).outcome.data  # type: ignore[union-attr]
    assert (report["counts"]["same"], report["number"]) == (1, None)


def test_who_may_not_confide_takes_nothing_sensitive_out(all_on: Office) -> None:
    brings(all_on, ["幸福社区/第一网格", *LINE[1:]])
    world = all_on.world
    tree = world.desk.tree(world.session)
    reading = Reading(world.session, world.now, world.book, tree, tree.staff[all_on.id("admin")])
    sheet = [list(line) for line in dict(everything(reading))["住户"]]

    assert NUMBER not in sheet[1]
    assert "出租" not in sheet[1]


def test_a_yes_that_was_taken_back_holds_against_a_list(all_on: Office) -> None:
    brings(all_on, ["幸福社区/第一网格", *LINE[1:]])
    (owner,) = {row.person_id for row in all_on.world.session.execute(select(DETAILS)) if row.person_id}
    who = next(actor for actor in all_on.world._actors() if actor.id == owner)
    done = all_on.world.do(who, WithdrawConsent(what="关怀对象")).outcome
    assert done.data["withdrawn"]  # type: ignore[union-attr]
    brings(all_on, ["幸福社区/第一网格", *LINE[1:]])

    assert [row.module for row in details(all_on, owner)] == ["id_number"]
