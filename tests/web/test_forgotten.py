"""Whoever asks to be forgotten sees on their page that it is done, and nothing of what was said before."""

from collections.abc import Callable, Iterator

import pytest

from tests.web.house import House
from tests.web.pane import Pane


@pytest.fixture
def pane(earnest_house: House) -> Iterator[Pane]:
    found = Pane(earnest_house.url)
    yield found
    found.close()


def test_it_is_told_that_one_is_forgotten(pane: Pane) -> None:
    pane.say("第一网格3栋楼下路灯坏了")
    pane.say("忘记我")
    told = pane.say("1")

    assert "已注销" in told
    shown = pane.shown()
    assert "已注销" in shown
    assert "路灯" not in shown
    assert "已登记" not in shown


def test_who_comes_after_sees_what_is_said_to_them(pane: Pane) -> None:
    for words in ("第一网格3栋楼下路灯坏了", "忘记我", "1"):
        pane.say(words)

    told = pane.say("第一网格5栋楼下垃圾没人清") or pane.hear()

    assert "已登记" in told
    assert "已注销" not in pane.shown()


def test_it_is_told_on_a_seat_of_the_demo_too(sit: Callable[[str], Pane]) -> None:
    seat = sit("resident")
    for words in ("第一网格3栋楼下路灯坏了", "忘记我", "1"):
        seat.say(words)

    shown = seat.shown()
    assert "已注销" in shown
    assert "路灯" not in shown
