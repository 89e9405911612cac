"""Where people live: one place at a time, a history without overlap, whoever moves them in which order."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.residents.entering import AddResident
from handlers.residents.moving import Died, MoveOut, MoveTo, Restore
from handlers.residents.showing import LookUp
from models import Ending
from tests.handlers.office import Office
from tests.residents.homes import lives, person, places

DOORS = ("1栋101", "1栋102", "2栋201", "3栋301")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("to", "out", "died", "restore", "wait", "add")),
        st.sampled_from(("张三", "李四")),
        st.sampled_from(DOORS),
    ),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_lives_in_two_places_at_once(desk: Office, steps: list[tuple[str, str, str]]) -> None:
    people = [lives(desk, "5栋501", name, another=True, household=None) for name in ("张三", "李四")]
    numbers = dict(zip(("张三", "李四"), people, strict=True))
    for what, name, door in steps:
        _step(desk, what, name, numbers[name], door)
    for number in people:
        _is_sound(desk, number)
        desk.tries("worker", MoveOut(who="x", resident=number))  # the next example begins anew


def _step(desk: Office, what: str, name: str, number: int, door: str) -> None:
    known: dict[str, Any] = {"who": name, "resident": number}
    if what == "wait":
        desk.world.wait(timedelta(hours=5))
    elif what == "to":
        desk.tries("worker", MoveTo(**known, to=door, new=True))
    elif what == "add":
        desk.tries("worker", AddResident(door=door, called=name))
    else:
        kind = {"out": MoveOut, "died": Died, "restore": Restore}[what]
        desk.tries("worker", kind(**known))


def _is_sound(desk: Office, number: int) -> None:
    homes = places(desk, number)
    assert sum(home.until is None for home in homes) <= 1
    for home in homes:
        assert home.until is None or home.since <= home.until
    for one, other in pairwise(homes):
        assert one.until is not None
        assert one.until <= other.since
    if person(desk, number).died_at is not None:
        assert all(home.until is not None for home in homes)


def test_a_move_leaves_the_old_place_as_history(either: Office) -> None:
    number = lives(either, "3栋501", "张三")
    either.world.wait(timedelta(days=3))
    either.does("worker", MoveTo(who="张三", to="4栋502", new=True))

    old, new = places(either, number)
    assert (old.ending, old.until, old.said_by) == (Ending.MOVED, new.since, either.id("worker"))
    assert new.until is None
    assert either.does("worker", LookUp(door="3栋501")).data["residents"] == []


def test_a_move_taken_back_is_as_if_it_had_not_been(either: Office) -> None:
    number = lives(either, "3栋501", "张三")
    before = [home._mapping for home in places(either, number)]
    either.does("worker", MoveTo(who="张三", to="4栋502", new=True))
    either.does("worker", Restore(who="张三", resident=number))

    after = [home._mapping for home in places(either, number)]
    assert [dict(row) | {"said_by": None} for row in after] == [
        dict(row) | {"said_by": None} for row in before
    ]


@pytest.mark.parametrize("kind", [MoveOut, Died])
def test_who_has_left_is_not_found_and_can_be_brought_back(desk: Office, kind: type[MoveOut]) -> None:
    number = lives(desk, "3栋501", "张三")
    desk.does("worker", kind(who="张三"))

    assert desk.refused("worker", LookUp(door="张三")) == "resident.nobody"
    assert desk.refused("worker2", Restore(who="张三", resident=number)) == "resident.not_found"
    desk.does("worker", Restore(who="张三"))
    assert [one["name"] for one in desk.does("worker", LookUp(door="3栋501")).data["residents"]] == ["张三"]
    assert person(desk, number).died_at is None


def test_somebody_who_left_before_is_not_brought_back_over_a_later_place(desk: Office) -> None:
    number = lives(desk, "3栋501", "张三")
    desk.does("worker", MoveOut(who="张三"))
    desk.world.wait(timedelta(days=1))
    desk.does("worker", Restore(who="张三"))
    desk.world.wait(timedelta(days=1))

    assert desk.refused("worker", Restore(who="张三", resident=number)) == "restore_resident.nothing"


def test_the_first_behind_a_door_is_its_head(desk: Office) -> None:
    first, second = lives(desk, "3栋501", "张三"), lives(desk, "3栋501", "李四")

    assert [home.head for number in (first, second) for home in places(desk, number)] == [True, False]
