"""Numbers of a list that was never forgotten: a 1 of weeks later was taken for its first line."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.message import Choice
from bot.talk import KEPT, Talk
from tests.town import PLAIN, START, Town, founded

OLD = "这个选项已经过时了"
A = (Choice(label="接单", do="accept", known={"incident": 1001}),)


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    """One in which a worker has looked at the list of the morning."""
    with founded("default", sqlite_url, can=PLAIN) as town:
        town.say("resident", "幸福社区第一网格2栋的路灯坏了")
        town.news("worker")
        town.say("worker", "待办")
        yield town


def at(town: Town, span: timedelta, text: str) -> str:
    """What a worker is answered after a silence in which nothing new is told."""
    town.now = START + span
    return town.say("worker", text)[0]


def test_a_list_of_the_morning_is_worked_off_until_the_evening(town: Town) -> None:
    assert at(town, timedelta(hours=10), "1 接单").startswith("已接单")


def test_its_numbers_lapse_after_a_day_and_the_answer_says_so(town: Town) -> None:
    assert at(town, KEPT + timedelta(minutes=1), "1").startswith(OLD)


def test_an_old_yes_agrees_to_nothing(town: Town) -> None:
    offered = Talk(choices=A * 2, yes_or_no=True, offered_at=START, touched_at=START)
    later = offered.aged(START + KEPT + timedelta(seconds=1))

    assert (later.choices, later.yes_or_no, later.has_lapsed) == ((), False, True)


def test_choices_that_are_offered_again_count_from_then() -> None:
    first = Talk(touched_at=START).offering(A, START)
    soon = first.offering(A, START + timedelta(minutes=1))
    again = first.offering(A, START + timedelta(hours=20))

    assert soon is first
    assert again.aged(START + timedelta(hours=30)).choices == A
    assert first.aged(START + timedelta(hours=30)).has_lapsed


def test_a_talk_kept_before_this_was_counted_lapses_by_its_last_word() -> None:
    kept = Talk(choices=A, touched_at=START)

    assert kept.aged(START + timedelta(hours=23)).choices == A
    assert kept.aged(START + timedelta(hours=25)).has_lapsed
