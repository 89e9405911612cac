"""Random splits, merges, renames and moves against a simple model: the past stays, and nobody is lost."""

import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from handlers.actor import Actor, Held
from handlers.command import Command, Done
from handlers.funnel import funnel
from handlers.grids.arranging import console
from handlers.grids.spans import SPANS, tree_at
from handlers.refusal import Refusal
from handlers.regridding import MergeGrids, MoveGrid, RenameGrid, SplitGrid
from handlers.reporting import Report
from handlers.tree import Tree
from handlers.work import Reading
from models import OPEN, Incident
from tests.properties.world import World, world

DAY = timedelta(days=1)
EXAMPLES = 150 if os.environ.get("XIAOGE_LONG") else 4
NAMES = ("东片", "西片", "南片", "北片", "中片", "第一网格", "第二网格", "东网格")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("split", "merge", "rename", "move", "report", "report")),
        st.integers(0, 999),
        st.integers(0, 999),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
    ),
    min_size=6,
    max_size=14,
)
Shape = dict[int, tuple[str, int | None]]


@dataclass
class Model:
    """What must be true, kept by the simplest means."""

    shape: Shape
    """Grids of today: name and parent."""
    codes: dict[str, int]
    """Every code ever seen, and whose it was."""
    pasts: list[tuple[datetime, Shape]] = field(default_factory=list)
    figures: list[tuple[datetime, datetime, dict[int, int]]] = field(default_factory=list)
    """From, until, grid -> cases that were opened in it then."""
    since: datetime | None = None
    reported: list[tuple[int, ...]] = field(default_factory=list)
    """The grids above each case of the running stretch, as the tree stood when it was opened."""


def shape_of(tree: Tree) -> Shape:
    return {node.id: (node.name, node.parent_id) for node in tree.nodes.values()}


