"""The tree of grids and its posts as one snapshot in memory, read again when the registry's version grows."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import select, update
from sqlmodel import Session

from handbook import Book
from handbook.places import Entry, Places
from handlers.actor import Actor, Held, actor_from
from handlers.deputising import stand_ins, with_deputies
from models import Grid, GridKind, Leave, Person, Post, RegistryVersion, Unit


@dataclass(frozen=True)
class Node:
    """A grid as the handlers need it."""

    id: int
    parent_id: int | None
    name: str
    level: str
    kind: GridKind
    path: str
    aliases: tuple[str, ...]
    lat: float | None
    lon: float | None


@dataclass(frozen=True)
class UnitInfo:
    """A unit and the people who take its cases."""

    id: int
    name: str
    grid_id: int
    calendar: str | None
    aliases: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()
    """Kinds of case, and groups of them, that it is given first."""
    backstop: bool = False


@dataclass
class Tree:
    """Grids, posts and units of a place at one version of the registry."""

    version: int
    book: Book
    nodes: dict[int, Node]
    units: dict[int, UnitInfo]
    staff: dict[int, Actor]
    valid_until: datetime | None = None
    """When the next post or leave begins or ends; None: no change is known of."""
    children: dict[int | None, list[int]] = field(default_factory=dict)
    away: dict[int, int] = field(default_factory=dict)
    """Who is on leave -> who stands in for them."""

    def has_changed(self, now: datetime) -> bool:
        """Whether somebody's post has begun or ended since it was read."""
        return self.valid_until is not None and now >= self.valid_until

    @cached_property
    def root(self) -> Node:
        """The top of the tree."""
        return next(node for node in self.nodes.values() if node.parent_id is None)

    @cached_property
    def holders(self) -> dict[tuple[int, str], tuple[int, ...]]:
        """(grid, role) -> the people who hold it today, in the order they were appointed."""
        found: dict[tuple[int, str], list[int]] = defaultdict(list)
        for person_id, post in self._served():
            if post.unit_id is None:
                found[post.grid_id, post.role].append(person_id)
        return {key: tuple(dict.fromkeys(people)) for key, people in found.items()}

    @cached_property
    def unit_people(self) -> dict[int, tuple[int, ...]]:
        """Unit -> the people who take its cases today."""
        found: dict[int, list[int]] = defaultdict(list)
        for person_id, post in self._served():
            if post.unit_id is not None:
                found[post.unit_id].append(person_id)
        return {key: tuple(dict.fromkeys(people)) for key, people in found.items()}

    def _served(self) -> Iterator[tuple[int, Held]]:
        """Every post with whoever sees to it today: who is on leave has somebody who stands in."""
        for person_id, actor in self.staff.items():
            for post in actor.posts:
                if post.acting_for is not None or person_id not in self.away:
                    yield person_id, post

    @cached_property
    def places(self) -> Places:
        """The index that finds a grid's name in a sentence."""
        return Places([Entry(n.id, n.name, n.aliases, n.parent_id, n.path) for n in self.nodes.values()])

    def upward(self, grid_id: int) -> Iterator[Node]:
        """The grid itself, then its parents up to the top."""
        at: int | None = grid_id
        while at is not None:
            node = self.nodes[at]
            yield node
            at = node.parent_id

    def at_level(self, grid_id: int, level: str) -> Node | None:
        """The ancestor (or the grid itself) on a level; None where the branch has no such level."""
        return next((node for node in self.upward(grid_id) if node.level == level), None)

    def keepers(self, grid_id: int) -> tuple[int, ...]:
        """People who answer for exactly this grid."""
        level = self.book.level(self.nodes[grid_id].level)
        return self.holders.get((grid_id, level.keeper), ()) if level.keeper else ()

    def named(self, grid_id: int) -> str:
        """A grid's name after that of its parent, such as 幸福社区第一网格."""
        node = self.nodes[grid_id]
        parent = self.nodes.get(node.parent_id) if node.parent_id is not None else None
        if parent is None or parent.parent_id is None:
            return node.name
        return f"{parent.name}{node.name}"

    def told_apart(self, ids: Sequence[int]) -> list[str]:
        """Names for a list to choose from: where two would read alike, each begins further up the tree."""
        longest = max((len(list(self.upward(grid_id))) for grid_id in ids), default=0)
        names = {grid_id: self.named(grid_id) for grid_id in ids}
        for above in range(2, longest):
            alike = Counter(names.values())
            for grid_id, name in names.items():
                if alike[name] > 1:
                    names[grid_id] = self._long_name(grid_id, above)
        return [names[grid_id] for grid_id in ids]

    def _long_name(self, grid_id: int, above: int) -> str:
        """A grid's name after those of so many grids above it, without the top's."""
        line = list(self.upward(grid_id))[:-1][: above + 1]
        return "".join(node.name for node in reversed(line)) or self.nodes[grid_id].name

    def town_of(self, grid_id: int) -> Node:
        """The node one below the top on this grid's branch: the sender's own town."""
        line = list(self.upward(grid_id))
        return line[-2] if len(line) > 1 else line[-1]

    def nearest(self, lat: float, lon: float, metres: float = 2000.0) -> Node | None:
        """The lowest-lying grid with a centre nearest to a point, if one lies within `metres`."""
        best: tuple[float, int, Node] | None = None
        for node in self.nodes.values():
            if node.lat is None or node.lon is None:
                continue
            away = _metres(lat, lon, node.lat, node.lon)
            rank = (away, -node.path.count("/"), node)
            if away <= metres and (best is None or rank[:2] < best[:2]):
                best = rank
        return best[2] if best else None


