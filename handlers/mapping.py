"""Mapping: the outlines of grids come in from a GeoJSON file, and go out as one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from handlers.audit import note
from handlers.command import Command, Done, handles
from handlers.grids.arranging import ARRANGE
from handlers.grids.boundaries import Outline, draw, drawn, outline
from handlers.refusal import Refusal
from handlers.registry.values import folded, text
from handlers.work import Reading, Work
from models import Deed, Subject

LARGEST = 50 * 1024 * 1024
MOST = 50_000
"""Outlines in one file."""


class DrawGrids(Command):
    """Bring in the outlines of grids: a GeoJSON file whose features say the code or the name of a grid."""

    name: ClassVar[str] = "draw_grids"
    may: ClassVar[str | None] = ARRANGE
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    features: list[Any] = Field(max_length=MOST)
    dry_run: bool = False


def read_features(name: str, data: bytes) -> list[Any]:
    """Read the features of a GeoJSON file. Raises Refusal for what is none."""
    if len(data) > LARGEST:
        raise Refusal("sheet.too_large", name=name, most=LARGEST // 1024 // 1024)
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refusal("map.not_one", name=name) from None
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or len(features) > MOST:
        raise Refusal("map.not_one", name=name)
    return features


@handles(DrawGrids)
def draw_grids(work: Work, command: DrawGrids) -> Done:
    """Each feature that means one grid and encloses something is kept; of the others it is told why not."""
    found: dict[int, Outline] = {}
    wrong: list[dict[str, Any]] = []
    names = _names(work)
    for number, feature in enumerate(command.features, start=1):
        said, grids = _meant(work, names, feature)
        area = outline(feature.get("geometry")) if isinstance(feature, dict) else None
        reason = _reason(work, said, grids, area, found)
        if reason:
            wrong.append({"feature": number, "name": said, "reason": reason})
        elif area is not None:
            found[grids[0]] = area
    if not command.dry_run and found:
        for grid, area in found.items():
            draw(work.session, grid, area)
        note(work, Deed.DRAW, Subject.GRID)
    mended = [work.tree.named(grid) for grid, area in found.items() if area.mended]
    return Done({"drawn": len(found), "mended": mended, "wrong": wrong})


def _reason(
    work: Work, said: str, grids: list[int], area: Outline | None, found: Mapping[int, Outline]
) -> str:
    if not grids:
        return work.word("map.no_grid", name=said)
    if len(grids) > 1:
        return work.word("map.many_grids", name=said, count=len(grids))
    if area is None:
        return work.word("map.no_outline")
    return work.word("map.twice") if grids[0] in found else ""


def _names(work: Work) -> dict[str, list[int]]:
    """Code, name and path of each grid in the actor's area -> the grids that are called so."""
    found: dict[str, list[int]] = {}
    for node in work.tree.nodes.values():
        if not work.actor.may_on(ARRANGE, node.path):
            continue
        line = [folded(upper.name) for upper in work.tree.upward(node.id)]
        ways = {"/".join(reversed(line[:count])) for count in range(1, len(line) + 1)}
        for word in {node.code, *ways, *map(folded, node.aliases)}:
            found.setdefault(word, []).append(node.id)
    return found


def _meant(work: Work, names: Mapping[str, list[int]], feature: object) -> tuple[str, list[int]]:
    """What a feature says of its grid, and the grids that could be meant: the code before the name."""
    told = feature.get("properties") if isinstance(feature, dict) else None
    properties = {folded(str(key)): value for key, value in told.items()} if isinstance(told, dict) else {}
    said = ""
    for column in ("code", "name"):
        for heading in work.book.registry.sheets["grids"].columns[column]:
            value = properties.get(folded(heading), properties.get(column))
            said = text(str(value))[:60] if value not in (None, "") else ""
            if said:
                found = names.get(said) or names.get(folded(said)) or []
                if found or column == "name":
                    return said, found
    return said, []


def features(reading: Reading) -> Iterator[dict[str, Any]]:
    """Every outline of the reader's area, as a feature that can be brought in again."""
    for grid, shape in drawn(reading.session):
        node = reading.tree.nodes.get(grid)
        if node is not None and reading.actor.may_on(ARRANGE, node.path):
            said = {"code": node.code, "name": node.name, "place": reading.tree.named(grid)}
            yield {"type": "Feature", "properties": said, "geometry": shape}
