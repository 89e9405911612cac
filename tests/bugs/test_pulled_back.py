"""Residents who were brought back by a hand that had no more to do with them."""

from datetime import timedelta

import pytest

from handlers.residents.moving import Died, MoveOut, MoveTo, Restore
from models import Ending
from tests.handlers.office import Office
from tests.residents.homes import lives, person, places


def moved_on(desk: Office) -> int:
    """Somebody whom the community moved into another worker's grid."""
    number = lives(desk, "3栋501", "张三")
    there = desk.who("worker2").posts[0].grid_id
    desk.does("community", MoveTo(who="x", resident=number, to="9栋901", new=True, grid=there))
    return number


def test_a_former_worker_pulls_nobody_out_of_anothers_grid(desk: Office) -> None:
    number = moved_on(desk)
    before = places(desk, number)

    assert desk.refused("worker", Restore(who="张三", resident=number)) == "resident.not_found"
    assert desk.refused("worker", Restore(who="张三")) == "resident.not_found"
    assert places(desk, number) == before


@pytest.mark.parametrize("kind", [MoveOut, Died])
def test_who_left_long_ago_is_not_brought_back_as_a_mistake(desk: Office, kind: type[MoveOut]) -> None:
    number = lives(desk, "3栋501", "张三")
    desk.does("worker", kind(who="张三"))
    desk.world.wait(timedelta(days=31))

    assert desk.refused("worker", Restore(who="张三")) == "restore_resident.too_late"
    assert places(desk, number)[-1].until is not None


def test_a_door_one_was_brought_back_from_stays_as_history(desk: Office) -> None:
    number = moved_on(desk)
    desk.world.wait(timedelta(days=2))
    desk.does("community", Restore(who="张三", resident=number))

    first, second, now = places(desk, number)
    assert (first.until, second.until) == (second.since, now.since)
    assert second.ending == Ending.MOVED
    assert (now.household_id, now.until) == (first.household_id, None)
    assert person(desk, number).home_grid_id == desk.who("worker").posts[0].grid_id


def test_somebody_out_of_reach_is_told_apart_from_nobody_by_no_answer(desk: Office) -> None:
    stays, gone = lives(desk, "3栋501", "张三"), lives(desk, "3栋502", "李四")
    desk.does("worker", MoveOut(who="李四"))

    answers = {desk.refused("worker2", Restore(who="x", resident=one)) for one in (stays, gone, 99_999)}

    assert answers == {"resident.not_found"}
    assert desk.refused("worker", Restore(who="x", resident=stays)) == "restore_resident.nothing"
