"""The five places at full size come in by the import, and the check tells of each what its article tells."""

import os

import pytest

from handlers.actor import CLOCK
from handlers.grids.arranging import console
from handlers.grids.checking import Result, check
from handlers.grids.tallies import Sum, by_town, sums
from tests.grids.seeds import SEEDS, sheets
from tests.registry.office import Registry, registry

LONG = bool(os.environ.get("XIAOGE_LONG"))
LEVELS = {
    "minhou": {"township": 16, "village": 337, "district": 349, "section": 1_758, "team": 12_165},
    "yinzhou": {"town": 25, "community": 407, "grid": 2_039, "micro": 8_611},
    "shexian": {"town": 29, "community": 195, "grid": 77, "building": 1_200},
    "qingcao": {"town": 1, "first": 22, "second": 50, "third": 165},
    "yulin": {"town": 110, "community": 1_508},
}
"""Level -> how many, as the articles and the official codes tell."""
HOMES = SEEDS if LONG else ("qingcao",)
"""Places whose households come in as well; of all, when there is time."""
VACANT = {
    "minhou": 1 + 16 + 337 + 349 + 1_758 + 12_165,
    "yinzhou": 1 + 25 + 407 + 2_039 + 8_611,
    "yulin": 1 + 110 + 1_508,
    "shexian": 1 + 29 + 195,
    "qingcao": 1 + 1 + 22 + 50,
}
"""Grids that should have a keeper and have none, for the lists name only whom the articles count."""
SIZES = {
    "minhou": {"片至多10个队": (1_758, 0, 0)},
    "yinzhou": {"基础网格300-500户": (0, 0, 2_039), "微网格50-80户": (0, 0, 8_611)},
    "shexian": {"基础网格300-500户": (0, 0, 77)},
    "qingcao": {"基础网格300-500户": (0, 165, 0)},
    "yulin": {},
}
"""Rule -> how many fit, do not fit, and have no data, without households but in 青草."""
LIVED_IN = {
    "minhou": {"队至多10户": (12_165, 0, 0), "片至多10个队": (1_758, 0, 0)},
    "yinzhou": {"微网格50-80户": (8_611, 0, 0)},
    "shexian": {},
    "qingcao": SIZES["qingcao"],
    "yulin": {},
}
"""The same once every household is in."""


@pytest.mark.parametrize("place", SEEDS)
def test_a_place_comes_in_whole(place: str, sqlite_url: str) -> None:
    with registry(sqlite_url, place) as office:
        grids, people, homes = sheets(SEEDS[place])
        with_homes = homes if place in HOMES else homes[:1]
        report = office.brings(grids, people, *([with_homes] if len(with_homes) > 1 else []))
        total, towns, results = looked_at(office)

    assert report["counts"]["wrong"] == 0
    assert {level: total.kinds[level] for level in LEVELS[place]} == LEVELS[place]
    assert sum(town.kinds["base"] for town in towns.values()) == total.kinds["base"]
    assert total.households == len(with_homes) - 1
    assert total.residents == 3 * total.households
    assert sum(town.residents for town in towns.values()) == total.residents
    assert len(results["有负责人"].misfits) == VACANT[place]
    assert place == "yulin" or not results["编码为村码加顺序号"].misfits
    for rule, wanted in (LIVED_IN if LONG else SIZES)[place].items():
        assert (results[rule].fits, len(results[rule].misfits), results[rule].unknown) == wanted, rule


def looked_at(office: Registry) -> tuple[Sum, dict[int, Sum], dict[str, Result]]:
    with office.desk.reading(CLOCK) as reading:
        reading.actor = console(reading.tree)
        results = {result.rule: result for result in check(reading)}
        return sums(reading)[reading.tree.root.id], by_town(reading), results
