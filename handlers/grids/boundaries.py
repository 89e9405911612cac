"""Boundaries: the outlines of grids, as GeoJSON has them, and the grid in which a point lies.

shapely does the geometry, and is loaded only once there is an outline to look at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians
from typing import Any

from sqlalchemy import Table, delete, insert, select
from sqlmodel import Session

from handlers.tree import METRES_PER_DEGREE, Node
from handlers.work import Reading
from models import GridBoundary

BOUNDARIES: Table = GridBoundary.__table__  # type: ignore[attr-defined]
SHAPES = ("Polygon", "MultiPolygon")
_BIG = 0.5
"""Share of the smaller of two outlines that lie over each other from which on it is told."""


@dataclass(frozen=True)
class Outline:
    """A sound outline, and the box around it."""

    shape: dict[str, Any]
    south: float
    north: float
    west: float
    east: float
    mended: bool = False
    """It crossed itself, and was put right."""


def outline(geometry: object) -> Outline | None:
    """Check an outline and mend it where it crosses itself; None where it encloses nothing on the globe."""
    from shapely import make_valid
    from shapely.errors import ShapelyError
    from shapely.geometry import mapping, shape

    if not isinstance(geometry, dict) or geometry.get("type") not in SHAPES:
        return None
    try:
        found = shape(geometry)
        mended = not found.is_valid
        area = _area_of(make_valid(found, method="structure", keep_collapsed=False) if mended else found)
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    if area is None or area.is_empty:
        return None
    west, south, east, north = area.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return None
    return Outline(_plain(mapping(area)), south, north, west, east, mended)


def _area_of(found: Any) -> Any:
    """What of a geometry encloses something: mending may leave lines and points beside it."""
    from shapely import get_parts, union_all

    parts = [part for part in get_parts(found) if part.geom_type in SHAPES]
    return union_all(parts) if len(parts) > 1 else parts[0] if parts else None


def _plain(found: Any) -> Any:
    """Tuples as JSON has them."""
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    return [_plain(value) for value in found] if isinstance(found, list | tuple) else found


def draw(session: Session, grid: int, found: Outline) -> None:
    """Keep the outline of a grid in place of the one it had."""
    session.execute(delete(BOUNDARIES).where(BOUNDARIES.c.grid_id == grid))
    box = {name: getattr(found, name) for name in ("shape", "south", "north", "west", "east")}
    session.execute(insert(BOUNDARIES).values(grid_id=grid, **box))


def drawn(session: Session) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every grid that has an outline, with it."""
    query = select(BOUNDARIES.c.grid_id, BOUNDARIES.c.shape).order_by(BOUNDARIES.c.grid_id)
    yield from ((row.grid_id, row.shape) for row in session.execute(query))


def join_boundaries(session: Session, grid: int, into: int) -> None:
    """Of two grids that become one the outlines do as well; one alone would not be the whole."""
    known = dict(drawn_of(session, (grid, into)))
    if into not in known:
        return
    if grid not in known:
        session.execute(delete(BOUNDARIES).where(BOUNDARIES.c.grid_id == into))
        return
    from shapely import union_all
    from shapely.geometry import mapping, shape

    both = outline(mapping(union_all([shape(known[grid]), shape(known[into])])))
    if both is not None:
        draw(session, into, both)


def drawn_of(session: Session, grids: tuple[int, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Outlines of these grids."""
    query = select(BOUNDARIES.c.grid_id, BOUNDARIES.c.shape).where(BOUNDARIES.c.grid_id.in_(grids))
    yield from ((row.grid_id, row.shape) for row in session.execute(query))


def grid_at(reading: Reading, lat: float, lon: float) -> Node | None:
    """The lowest grid whose outline holds a point, else the one with the nearest centre; None: far away.

    Of the latter only those that have no outline come into question: the others do not hold the point.

    Args:
        reading: tells which grids there are today.
        lat: WGS-84 degrees north.
        lon: WGS-84 degrees east.
    """
    enclosing = _enclosing(reading, lat, lon)
    if enclosing is not None:
        return enclosing
    outlined = set(reading.session.execute(select(BOUNDARIES.c.grid_id)).scalars())
    return reading.tree.nearest(lat, lon, besides=outlined)


def _enclosing(reading: Reading, lat: float, lon: float) -> Node | None:
    box = BOUNDARIES.c
    query = select(box.grid_id, box.shape).where(
        box.south <= lat, box.north >= lat, box.west <= lon, box.east >= lon
    )
    nodes = reading.tree.nodes
    near = [(nodes[row.grid_id], row.shape) for row in reading.session.execute(query) if row.grid_id in nodes]
    if not near:
        return None
    from shapely import Point
    from shapely.geometry import shape

    point = Point(lon, lat)
    held = [(node, found) for node, raw in near if (found := shape(raw)).covers(point)]
    best = min(held, key=lambda pair: (-pair[0].path.count("/"), pair[1].area, pair[0].id), default=None)
    return best[0] if best else None


# ---- measuring ---------------------------------------------------------------------------------------------


def areas(session: Session) -> dict[int, float]:
    """Square kilometres of every grid that has an outline, good to a per cent within a county."""
    return {grid: _square_kilometres(raw) for grid, raw in drawn(session)}


def _square_kilometres(raw: dict[str, Any]) -> float:
    from shapely.geometry import shape

    found = shape(raw)
    _, south, _, north = found.bounds
    per_degree = METRES_PER_DEGREE / 1000
    return float(found.area) * per_degree**2 * cos(radians((south + north) / 2))


def overlaps(reading: Reading) -> list[tuple[int, int]]:
    """Pairs of grids beside each other whose outlines lie over each other by more than half of one."""
    known = {grid: raw for grid, raw in drawn(reading.session) if grid in reading.tree.nodes}
    if len(known) < 2:
        return []
    from shapely import STRtree
    from shapely.geometry import shape

    grids = list(known)
    shapes = [shape(known[grid]) for grid in grids]
    pairs = STRtree(shapes).query(shapes, predicate="intersects").T.tolist()
    nodes = reading.tree.nodes
    return sorted(
        (grids[one], grids[other])
        for one, other in pairs
        if one < other
        and nodes[grids[one]].parent_id == nodes[grids[other]].parent_id
        and shapes[one].intersection(shapes[other]).area > _BIG * min(shapes[one].area, shapes[other].area)
    )
