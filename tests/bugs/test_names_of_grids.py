"""Names of grids with numbers, marks and line ends; a building of two parts; a group that heard."""

from collections.abc import Iterator

import pytest

from handlers.regridding import MergeGrids, RenameGrid, SplitGrid
from tests.handlers.office import Office
from tests.town import Town, founded

WRONG = ["东片<b>大</b>", "东片13800001111", "东片\n西片", "东\u202e片", "东片110101199003070011", "!!!"]


def grid_of(desk: Office, name: str) -> int:
    return next(node.id for node in desk.world.tree.nodes.values() if node.name == name)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_name_of_a_grid_is_refused(desk: Office, name: str) -> None:
    grid = grid_of(desk, "第一网格")

    assert desk.refused("town", RenameGrid(grid=grid, called=name)) == "grid.wrong_name"
    other = grid_of(desk, "第二网格")
    assert desk.refused("town", MergeGrids(grid=grid, into=other, called=name)) == "grid.wrong_name"


@pytest.mark.parametrize("name", ["东片<b>", "东片13800001111", "东\u202e片"])
def test_no_part_is_called_so_either(desk: Office, name: str) -> None:
    split = SplitGrid(grid=grid_of(desk, "第一网格"), parts=f"{name}、西片")

    assert desk.refused("town", split) == "grid.wrong_name"


@pytest.mark.parametrize("name", ["东片", "第3网格", "东片（一）", "A-2 区", "平安里·东"])
def test_a_name_is_still_a_name(desk: Office, name: str) -> None:
    assert desk.does("town", RenameGrid(grid=grid_of(desk, "第一网格"), called=name)).data["name"] == name


@pytest.mark.parametrize(
    "parts", ["东片（3栋）、西片（3栋）", "东片（1-3栋）、西片（2栋）", "东片（3栋）、西片（3栋、4栋）"]
)
def test_a_building_lies_in_one_part(desk: Office, parts: str) -> None:
    refused = desk.refused("town", SplitGrid(grid=grid_of(desk, "第一网格"), parts=parts))

    assert refused == "split_grid.twice"


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        yield found


@pytest.mark.parametrize(
    "words",
    [
        "第一网格改名为东片",
        "拆分 第一网格 为 东片、西片",
        "第一网格和第二网格合并",
        "网格改名 第一网格 为 东片",
    ],
)
def test_in_a_group_one_is_asked_to_do_it_in_private(town: Town, words: str) -> None:
    before = town.count()
    town.send(town.inbound("town", words, chat="楼友群", group=True))

    told = [part for message in town.channel.sent["楼友群", town.name("town")] for part in message.parts]
    assert town.count() == before
    assert any("私聊" in part for part in told)
