"""Imports that were undone although what they made had become something else."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from handlers.actor import Actor, Held, actor_from
from handlers.command import Command, Done
from handlers.refusal import Refusal
from handlers.regridding import MergeGrids, MoveGrid, RenameGrid, SplitGrid
from handlers.work import Desk
from models import Grid, Household, Person, Post
from models.database import open_database
from tests.registry.office import GRIDS, Registry
from tests.town import START, book_of

TOP = [*GRIDS[:4], ["清溪社区", "桂花镇", "社区"], ["老网格", "幸福社区", "网格"]]
NEW = [GRIDS[0], ["新网格", "幸福社区", "网格"]]
HOMES = [["网格", "楼栋", "门牌", "户主"], ["新网格", "3栋", "501", "王芳"], ["新网格", "4栋", "1", "赵明"]]


class Days:
    """An office whose days go on."""

    actor: Actor
    """Who arranges the town's grids."""

    def __init__(self, url: str) -> None:
        self.now = START
        self.database = open_database(url)
        self.office = Registry(Desk(self.database, book_of("default"), lambda: self.now))

    def grid(self, name: str) -> int:
        with self.office.desk.session() as session:
            found = session.execute(select(col(Grid.id)).where(col(Grid.name) == name)).scalar_one()
        assert found is not None
        return int(found)

    def leader(self) -> Actor:
        """Somebody who may arrange the grids of the town, and is there before anything else."""
        with self.office.desk.session() as session:
            town = session.execute(select(Grid).where(col(Grid.name) == "桂花镇")).scalar_one()
            person = Person(name="周敏")
            session.add(person)
            session.flush()
            assert person.id is not None
            assert town.id is not None
            session.add(Post(person_id=person.id, role="town_keeper", grid_id=town.id, since=START))
        held = (Held("town_keeper", town.id, town.path),)
        return actor_from(self.office.desk.book, person.id, "周敏", held)

    def later(self, command: Command) -> None:
        """A day later the leader gives a command."""
        self.now += timedelta(days=1)
        outcome = self.office.gives(command, self.actor)
        assert isinstance(outcome, Done), outcome

    def undone(self, number: int = 2) -> str:
        """What is in the way of undoing an import; empty where it was undone."""
        outcome = self.office.takes_back(number)
        return str(outcome.args_["what"]) if isinstance(outcome, Refusal) else ""


@pytest.fixture
def days(migrated_url: str) -> Iterator[Days]:
    """An office with an old grid, into which a new one was brought."""
    found = Days(migrated_url)
    found.office.brings(TOP)
    found.actor = found.leader()
    found.office.brings(NEW, HOMES)
    yield found
    found.database.close()


CHANGES: dict[str, Callable[[Days], Command]] = {
    "split": lambda days: SplitGrid(grid=days.grid("新网格"), parts="东片（3栋）、西片", sure=True),
    "merge": lambda days: MergeGrids(grid=days.grid("新网格"), into=days.grid("老网格"), sure=True),
    "rename": lambda days: RenameGrid(grid=days.grid("新网格"), called="桂苑网格"),
    "move": lambda days: MoveGrid(grid=days.grid("新网格"), to=days.grid("清溪社区"), sure=True),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_grid_that_became_something_else_is_not_undone(days: Days, change: str) -> None:
    days.later(CHANGES[change](days))
    before = days.office.rows()

    assert "网格 1 条" in days.undone()
    assert days.office.rows() == before


@pytest.mark.parametrize("change", ["split", "merge"])
def test_homes_that_lie_elsewhere_now_are_not_undone(days: Days, change: str) -> None:
    days.office.brings([HOMES[0], ["新网格", "3栋", "502", "李四"]])
    days.later(CHANGES[change](days))

    assert days.undone(3) == "住户 1 条"
    assert days.office.count(Household) == 3


def test_a_name_that_was_given_back_keeps_nothing(days: Days) -> None:
    days.later(CHANGES["rename"](days))
    days.later(RenameGrid(grid=days.grid("桂苑网格"), called="新网格"))

    assert days.undone() == ""


def test_what_was_done_to_other_grids_keeps_nothing(days: Days) -> None:
    days.later(RenameGrid(grid=days.grid("老网格"), called="旧网格"))
    days.later(SplitGrid(grid=days.grid("旧网格"), parts="甲片、乙片", sure=True))

    assert days.undone() == ""
