"""How many live in each grid: the figure beside the grid is what a count of the rows would say, always."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from handlers.actor import CLOCK
from handlers.command import Command
from handlers.grids.tallies import tallies
from handlers.residents.entering import AddResident
from handlers.residents.joining import JoinResidents, UndoJoin
from handlers.residents.keeping import Retain
from handlers.residents.moving import Died, MoveOut, MoveTo, Restore
from handlers.residents.scope import HOMES, MEMBERS
from tests.grids.test_regridding import grid
from tests.handlers.office import Office
from tests.residents.homes import lives

DOORS = ("1栋101", "1栋102", "2栋201")
GRIDS = ("第一队", "第二队")
NAMES = ("张三", "李四")
NUMBERS = count(1)


def another(name: str) -> str:
    """Somebody whose name begins so, and whom there was not before."""
    return name + "".join("零一二三四五六七八九"[int(digit)] for digit in str(next(NUMBERS)))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "to", "out", "died", "restore", "join", "part", "retain", "wait")),
        st.sampled_from(NAMES),
        st.sampled_from(DOORS),
        st.sampled_from(GRIDS),
    ),
    min_size=1,
    max_size=12,
)


def counted(desk: Office) -> dict[int, tuple[int, int]]:
    """What one finds who goes from door to door."""
    session = desk.world.session
    homes: dict[int, int] = {}
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for home in session.execute(select(HOMES)):
        homes[home.id] = home.grid_id
        found[home.grid_id][0] += 1
    for one in session.execute(select(MEMBERS)):
        if one.until is None or one.until > desk.world.now:
            found[homes[one.household_id]][1] += 1
    return {at: (many[0], many[1]) for at, many in found.items()}


def is_right(desk: Office) -> None:
    desk.world.session.flush()
    assert tallies(desk.world.session) == counted(desk)


@given(STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_figures_are_right_after_whatever_was_entered(
    either: Office, steps: list[tuple[str, str, str, str]]
) -> None:
    numbers = {name: lives(either, "5栋501", another(name), another=True) for name in NAMES}
    for what, name, door, at in steps:
        _step(either, what, numbers, name, door, grid(either, at))
        is_right(either)


def _step(desk: Office, what: str, numbers: dict[str, int], name: str, door: str, at: int) -> None:
    known: dict[str, Any] = {"who": name, "resident": numbers[name]}
    one, other = numbers.values()
    if what == "wait":
        desk.world.wait(timedelta(hours=5))
    elif what == "retain":
        desk.world.do(CLOCK, Retain(), chat=False)
    else:
        told: dict[str, Callable[[], Command]] = {
            "add": lambda: AddResident(door=door, called=another(name), grid=at),
            "to": lambda: MoveTo(**known, to=door, grid=at, new=True),
            "out": lambda: MoveOut(**known),
            "died": lambda: Died(**known),
            "restore": lambda: Restore(**known),
            "join": lambda: JoinResidents(one=one, other=other, sure=True),
            "part": UndoJoin,
        }
        desk.tries("town", told[what]())


@pytest.mark.parametrize("kind", [MoveOut, Died])
def test_who_leaves_and_who_comes_back_is_counted(either: Office, kind: type[MoveOut]) -> None:
    at = grid(either, "第一队")
    number = lives(either, "3栋501", "张三")
    assert tallies(either.world.session)[at] == (1, 1)
    either.does("worker", kind(who="张三"))
    assert tallies(either.world.session)[at] == (1, 0)
    either.does("worker", Restore(who="张三", resident=number))
    assert tallies(either.world.session)[at] == (1, 1)


def test_two_records_that_are_one_person_count_as_one(either: Office) -> None:
    at = grid(either, "第一队")
    one, other = lives(either, "3栋501", "张三"), lives(either, "3栋502", "张三", another=True)
    number = either.does("worker", JoinResidents(one=one, other=other, sure=True)).data["number"]
    assert tallies(either.world.session)[at] == (2, 1)
    either.does("worker", UndoJoin(number=number))
    assert tallies(either.world.session)[at] == (2, 2)
