"""Grids of one name that only a number tells apart, from the post to the report."""

from collections.abc import Iterator

import pytest

from handlers.command import Done
from handlers.regridding import RenameGrid
from tests.town import Town, founded


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        for old, new in (("第一网格", "榕桥一队"), ("第二网格", "榕桥二队")):
            renamed = found.do(RenameGrid(grid=found.grid(old), called=new), "county")
            assert isinstance(renamed, Done)
        yield found


@pytest.mark.parametrize("number", ["二", "2", "贰"])
def test_a_post_is_given_in_the_grid_of_that_number(town: Town, number: str) -> None:
    told = town.say("community", f"任命 王小川 榕桥{number}队 网格员")[-1]

    assert "请说清是哪个网格" not in told
    assert "榕桥二队" in told
    assert "榕桥一队" not in told


def test_a_report_goes_to_the_grid_of_that_number(town: Town) -> None:
    town.say("resident", "榕桥二队门口垃圾没人清")

    assert town.latest().grid_id == town.grid("榕桥二队")
