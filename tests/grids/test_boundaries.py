"""Outlines: which grid a point lies in, what of a file can be used, and that it comes out as it went in."""

from typing import Any

import pytest

from handlers.actor import Actor
from handlers.command import Done
from handlers.grids.arranging import console
from handlers.grids.boundaries import areas, grid_at, outline, overlaps
from handlers.mapping import DrawGrids, features, read_features
from handlers.refusal import Refusal
from handlers.regridding import MergeGrids
from handlers.work import Reading
from tests.grids.test_regridding import grid
from tests.handlers.office import Office

BOX = [[112.0, 30.0], [112.04, 30.0], [112.04, 30.04], [112.0, 30.04], [112.0, 30.0]]
HOLE = [[112.01, 30.01], [112.01, 30.02], [112.02, 30.02], [112.02, 30.01], [112.01, 30.01]]
EAST = [[112.02, 30.0], [112.04, 30.0], [112.04, 30.04], [112.02, 30.04], [112.02, 30.0]]
WEST = [[112.0, 30.0], [112.02, 30.0], [112.02, 30.04], [112.0, 30.04], [112.0, 30.0]]
BOW = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


def feature(said: dict[str, Any], *rings: list[list[float]]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": said,
        "geometry": {"type": "Polygon", "coordinates": list(rings)},
    }


def draws(desk: Office, *found: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Whoever runs the program brings in outlines."""
    actor = console(desk.world.desk.tree(desk.world.session))
    outcome = desk.world.do(actor, DrawGrids(features=list(found), **more), chat=False).outcome
    assert isinstance(outcome, Done), outcome
    return outcome.data


def reading(desk: Office, actor: Actor | None = None) -> Reading:
    tree = desk.world.desk.tree(desk.world.session)
    return Reading(desk.world.session, desk.world.now, desk.world.book, tree, actor or console(tree))


def found_at(desk: Office, lat: float, lon: float) -> str | None:
    node = grid_at(reading(desk), lat, lon)
    return node.name if node is not None else None


def test_the_lowest_grid_that_holds_the_point_is_meant(desk: Office) -> None:
    said = draws(desk, feature({"名称": "幸福社区"}, BOX, HOLE), feature({"网格名称": "第一网格"}, WEST))

    assert (said["drawn"], said["wrong"]) == (2, [])
    assert found_at(desk, 30.03, 112.03) == "幸福社区"
    assert found_at(desk, 30.03, 112.005) == "第一网格"
    assert found_at(desk, 30.015, 112.015) == "第一网格"  # the hole is the community's alone


def test_a_hole_is_not_inside_and_several_pieces_are(desk: Office) -> None:
    pieces = {"type": "MultiPolygon", "coordinates": [[WEST, HOLE], [[[p[0] + 1, p[1]] for p in WEST]]]}
    draws(desk, {"type": "Feature", "properties": {"name": "第二网格"}, "geometry": pieces})

    assert found_at(desk, 30.03, 112.005) == "第二网格"
    assert found_at(desk, 30.03, 113.005) == "第二网格"
    assert found_at(desk, 30.015, 112.015) != "第二网格"
    assert found_at(desk, 40.0, 100.0) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"name": "没有这格"}, "网格“没有这格”找不到"),
        ({"name": "1栋"}, "“1栋”有 2 个，请写编码"),
        ({}, "网格“”找不到"),
    ],
)
def test_a_feature_that_means_no_grid_is_told(said: dict[str, Any], reason: str, desk: Office) -> None:
    assert [wrong["reason"] for wrong in draws(desk, feature(said, BOX))["wrong"]] == [reason]


def test_an_outline_is_checked_and_mended() -> None:
    bow = outline({"type": "Polygon", "coordinates": [BOW]})

    assert bow is not None
    assert bow.mended
    assert bow.shape["type"] == "MultiPolygon"
    for wrong in (
        None,
        {"type": "Point", "coordinates": [1, 1]},
        {"type": "Polygon", "coordinates": []},
        {
            "type": "Polygon",
            "coordinates": [[[500000.0, 3300000.0], [500001.0, 3300000.0], [500001.0, 3300001.0]]],
        },
        {"type": "Polygon", "coordinates": [[[1, 1], [1, 1], [1, 1], [1, 1]]]},
        {"type": "Polygon", "coordinates": "no"},
        {"type": "Polygon", "coordinates": [[[1, None], [2, 2], [3, 1], [1, None]]]},
    ):
        assert outline(wrong) is None, wrong


def test_what_goes_out_comes_in_again(desk: Office) -> None:
    draws(desk, feature({"name": "幸福社区"}, BOX, HOLE), feature({"name": "第一网格"}, WEST))
    first = list(features(reading(desk)))
    again = draws(desk, *first)

    assert (again["drawn"], again["wrong"], again["mended"]) == (2, [], [])
    assert list(features(reading(desk))) == first
    assert list(features(reading(desk, desk.who("worker")))) == []


def test_a_dry_run_draws_nothing_and_a_grid_has_one_outline(desk: Office) -> None:
    assert draws(desk, feature({"name": "第一网格"}, WEST), dry_run=True)["drawn"] == 1
    assert areas(desk.world.session) == {}
    twice = draws(desk, feature({"name": "第一网格"}, WEST), feature({"name": "第一网格"}, EAST))
    assert [wrong["reason"] for wrong in twice["wrong"]] == ["同一个网格前面已有边界"]


def test_neighbours_that_lie_over_each_other_are_seen_and_areas_measured(desk: Office) -> None:
    draws(desk, feature({"name": "第一网格"}, WEST), feature({"name": "第二网格"}, BOX))
    first, second = grid(desk, "第一网格"), grid(desk, "第二网格")

    assert overlaps(reading(desk)) == [(first, second)]
    assert areas(desk.world.session)[first] == pytest.approx(1.93 * 4.45, rel=0.01)


def test_two_outlines_become_one_with_their_grids(desk: Office) -> None:
    draws(desk, feature({"name": "第一网格"}, WEST), feature({"name": "第二网格"}, EAST))
    first, second = grid(desk, "第一网格"), grid(desk, "第二网格")
    desk.does("town", MergeGrids(grid=second, into=first, sure=True))

    assert found_at(desk, 30.03, 112.03) == "第一网格"
    assert areas(desk.world.session)[first] == pytest.approx(2 * 1.93 * 4.45, rel=0.01)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"features": 3}', b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_geojson_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as no:
        read_features("边界.geojson", data)

    assert no.value.text == "map.not_one"
