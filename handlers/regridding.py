"""Regridding: grids are split, merged, renamed and moved; what they were stays what it was."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import Table, select, update

from handlers.cases import make, role_and_name
from handlers.command import Ask, Command, Done, handles
from handlers.grids.arranging import (
    ARRANGE,
    LONGEST,
    arranged,
    close,
    concerned,
    give_names,
    hold_tree,
    must_be_free,
    must_be_name,
    must_be_sure,
    new_grids,
    reached,
    read_anew,
    rehang,
    tell_of,
)
from handlers.grids.boundaries import join_boundaries
from handlers.grids.dividing import Slice, deal_out, move_homes, move_rest, open_cases, rest_of, slices
from handlers.grids.reposting import bring_into_line, cases_below, cases_by_path, posts_on, repost
from handlers.grids.tallies import homes_below
from handlers.refusal import Refusal
from handlers.registry.values import folded
from handlers.tree import Node
from handlers.work import Work
from models import Deed, Household, Incident, Move, path_range

_HOMES: Table = Household.__table__  # type: ignore[attr-defined]

Which = Annotated[int, Ask("grid")]
Name = Annotated[str, Ask("text"), Field(min_length=1, max_length=LONGEST)]
Sure = Annotated[bool, Ask("quiet")]
"""Without it one is told what would happen."""


class SplitGrid(Command):
    """Cut a grid into parts, with the buildings of each; the grid itself ends."""

    name: ClassVar[str] = "split_grid"
    hides: ClassVar[bool] = True
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = ARRANGE
    grid: Which
    parts: Annotated[str, Ask("text"), Field(min_length=1, max_length=2000)]
    """东片（1栋、2栋）、西片: what is not named goes to the first part without buildings."""
    sure: Sure = False


class MergeGrids(Command):
    """Put a grid into another one, which goes on; the first one ends."""

    name: ClassVar[str] = "merge_grids"
    hides: ClassVar[bool] = True
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = ARRANGE
    grid: Which
    into: Which
    called: Annotated[str, Ask("quiet"), Field(max_length=LONGEST)] = ""
    """What both are called from now on; empty: as the one that goes on."""
    sure: Sure = False


class RenameGrid(Command):
    """Call a grid by another name; the old one is still understood."""

    name: ClassVar[str] = "rename_grid"
    hides: ClassVar[bool] = True
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = ARRANGE
    grid: Which
    called: Name


class MoveGrid(Command):
    """Put a grid, with everything in it, under another one."""

    name: ClassVar[str] = "move_grid"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = ARRANGE
    grid: Which
    to: Which
    sure: Sure = False


# ---- splitting ---------------------------------------------------------------------------------------------


@handles(SplitGrid)
def split_grid(work: Work, command: SplitGrid) -> Done:
    """Households, buildings, cases and posts go to the parts; what has ended stays with the grid."""
    parts = slices(command.parts)
    hold_tree(work)
    grid = arranged(work, command.grid)
    assert grid.parent_id is not None
    for part in parts:
        must_be_name(part.name)
        must_be_free(work, grid.parent_id, part.name, besides=[grid.id])
    deal_out(work, grid, parts, lock=command.sure)
    name = work.tree.named(grid.id)
    if not command.sure:
        known = {"grid": grid.id, "parts": command.parts}
        must_be_sure(work, "split_grid", _split_plan(work, grid, parts), known)
    people = concerned(work, grid.id)
    _cut(work, grid, parts)
    what = work.word("split_grid.what", name=name, parts=_named(parts))
    tell_of(work, Deed.SPLIT, grid.id, what, [*people, *concerned(work, *(part.id for part in parts))])
    return Done({"grid": grid.id, "parts": {part.name: part.id for part in parts}})


def _split_plan(work: Work, grid: Node, parts: Sequence[Slice]) -> str:
    held = _held_by(work, grid)
    homes, cases = homes_below(work.session, grid.path), cases_by_path(work, grid.path)
    each = "\n".join(
        work.word(
            "split_grid.part",
            name=part.name,
            children=len(part.children),
            homes=len(part.homes) + _within(homes, part.children),
            cases=len(part.cases) + _within(cases, part.children),
        )
        for part in parts
    )
    return work.word(
        "split_grid.plan",
        name=work.tree.named(grid.id),
        count=len(parts),
        parts=each,
        rest=rest_of(parts).name,
        posts=work.word("split_grid.held", people=held) if held else work.word("split_grid.nobody"),
    )


def _held_by(work: Work, grid: Node) -> str:
    """Who stands on a grid by themselves; a unit's people go where the unit goes."""
    people = dict.fromkeys(post.person_id for post in posts_on(work, grid.id) if post.unit_id is None)
    return "、".join(role_and_name(work, person) for person in people)