def _metres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance on the ground, good to a per cent within a county."""
    from math import cos, hypot, radians

    return hypot((lat1 - lat2) * 111_320, (lon1 - lon2) * 111_320 * cos(radians(lat1)))


def load_tree(session: Session, book: Book, now: datetime) -> Tree:
    """Read the registry as it stands at `now` (posts that have ended or not begun are left out)."""
    nodes = {
        row.id: Node(
            row.id,
            row.parent_id,
            row.name,
            row.level,
            row.kind,
            row.path,
            tuple(row.aliases),
            row.lat,
            row.lon,
        )
        for row in session.execute(select(Grid.__table__).order_by(Grid.__table__.c.path))  # type: ignore[attr-defined]
    }
    units = {
        row.id: UnitInfo(
            row.id,
            row.name,
            row.grid_id,
            row.calendar,
            tuple(row.aliases),
            tuple(row.duties),
            row.backstop,
        )
        for row in session.execute(select(Unit.__table__))  # type: ignore[attr-defined]
    }
    staff = _staff(session, book, nodes, now)
    tree = Tree(registry_version(session), book, nodes, units, staff, _next_change(session, now))
    for node in nodes.values():
        tree.children.setdefault(node.parent_id, []).append(node.id)
    leaves = _leaves(session, now)
    return with_deputies(tree, stand_ins(tree, leaves)) if leaves else tree


def _leaves(session: Session, now: datetime) -> dict[int, int | None]:
    """Who is on leave -> who was named to act for them; of two leaves the one entered last holds."""
    table = Leave.__table__  # type: ignore[attr-defined]
    query = select(table.c.person_id, table.c.deputy_id).where(table.c.since <= now, table.c.until > now)
    return {row.person_id: row.deputy_id for row in session.execute(query.order_by(table.c.id))}


def _next_change(session: Session, now: datetime) -> datetime | None:
    """The next moment at which somebody's post or leave begins or ends."""
    tables = (Post.__table__, Leave.__table__)  # type: ignore[attr-defined]
    firsts = [
        session.execute(select(column).where(column > now).order_by(column).limit(1)).scalar()
        for table in tables
        for column in (table.c.since, table.c.until)
    ]
    return min((first for first in firsts if first is not None), default=None)


def _staff(session: Session, book: Book, nodes: dict[int, Node], now: datetime) -> dict[int, Actor]:
    person, post = Person.__table__, Post.__table__  # type: ignore[attr-defined]
    rows = session.execute(
        select(person.c.id, person.c.name, person.c.phone, person.c.home_grid_id, post)
        .join(post, post.c.person_id == person.c.id)
        .where(post.c.since <= now, (post.c.until.is_(None)) | (post.c.until > now))
        .order_by(post.c.id)
    )
    held: dict[int, list[Held]] = defaultdict(list)
    about: dict[int, tuple[str, str | None, int | None]] = {}
    for row in rows:
        held[row.person_id].append(Held(row.role, row.grid_id, nodes[row.grid_id].path, row.unit_id))
        about[row.person_id] = (row.name, row.phone, row.home_grid_id)
    return {
        pid: actor_from(
            book, pid, about[pid][0], tuple(posts), phone=about[pid][1], home_grid_id=about[pid][2]
        )
        for pid, posts in held.items()
    }


def registry_version(session: Session) -> int:
    """The number that grows with every change of tree, posts or units."""
    return session.execute(select(RegistryVersion.__table__.c.number)).scalar() or 0  # type: ignore[attr-defined]


def registry_changed(session: Session) -> None:
    """Say, in the work that changed it, that every process must read the registry again."""
    table = RegistryVersion.__table__  # type: ignore[attr-defined]
    session.execute(update(table).values(number=table.c.number + 1))
