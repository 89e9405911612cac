"""Large areas: what is asked of a county is answered from its rows, or refused, and never silently wrong."""

import re

import pytest
from sqlalchemy import event, insert

from handlers.residents import doors, doubles
from handlers.residents.doubles import FindDoubles
from handlers.residents.marking import Mark
from handlers.residents.scope import MEMBERS
from handlers.residents.segments import ListSegment, how_many, people_of
from handlers.residents.showing import LookUp
from handlers.work import Reading
from tests.handlers.office import Office
from tests.residents.conftest import either
from tests.residents.homes import lives, places

__all__ = ["either"]


def test_a_place_with_too_many_residents_is_not_compared_either(
    either: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for door in ("3栋501", "3栋502", "3栋503"):
        lives(either, door, "张三", another=True)
    monkeypatch.setattr(doubles, "MOST", 2)

    assert either.refused("worker", FindDoubles(where="第一队")) == "doubles.too_many"


def test_only_the_place_that_is_named_counts_towards_too_many(
    either: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (
        lives(either, "3栋501", "张三", "13800009999"),
        lives(either, "3栋502", "章三", "13800009999"),
    )
    for door in ("13栋501", "13栋502", "13栋503"):
        lives(either, door, "李四", "13800008888", seat="worker2", another=True)
    monkeypatch.setattr(doubles, "MOST", 4)

    assert either.refused("town", FindDoubles()) == "doubles.too_many"
    pairs = either.does("town", FindDoubles(where="第一队")).data["pairs"]
    assert [(pair["one"], pair["other"]) for pair in pairs] == [(one, other)]


def test_a_door_past_those_looked_through_is_not_called_absent(
    either: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for door in ("3栋501", "4栋501", "5栋501"):
        lives(either, door, "张三", another=True)
    lives(either, "13栋501", "李四", seat="worker2")
    monkeypatch.setattr(doors, "READ", 2)

    assert either.refused("town", LookUp(door="13栋501")) == "household.too_many"
    found = either.does("town", LookUp(door="第二队13栋501")).data["residents"]
    assert [one["name"] for one in found] == ["李四"]
    found = either.does("town", LookUp(door="侯官村第二队13栋501")).data["residents"]
    assert [one["name"] for one in found] == ["李四"]


def test_a_street_is_not_taken_for_a_place_in_a_wide_area(
    either: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for door in ("3栋501", "4栋501", "5栋501"):
        lives(either, door, "张三", another=True)
    monkeypatch.setattr(doors, "READ", 2)

    assert either.refused("town", LookUp(door="第二队路3栋501")) == "household.too_many"


def test_who_lives_behind_two_doors_stands_in_a_list_once(either: Office) -> None:
    numbers = [
        lives(either, door, name) for door, name in (("3栋501", "张三"), ("3栋502", "李四"), ("4栋1", "王五"))
    ]
    for number in numbers:
        either.does("worker", Mark(who="x", resident=number, what="独居", agreed=True))
    other = {"household_id": places(either, numbers[2])[0].household_id, "person_id": numbers[0]}
    session = either.world.session
    session.execute(insert(MEMBERS), [{**other, "since": either.world.now, "head": False}])
    world = either.world
    reading = Reading(session, world.now, world.book, world.tree, either.who("worker"))
    pages = [people_of(reading, "alone", after=at, most=1) for at in range(4)]

    assert how_many(reading, "alone") == 3
    assert [[one.id for one in page] for page in pages] == [*([number] for number in numbers), []]


def test_an_area_is_asked_for_by_its_path_and_not_by_all_its_grids(either: Office) -> None:
    number = lives(either, "3栋501", "张三")
    either.does("worker", Mark(who="x", resident=number, what="独居", agreed=True))
    asked: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(either.world.database.writer, "before_cursor_execute", see)
    assert either.does("town", ListSegment(which="独居 侯官村")).data["count"] == 1
    either.does("worker", LookUp(door="3栋501"))

    assert asked
    assert not [one for one in asked if re.search(r"grid_id\)? IN \((?!SELECT)", one)]
