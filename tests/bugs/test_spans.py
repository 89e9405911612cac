"""Lengths of time that people say and that were refused or misread."""

import pytest

from handbook.spans import SPOKEN_SPAN, spoken_span
from handlers.handling import Accept
from handlers.requesting import Extend
from tests.handlers.office import Office


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("八天", "8d"),
        ("九天", "9d"),
        ("十天", "10d"),
        ("十五天", "15d"),
        ("二十天", "20d"),
        ("两周", "14d"),
        ("一个星期", "7d"),
        ("半天", "4h"),
        ("半个小时", "30m"),
        ("半小时", "30m"),
        ("3天", "3d"),
        ("2个工作日", "2d"),
        ("4 小时", "4h"),
        ("90分钟", "90m"),
        ("2d", "2d"),
    ],
)
def test_a_length_of_time_means_what_people_say(said: str, meant: str) -> None:
    assert str(spoken_span(said)) == meant


@pytest.mark.parametrize("said", ["", "天", "零天", "0天", "半周", "很久", "十五", "百天天"])
def test_what_is_no_length_of_time_is_not_guessed(said: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        spoken_span(said)


def test_a_length_of_time_is_found_in_a_sentence() -> None:
    found = SPOKEN_SPAN.search("延期十五天，等配件")

    assert found is not None
    assert str(spoken_span(found[0])) == "15d"


def test_more_time_is_asked_for_in_words(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))

    desk.does("worker", Extend(incident=number, span="八天", reason="等配件"))

    assert desk.case(number).request["data"]["span"] == "8d"
