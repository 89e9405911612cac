"""Doors that nobody has entered yet: in which grid they lie, and how lists write them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from handbook.doors import door_words, lead_off
from handlers.refusal import NotAllowed, Refusal
from handlers.residents.scope import HOMES, RECORD, Door, area_of, may_at, names_above
from handlers.work import Work
from handlers.writing import insert_new


def grid_for(work: Work, words: str, do: str, known: Mapping[str, Any]) -> int:
    """Where a new door lies: the place that the words name, else the only grid of the worker.

    Raises Refusal with numbered grids, each of which gives the command `do` again, where several could be.
    """
    tree = work.tree
    own = tuple(post.path for post in work.actor.posts if post.unit_id is None)
    guess = tree.places.find(words, within=own)
    found = [c.id for c in guess.candidates if may_at(work, RECORD, c.id)]
    if guess.sure and guess.best is not None and may_at(work, RECORD, guess.best):
        found = [guess.best]
    areas = list(dict.fromkeys(area_of(work, grid) for grid in found)) or _own_areas(work)
    if len(areas) == 1:
        return areas[0]
    if not areas:
        raise Refusal("household.nobody_there", door=words[:30])
    names = tree.told_apart(areas[:8])
    offered = [
        {"label": name, "do": do, "known": {**known, "grid": grid}}
        for name, grid in zip(names, areas, strict=False)
    ]
    raise Refusal("household.which_grid", choices=offered, door=words[:30])


def _own_areas(work: Work) -> list[int]:
    """The lowest grids that the actor may write in: where doors belong."""
    lowest = [node.id for node in work.tree.nodes.values() if area_of(work, node.id) == node.id]
    return [
        grid
        for grid in lowest
        if may_at(work, RECORD, grid)
        and not any(area_of(work, child) == child for child in work.tree.children.get(grid, ()))
    ]


def planned_door(work: Work, grid_id: int, words: str) -> Door:
    """A door as lists write it, with the id 0 as long as nobody has entered it. Raises NotAllowed."""
    if grid_id not in work.tree.nodes or not may_at(work, RECORD, grid_id):
        raise NotAllowed()
    address, door = _parts(work, grid_id, words)
    same = (HOMES.c.grid_id == grid_id, HOMES.c.address == address, HOMES.c.door == door)
    found = work.session.execute(select(HOMES.c.id).where(*same)).scalar()
    return Door(int(found or 0), grid_id, address, door)


def entered(work: Work, door: Door) -> Door:
    """The door with an id; a planned one is entered, unless somebody else just has."""
    if door.id:
        return door
    row = {"grid_id": door.grid_id, "address": door.address, "door": door.door}
    work.session.execute(insert_new(work.session, HOMES), [row])
    same = (HOMES.c[name] == value for name, value in row.items())
    found = work.session.execute(select(HOMES.c.id).where(*same)).scalar_one()
    return replace(door, id=int(found))


def _parts(work: Work, grid_id: int, words: str) -> tuple[str, str]:
    """3栋2单元501 as lists write it: the address up to the last number, and that number."""
    left = words
    for name in names_above(work, grid_id):
        if not door_words(name).numbers:
            left = left.replace(name, "")
    left = lead_off(left.replace(" ", ""))
    last = door_words(left).numbers[-1:]
    at = left.lower().rfind(last[0]) if last else -1
    return (left[:at], left[at:]) if at > 0 else ("", left)
