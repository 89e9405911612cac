"""What is told before grids change: right figures, read in a few queries, and nothing held meanwhile."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from handlers.command import Command
from handlers.grid_check import CheckGrids
from handlers.refusal import Refusal
from handlers.regridding import MergeGrids, MoveGrid, SplitGrid
from tests.grids.test_regridding import grid, settle
from tests.handlers.office import Office, office

LIVES, HELD = "SELECT member.person_id, member.household_id", "FROM post WHERE post.grid_id"
SEATS = ("resident", "neighbour")


@pytest.fixture
def either(migrated_url: str) -> Iterator[Office]:
    """The people of a place, on each promised engine."""
    with office("default", migrated_url) as people:
        yield people


def filled(desk: Office) -> int:
    """A grid with homes and cases in it and in its buildings."""
    first = grid(desk, "第一网格")
    settle(desk, first, ("3栋", "101", "甲"), ("8栋", "1", "乙"))
    settle(desk, grid(desk, "3栋", above="第一网格"), ("", "301", "丙"), ("", "302", "丁"))
    settle(desk, grid(desk, "5栋", above="第一网格"), ("", "501", "戊"))
    for at in ("3栋", "5栋"):
        desk.reports(grid=grid(desk, at, above="第一网格"), what=f"{at}楼道灯不亮")
    desk.reports(grid=first, what="小区门口的路不平")
    return first


def planned(desk: Office, command: Command) -> tuple[str, list[str]]:
    """What would happen, and the statements by which one came to know."""
    asked: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(desk.world.database.writer, "before_cursor_execute", see)
    outcome = desk.tries("town", command).outcome
    event.remove(desk.world.database.writer, "before_cursor_execute", see)
    assert isinstance(outcome, Refusal)
    assert outcome.text == "grid.sure"
    return str(outcome.args_["plan"]), asked


def test_a_split_is_counted_once_for_all_its_parts(either: Office) -> None:
    first = filled(either)
    plan, asked = planned(either, SplitGrid(grid=first, parts="东片（3栋）、中片（5栋）、西片"))

    assert "东片：下级1个，住户3户，未办结1件" in plan
    assert "中片：下级1个，住户1户，未办结1件" in plan
    assert "西片：下级10个，住户1户，未办结1件" in plan
    assert sum("grid_tally" in one for one in asked) == 1
    assert sum("JOIN incident" in one for one in asked) == 1
    assert not [one for one in asked if "incident" in one and "FOR UPDATE" in one]


@pytest.mark.parametrize("kind", ["merge", "move"])
def test_nothing_is_locked_to_tell_what_would_happen(either: Office, kind: str) -> None:
    first = filled(either)
    command = MergeGrids(grid=first, into=grid(either, "第二网格"))
    moved = MoveGrid(grid=first, to=grid(either, "平安村"))
    plan, asked = planned(either, command if kind == "merge" else moved)

    assert "5户" in plan
    assert "3件" in plan
    assert not [one for one in asked if "incident" in one and "FOR UPDATE" in one]


def statements(desk: Office, command: Command, words: str) -> int:
    """How many statements with these words are given while a command is carried out."""
    asked: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(desk.world.database.writer, "before_cursor_execute", see)
    desk.does("town", command)
    event.remove(desk.world.database.writer, "before_cursor_execute", see)
    return sum(words in " ".join(one.split()) for one in asked)


def test_where_reporters_live_is_asked_once_for_all_their_cases(either: Office) -> None:
    first = grid(either, "第一网格")
    settle(either, first, ("3栋", "101", "王芳"), ("8栋", "1", "张明"))
    numbers = [either.reports(seat, grid=first, what=f"楼道灯不亮{at}") for at, seat in enumerate(SEATS)]
    asked = statements(either, SplitGrid(grid=first, parts="东片（3栋）、西片", sure=True), LIVES)
    parts = {seat: either.case(number).grid_id for seat, number in zip(SEATS, numbers, strict=True)}

    assert parts == {"resident": grid(either, "东片"), "neighbour": grid(either, "西片")}
    assert asked == 1


def test_posts_are_asked_once_for_all_parts(either: Office) -> None:
    few, many = grid(either, "第一网格"), grid(either, "第二网格")
    one = statements(either, SplitGrid(grid=few, parts="甲片、乙片", sure=True), HELD)
    other = statements(either, SplitGrid(grid=many, parts="丙片、丁片、戊片、己片、庚片", sure=True), HELD)

    assert one == other == 2


def test_a_check_sums_up_once(either: Office) -> None:
    assert statements(either, CheckGrids(), "FROM grid_tally") == 1