class Walk:
    """One walk through a town whose tree changes every day."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.model = Model(shape_of(self.tree), {}, since=made.now)
        self.resident = next(actor for actor in made.actors if actor.name == "王芳")
        self.check()
        made.now += DAY

    @property
    def tree(self) -> Tree:
        return self.world.desk.tree(self.world.session)

    def step(self, kind: str, one: int, other: int, name: str, second: str) -> None:
        grids = [node for node in self.tree.nodes.values() if node.level in ("community", "grid")]
        first, last = grids[one % len(grids)], grids[other % len(grids)]
        if kind == "report":
            self.report(one)
        elif kind == "split" and name != second:
            child = next(iter(self.tree.children.get(first.id, ())), None)
            place = f"（{self.tree.nodes[child].name}）" if child is not None else ""
            command = SplitGrid(grid=first.id, parts=f"{name}{place}、{second}", sure=True)
            self.gives(command, lambda done: self.split(first.id, done))
        elif kind == "merge":
            called = name if other % 2 else ""
            merge = MergeGrids(grid=first.id, into=last.id, called=called, sure=True)
            self.gives(merge, lambda _: self.merged(first.id, last.id, called))
        elif kind == "rename":
            self.gives(RenameGrid(grid=first.id, called=name), lambda _: self.renamed(first.id, name))
        elif kind == "move":
            self.gives(
                MoveGrid(grid=first.id, to=last.id, sure=True), lambda _: self.moved(first.id, last.id)
            )
        self.check()
        self.world.now += DAY

    def gives(self, command: Command, then: Any) -> None:
        """Whoever runs the program gives a command; what is refused changes nothing."""
        self.end_of_stretch()
        outcome = self.world.do(console(self.tree), command, chat=False).outcome
        if isinstance(outcome, Refusal):
            assert shape_of(self.tree) == self.model.shape
            return
        assert isinstance(outcome, Done)
        then(outcome)

    def end_of_stretch(self) -> None:
        """What happened until now is the past: it is noted, and must never change."""
        assert self.model.since is not None
        counted = dict.fromkeys(self.model.shape, 0)
        for line in self.model.reported:
            for grid in line:
                counted[grid] += 1
        self.model.figures.append((self.model.since, self.world.now, counted))
        self.model.pasts.append((self.world.now - timedelta(seconds=1), dict(self.model.shape)))
        self.model.since, self.model.reported = self.world.now, []

    def report(self, number: int) -> None:
        fine = [node for node in self.tree.nodes.values() if node.level in ("grid", "building")]
        if fine:
            grid = fine[number % len(fine)].id
            outcome = self.world.do(self.resident, Report(what="路灯坏了", grid=grid)).outcome
            assert isinstance(outcome, Done)
            self.model.reported.append(tuple(node.id for node in self.tree.upward(grid)))

    # ---- the model ---------------------------------------------------------------------------------------

    def split(self, grid: int, done: Done) -> None:
        _, parent = self.model.shape.pop(grid)
        for name, part in done.data["parts"].items():
            self.model.shape[part] = (name, parent)
        for child in [child for child, (_, above) in self.model.shape.items() if above == grid]:
            name, _ = self.model.shape[child]
            now = self.tree.nodes[child].parent_id
            assert now in done.data["parts"].values()
            self.model.shape[child] = (name, now)

    def merged(self, grid: int, into: int, called: str) -> None:
        old, _ = self.model.shape.pop(grid)
        name, parent = self.model.shape[into]
        self.model.shape[into] = (called or name, parent)
        taken = {its for its, above in self.model.shape.values() if above == into}
        for child, (its, above) in list(self.model.shape.items()):
            if above == grid:
                self.model.shape[child] = (f"{old}{its}" if its in taken else its, into)

    def renamed(self, grid: int, name: str) -> None:
        self.model.shape[grid] = (name, self.model.shape[grid][1])

    def moved(self, grid: int, to: int) -> None:
        self.model.shape[grid] = (self.model.shape[grid][0], to)

    # ---- what must hold ----------------------------------------------------------------------------------

    def check(self) -> None:
        tree = self.tree
        assert shape_of(tree) == self.model.shape
        for node in tree.nodes.values():
            above = tree.nodes[node.parent_id].path if node.parent_id is not None else "/"
            assert node.path == f"{above}{node.id}/"
            assert self.model.codes.setdefault(node.code, node.id) == node.id
        siblings = [(parent, name) for name, parent in self.model.shape.values()]
        assert len(siblings) == len(set(siblings))
        self.check_owners(tree)
        self.check_spans(tree)

    def check_owners(self, tree: Tree) -> None:
        query = select(Incident).where(col(Incident.state).in_(OPEN))
        for case in self.world.session.execute(query).scalars():
            assert case.owner_id in tree.staff
            assert case.grid_id in tree.nodes

    def check_spans(self, tree: Tree) -> None:
        found: dict[int, list[Any]] = {}
        for row in self.world.session.execute(select(SPANS).order_by(SPANS.c.id)):
            found.setdefault(row.grid_id, []).append(row)
        assert set(tree.nodes) <= set(found)
        for grid, spans in found.items():
            assert all(one.valid_to == two.valid_from for one, two in pairwise(spans))
            assert all(row.valid_from < row.valid_to for row in spans if row.valid_to is not None)
            assert (spans[-1].valid_to is None) == (grid in tree.nodes)

    def check_past(self) -> None:
        """Every stretch counts what it counted, for each grid there was, and adds up level by level."""
        tree, session = self.tree, self.world.session
        for moment, shape in self.model.pasts:
            then = tree_at(session, moment)
            assert {grid: (row.name, row.parent_id) for grid, row in then.items()} == shape
        for since, until, counted in self.model.figures:
            for grid, count in counted.items():
                post = Held("", grid, tree.at(grid).path, abilities=frozenset({"oversee"}))
                reading = Reading(session, self.world.now, self.world.book, tree, Actor(None, "", (post,)))
                assert funnel(reading, since, until).total == count


@settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(steps=STEPS)
def test_a_tree_that_changes_keeps_its_past(sqlite_template: Path, tmp_path: Path, steps: list[Any]) -> None:
    file = Path(shutil.copy(sqlite_template, tmp_path / "walk.db"))
    with world("default", f"sqlite:///{file}") as made:
        walk = Walk(made)
        for step in steps:
            walk.step(*step)
        walk.end_of_stretch()
        walk.check_past()
    for left in tmp_path.glob("walk.db*"):
        left.unlink()
