"""A half-filled form: its owner is told once that it is kept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers.command import Done
from handlers.waiting import STALE, TellWaiting
from tests.town import Town, founded

KEPT = "您有一件没填完的内容留着"


@pytest.fixture
def town(migrated_url: str) -> Iterator[Town]:
    with founded("default", migrated_url) as one:
        yield one


def remind(town: Town) -> int:
    """The clock looks for half-filled forms. Returns how many people were told."""
    done = town.do(TellWaiting())
    town.send()
    assert isinstance(done, Done)
    return int(done.data["told"])


def begin_a_report(town: Town, who: str) -> list[str]:
    """Somebody says what is wrong; where it is, is asked."""
    return town.say(who, "路灯不亮了,晚上走路看不见")


def test_it_is_told_once_after_half_an_hour_and_the_form_is_still_there(town: Town) -> None:
    stranger = "外来的老周"
    asked = begin_a_report(town, stranger)
    town.now += STALE - timedelta(seconds=1)
    too_soon = remind(town)
    town.now += timedelta(seconds=1)
    told = [remind(town), remind(town)]
    town.now += timedelta(hours=5)
    told.append(remind(town))

    assert len(asked) == 1
    assert too_soon == 0
    assert told == [1, 0, 0]
    assert [words.startswith(KEPT) for words in town.news(stranger)] == [True]
    assert town.count() == 0
    assert town.say(stranger, "继续") == asked


def test_a_talk_without_anything_half_filled_is_left_in_peace(town: Town) -> None:
    town.say("外来的老周", "帮助")
    town.now += timedelta(days=2)

    assert remind(town) == 0


def test_a_form_that_was_finished_or_cancelled_is_not_spoken_of(town: Town) -> None:
    begin_a_report(town, "外来的老周")
    town.say("外来的老周", "取消")
    town.now += timedelta(hours=1)

    assert remind(town) == 0
