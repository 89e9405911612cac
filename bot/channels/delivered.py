"""Fields of a message as Tencent's platforms deliver it: what must be there, and where somebody is."""

import math
from datetime import UTC, datetime
from typing import Any

from bot.channels.datum import to_wgs84
from bot.message import Place


def text_of(data: dict[str, Any], name: str) -> str:
    """A field's text; empty where it is missing or something else."""
    value = data.get(name)
    return value if isinstance(value, str) else ""


def must(data: dict[str, Any], name: str) -> str:
    """A field's text. Raises KeyError or TypeError where there is none."""
    value = data[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"no {name}")
    return value


def place_at(lat: float, lon: float, words: str = "") -> Place:
    """Where a map shows somebody: a location message is GCJ-02 (channels.md 2.6).

    Raises ValueError for what is no place on earth.
    """
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        raise ValueError("no place on earth")
    there = to_wgs84(lat, lon)
    return Place(lat=round(there[0], 7), lon=round(there[1], 7), words=words)


def moment_of(seconds: str | int) -> datetime:
    """A moment told in seconds since 1970. Raises ValueError or OverflowError."""
    return datetime.fromtimestamp(int(seconds), UTC)
