"""青草镇 lived again by chat: 144 reports, 102 dealt with on the spot, 39 by villages, 3 by the town.

The article (2022-04-15) counts 144 reports since the work began and two matters a day, which is 72 days.
It does not say how a case came to the village or the town, so all the ways there are here. The figures are
read from what the system itself answers.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from shutil import copy

import pytest

from handlers.actor import Actor
from handlers.funnel import Funnel, funnel
from tests.town import Town, founded

pytestmark = pytest.mark.long


BEGAN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
DAYS = 72
QUARTER = (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), datetime(2026, 3, 31, 16, 0, tzinfo=UTC))
KINDS = ["self"] * 102 + ["village"] * 39 + ["town"] * 3
DEEDS = (
    "自办 2组水沟已疏通",
    "自办 1组路边杂物已清走",
    "自办 3组老人家的灯泡已换好",
    "自办 4组邻里小矛盾已当场调解",
    "自办 1组倒伏的树枝已清理",
)
QUARRELS = ("1组两家为田埂吵架", "2组邻居为滴水吵架", "3组两户因宅基地起了纠纷")
LAMPS = ("1组村口路灯坏了", "2组水泥路塌了一块", "3组健身器材松动", "4组垃圾没人清")


class Quarter:
    """Residents and workers of a village from January to March; each case takes one of the ways there are."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.deeds, self.quarrels, self.lamps = cycle(DEEDS), cycle(QUARRELS), cycle(LAMPS)
        self.ways = {
            "self": cycle([self.self_handled]),
            "village": cycle([self.quarrel, self.passed_on, self.climbed]),
            "town": cycle([self.to_the_town]),
        }
        self.answers = cycle(["已解决", "已解决", None])
        self.waiting: list[int] = []

    def live(self) -> None:
        """Two reports a day, at nine and at three; people get on with what has come to them."""
        kinds = list(KINDS)
        Random(144).shuffle(kinds)
        for day in range(DAYS):
            for hours in (0, 6):
                self.town.until(BEGAN + timedelta(days=day, hours=hours))
                self.get_on()
                next(self.ways[kinds.pop()])()
        for hours in (19, 6, 10 * 24):
            self.town.wait(hours=hours)
            self.get_on()

    def reported(self, words: str) -> int:
        """A resident says something, and it is registered."""
        heard = self.town.say("resident", words)
        assert any("已登记" in words for words in heard), heard
        return self.town.latest().id or 0

    def self_handled(self) -> None:
        """A worker saw it and dealt with it."""
        heard = self.town.say("worker", next(self.deeds))
        assert any("已记下自办自结" in words for words in heard), heard

    def quarrel(self) -> None:
        """What two sides dispute is the village's from the beginning."""
        self.finish("community", self.reported(next(self.quarrels)))

    def passed_on(self) -> None:
        """The party group's leader passes it on to the village."""
        number = self.reported(next(self.lamps))
        self.town.say("worker", f"转派 {number} 给 许长春 要村里出钱")
        self.finish("community", number)

    def climbed(self) -> None:
        """Nobody takes it for a day: it climbs to the village, where it is dealt with the day after."""
        self.waiting.append(self.reported(next(self.lamps)))

    def to_the_town(self) -> None:
        """Too big for the village as well."""
        number = self.reported(next(self.lamps))
        self.town.say("worker", f"转派 {number} 给 许长春 修不了")
        self.town.say("community", f"转派 {number} 给 方志军 要镇里立项")
        self.finish("town", number)

    def get_on(self) -> None:
        """What has climbed in the meantime is taken and finished."""
        climbed = [number for number in self.waiting if self.town.incident(number).step > 0]
        for number in climbed:
            self.finish("community", number)
        self.waiting = [number for number in self.waiting if number not in climbed]

    def finish(self, seat: str, number: int) -> None:
        """Taken, done, and confirmed by the reporter, who sometimes says nothing at all."""
        self.town.say(seat, f"接单 {number}")
        self.town.say(seat, f"办结 {number} 已处理好")
        answer = next(self.answers)
        if answer is not None:
            self.town.say("resident", f"{answer} {number}")


@pytest.fixture(scope="module")
def lived(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town after its quarter."""
    url = f"sqlite:///{copy(sqlite_template, tmp_path_factory.mktemp('qingcao') / 'xiaoge.db')}"
    with founded("qingcao", url, now=BEGAN) as town:
        Quarter(town).live()
        yield town


def test_the_systems_own_list_gives_the_articles_figures(lived: Town) -> None:
    leader = next(actor for actor in staff(lived) if actor.name == lived.name("leader"))

    with lived.desk.reading(leader) as reading:
        found = funnel(reading, *QUARTER)

    assert found == Funnel(144, 102, {"一级网格（村居）": 39, "镇": 3}, 144, DAYS)
    assert (found.close_rate, found.daily) == (1.0, 2.0)


@pytest.mark.parametrize("words", ["漏斗", "办结情况"])
def test_a_leader_reads_the_same_figures_in_the_chat(lived: Town, words: str) -> None:
    (answer,) = lived.say("leader", words)

    assert re.findall(r"[\d.]+", answer) == ["1", "1", "144", "2", "102", "39", "3", "144", "100"]
    assert "自办自结102件，一级网格（村居）39件，镇3件" in answer
    assert "已办结144件，办结率100%" in answer


def test_who_oversees_nothing_is_shown_no_funnel(lived: Town) -> None:
    lived.news("resident")
    (answer,) = lived.say("resident", "漏斗")

    assert "不在您的权限内" in answer


def test_another_villages_keeper_sees_nothing_of_it(lived: Town) -> None:
    (answer,) = lived.say("邱望山", "漏斗")

    assert "还没有上报" in answer


def test_the_funnel_of_one_day_is_that_days(lived: Town) -> None:
    with lived.desk.reading(staff(lived)[0]) as reading:
        first = funnel(reading, BEGAN, BEGAN + timedelta(days=1))
        nothing = funnel(reading, QUARTER[0], BEGAN)

    assert (first.total, first.closed, first.days) == (2, 2, 1)
    assert nothing == Funnel()
    assert (nothing.close_rate, nothing.daily) == (1.0, 0.0)


def staff(town: Town) -> list[Actor]:
    """Everybody with a post, the county first."""
    with town.desk.work() as work:
        return list(work.tree.staff.values())