def _within(counts: Mapping[str, int], children: Sequence[Node]) -> int:
    """What was counted in the subtrees of children, by the numbers in the paths."""
    numbers = {str(child.id) for child in children}
    return sum(count for path, count in counts.items() if not numbers.isdisjoint(path.split("/")))


def _named(parts: Sequence[Slice]) -> str:
    return "、".join(part.name for part in parts)


def _cut(work: Work, grid: Node, parts: Sequence[Slice]) -> None:
    parent = work.tree.nodes[grid.parent_id or 0]
    ids = new_grids(work, grid, parent, [part.name for part in parts])
    work.session.flush()
    for part, number in zip(parts, ids, strict=True):
        part.id = number
        _fill(work, grid, parent, part)
    keeps = [part for part in parts if folded(part.name) == folded(grid.name)]
    for part in keeps or parts:
        give_names(work, part.id, part.name, also=[grid.name, *grid.aliases])
    rest = rest_of(parts)
    move_rest(work, grid.id, rest.id, grid.parent_id)
    repost(work, grid.id, ids, rest.id)
    close(work, grid, None)
    read_anew(work, [grid.id, *ids])


def _fill(work: Work, grid: Node, parent: Node, part: Slice) -> None:
    move_homes(work, part.homes, part.id)
    for child in part.children:
        _rehang_below(work, child, part.id, f"{parent.path}{part.id}/")
    _move_cases(work, grid.id, part.cases, part.id)


def _rehang_below(work: Work, child: Node, parent_id: int, path: str) -> None:
    rehang(work, child, Node(parent_id, None, "", "", child.kind, path, (), None, None))


def _move_cases(work: Work, grid: int, cases: Sequence[Incident], to: int) -> None:
    """An open case goes where its place goes; figures of the past count it where it was opened."""
    for case in cases:
        case.grid_id = to
        make(work, case, Move.NOTE, field="grid", was=str(grid))


# ---- merging -----------------------------------------------------------------------------------------------


@handles(MergeGrids)
def merge_grids(work: Work, command: MergeGrids) -> Done:
    """The grid that goes on takes everything; of two alike below both one gets the old grid's name before."""
    hold_tree(work)
    grid, into = arranged(work, command.grid), arranged(work, command.into)
    assert into.parent_id is not None
    called = command.called or into.name
    if command.called:
        must_be_name(command.called)
    _must_fit_together(work, grid, into)
    must_be_free(work, into.parent_id, called, besides=[grid.id, into.id])
    names = {"name": work.tree.named(grid.id), "into": work.tree.named(into.id), "called": called}
    if not command.sure:
        known: dict[str, Any] = {"grid": grid.id, "into": into.id, "called": command.called}
        must_be_sure(work, "merge_grids", _merge_plan(work, grid, names), known)
    people = concerned(work, grid.id, into.id)
    _join(work, grid, into, called)
    what = work.word("merge_grids.what", **names)
    tell_of(work, Deed.MERGE, grid.id, what, [*people, *concerned(work, into.id)])
    return Done({"grid": grid.id, "into": into.id})


def _must_fit_together(work: Work, grid: Node, into: Node) -> None:
    if grid.id == into.id:
        raise Refusal("merge_grids.same", name=grid.name)
    if grid.level != into.level:
        level = work.book.level
        raise Refusal("merge_grids.levels", one=level(grid.level).name, other=level(into.level).name)


def _merge_plan(work: Work, grid: Node, names: dict[str, str]) -> str:
    return work.word(
        "merge_grids.plan",
        homes=sum(homes_below(work.session, grid.path).values()),
        children=len(work.tree.children.get(grid.id, ())),
        cases=sum(cases_by_path(work, grid.path).values()),
        people=_held_by(work, grid) or work.word("grid.nobody"),
        **names,
    )


def _join(work: Work, grid: Node, into: Node, called: str) -> None:
    _move_cases(work, grid.id, open_cases(work, [grid.id]), into.id)
    work.session.flush()
    _tell_homes_apart(work, grid, into)
    homes = select(_HOMES.c.id).where(_HOMES.c.grid_id == grid.id)
    move_homes(work, list(work.session.execute(homes).scalars()), into.id)
    move_rest(work, grid.id, into.id, into.id)
    _take_children(work, grid, into)
    repost(work, grid.id, [into.id], into.id)
    join_boundaries(work.session, grid.id, into.id)
    close(work, grid, into)
    give_names(work, into.id, called, also=[into.name, *into.aliases, grid.name, *grid.aliases])
    left = [node.id for node in work.tree.upward(grid.id)]
    read_anew(work, [grid.id, into.id])
    bring_into_line(work, cases_below(work, work.tree.nodes[into.id]), left)


