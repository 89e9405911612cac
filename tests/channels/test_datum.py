"""Points are moved as China's maps move them, and back to where they were."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.datum import to_gcj02, to_wgs84

inside = st.tuples(st.floats(18.2, 53.5), st.floats(73.6, 134.9))
anywhere = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    north = (one[0] - other[0]) * 111_320
    east = (one[1] - other[1]) * 111_320 * math.cos(math.radians(one[0]))
    return math.hypot(north, east)


@given(point=inside)
def test_the_way_there_and_back_ends_where_it_began(point: tuple[float, float]) -> None:
    assert metres(to_wgs84(*to_gcj02(*point)), point) < 0.01


@given(point=inside)
def test_a_shift_is_felt_and_is_no_journey(point: tuple[float, float]) -> None:
    assert 1 < metres(to_gcj02(*point), point) < 1500


@given(point=anywhere)
def test_any_point_on_earth_stays_one(point: tuple[float, float]) -> None:
    for lat, lon in (to_gcj02(*point), to_wgs84(*point)):
        assert math.isfinite(lat)
        assert math.isfinite(lon)
        assert metres((lat, lon), point) < 3000


@pytest.mark.parametrize("point", [(0.0, 0.0), (51.5, -0.1), (35.7, 139.7), (-33.9, 151.2)])
def test_outside_china_nothing_is_moved(point: tuple[float, float]) -> None:
    assert to_gcj02(*point) == point
    assert to_wgs84(*point) == point


def test_a_known_point_is_where_other_tools_put_it() -> None:
    """The pair stands in the README of the coordtransform library: Beijing, WGS-84 and GCJ-02."""
    assert metres(to_gcj02(39.915, 116.404), (39.91640428150164, 116.41024449916938)) < 0.1
