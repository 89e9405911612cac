"""Where a point really is: China's maps show GCJ-02, a datum shifted by law, and phones measure WGS-84."""

import math
from typing import Final

AXIS: Final = 6378245.0
"""Metres; the ellipsoid of Krasovsky, on which the shift is defined."""
SQUEEZE: Final = 0.00669342162296594323
"""Its squared eccentricity."""
_ENOUGH: Final = 1e-9
"""Degrees at which the way back has arrived: a tenth of a millimetre."""

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


def to_gcj02(lat: float, lon: float) -> Point:
    """The point as China's maps show it. Outside China nothing is shifted."""
    if not _in_china(lat, lon):
        return lat, lon
    north, east = _shift(lat, lon)
    return lat + north, lon + east


def to_wgs84(lat: float, lon: float) -> Point:
    """The point that China's maps show there (channels.md 2.6); the shift has no inverse, so it is sought.

    Args:
        lat: GCJ-02 degrees, as WeCom and WeChat send a location message.
        lon: the same.
    """
    if not _in_china(lat, lon):
        return lat, lon
    north, east = _shift(lat, lon)
    for _ in range(20):
        found = _shift(lat - north, lon - east)
        near = abs(found[0] - north) < _ENOUGH and abs(found[1] - east) < _ENOUGH
        north, east = found
        if near:
            break
    return lat - north, lon - east


def _in_china(lat: float, lon: float) -> bool:
    """The box within which maps are shifted; it is wider than the country."""
    return 0.8293 < lat < 55.8271 and 72.004 < lon < 137.8347


def _shift(lat: float, lon: float) -> Point:
    """How far north and east a point is moved, in degrees: some hundred metres, another way at each place."""
    x, y = lon - 105.0, lat - 35.0
    waves = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + waves
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + waves
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    turn = lat / 180.0 * math.pi
    bend = 1 - SQUEEZE * math.sin(turn) ** 2
    meridian = AXIS * (1 - SQUEEZE) / (bend * math.sqrt(bend))
    parallel = AXIS / math.sqrt(bend) * math.cos(turn)
    return north * 180.0 / (meridian * math.pi), east * 180.0 / (parallel * math.pi)