def _tell_homes_apart(work: Work, grid: Node, into: Node) -> None:
    """1栋101 of both grids are two doors: that of the grid which ends gets its name before."""
    other = _HOMES.alias()
    twice = (
        select(_HOMES.c.id, _HOMES.c.address)
        .join(other, (other.c.address == _HOMES.c.address) & (other.c.door == _HOMES.c.door))
        .where(_HOMES.c.grid_id == grid.id, other.c.grid_id == into.id)
    )
    for home in list(work.session.execute(twice)):
        row = update(_HOMES).where(_HOMES.c.id == home.id)
        work.session.execute(row.values(address=f"{grid.name}{home.address}"))


def _take_children(work: Work, grid: Node, into: Node) -> None:
    taken = {folded(work.tree.nodes[child].name) for child in work.tree.children.get(into.id, ())}
    for child in (work.tree.nodes[number] for number in work.tree.children.get(grid.id, ())):
        rehang(work, child, into)
        if folded(child.name) in taken:
            give_names(work, child.id, f"{grid.name}{child.name}", also=[child.name, *child.aliases])


# ---- renaming ----------------------------------------------------------------------------------------------


@handles(RenameGrid)
def rename_grid(work: Work, command: RenameGrid) -> Done:
    """Nothing but the name changes, and the old one is kept beside it."""
    hold_tree(work)
    grid = arranged(work, command.grid)
    assert grid.parent_id is not None
    if grid.name == command.called:
        raise Refusal("rename_grid.same", name=grid.name)
    must_be_name(command.called)
    must_be_free(work, grid.parent_id, command.called, besides=[grid.id])
    before = work.tree.named(grid.id)
    give_names(work, grid.id, command.called, also=[grid.name, *grid.aliases])
    read_anew(work, [])
    what = work.word("rename_grid.what", name=before, called=command.called)
    tell_of(work, Deed.RENAME, grid.id, what, concerned(work, grid.id))
    return Done({"grid": grid.id, "name": command.called})


# ---- moving ------------------------------------------------------------------------------------------------


@handles(MoveGrid)
def move_grid(work: Work, command: MoveGrid) -> Done:
    """Cases that lay with somebody above the old place go to whoever stands above the new one."""
    hold_tree(work)
    grid, to = arranged(work, command.grid), reached(work, command.to)
    _must_fit_under(work, grid, to)
    must_be_free(work, to.id, grid.name)
    names = {"name": work.tree.named(grid.id), "to": work.tree.named(to.id)}
    if not command.sure:
        must_be_sure(work, "move_grid", _move_plan(work, grid, names), {"grid": grid.id, "to": to.id})
    people = concerned(work, grid.id)
    left = [node.id for node in work.tree.upward(grid.parent_id or 0)]
    rehang(work, grid, to)
    read_anew(work, [])
    bring_into_line(work, cases_below(work, work.tree.nodes[grid.id]), left)
    what = work.word("move_grid.what", **names)
    tell_of(work, Deed.MOVE, grid.id, what, [*people, *concerned(work, grid.id)])
    return Done({"grid": grid.id, "to": to.id})


def _must_fit_under(work: Work, grid: Node, to: Node) -> None:
    low, high = path_range(grid.path)
    if low <= to.path < high:
        raise Refusal("move_grid.circle", name=grid.name, to=to.name)
    if to.id == grid.parent_id:
        raise Refusal("move_grid.same", name=grid.name, to=to.name)
    old = work.tree.nodes[grid.parent_id or 0]
    if to.level != old.level:
        level = work.book.level(old.level).name
        raise Refusal("move_grid.levels", name=grid.name, to=to.name, level=level)


def _move_plan(work: Work, grid: Node, names: dict[str, str]) -> str:
    homes = sum(homes_below(work.session, grid.path).values())
    low, high = path_range(grid.path)
    below = sum(low <= node.path < high for node in work.tree.nodes.values()) - 1
    cases = sum(cases_by_path(work, grid.path).values())
    return work.word("move_grid.plan", below=below, homes=homes, cases=cases, **names)
