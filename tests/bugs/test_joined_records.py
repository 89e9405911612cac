"""Joined records taken back after something else happened to them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers.residents.joining import JoinResidents, UndoJoin
from handlers.residents.marking import Mark, Unmark
from handlers.residents.own import WithdrawConsent
from tests.handlers.office import Office, office
from tests.residents.homes import details, lives


@pytest.fixture
def either(migrated_url: str) -> Iterator[Office]:
    """People of a place that keeps more than the minimum, on each promised engine."""
    with office("minhou", migrated_url) as people:
        yield people


def alone(desk: Office, number: int) -> None:
    desk.does("worker", Mark(who="x", resident=number, what="独居", agreed=True))


def joined(desk: Office, one: int, other: int) -> int:
    return int(desk.does("worker", JoinResidents(one=one, other=other, sure=True)).data["number"])


def test_a_number_that_was_given_out_again_does_not_keep_a_join(either: Office) -> None:
    one, other = lives(either, "3栋501", "张三"), lives(either, "3栋502", "章三")
    third = lives(either, "4栋101", "李四")
    for number in (one, other):
        alone(either, number)
    join = joined(either, one, other)
    alone(either, third)

    either.does("worker", UndoJoin(number=join))

    for number in (one, other, third):
        assert [row.mark for row in details(either, number)] == ["alone"]


def test_a_moved_number_that_was_given_out_again_stays_where_it_is(either: Office) -> None:
    one, other = lives(either, "3栋501", "张三"), lives(either, "3栋502", "章三")
    alone(either, other)
    join = joined(either, one, other)
    either.world.wait(timedelta(minutes=1))
    either.does("worker", Unmark(who="x", resident=one, what="独居"))
    either.does("worker", Mark(who="x", resident=one, what="残疾", agreed=True))

    either.does("worker", UndoJoin(number=join))

    assert details(either, other) == []
    assert [row.mark for row in details(either, one)] == ["disabled"]


def test_what_was_withdrawn_since_does_not_come_back(either: Office) -> None:
    mine, other = either.id("resident"), lives(either, "3栋502", "章三")
    for number in (mine, other):
        alone(either, number)
    join = joined(either, mine, other)
    either.does("resident", WithdrawConsent(what="关怀对象"))

    either.does("worker", UndoJoin(number=join))

    assert details(either, mine) == details(either, other) == []
    assert either.does("worker", Mark(who="x", resident=other, what="独居")).data["needs"] == "agreed"
