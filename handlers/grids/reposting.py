"""Reposting: posts on a grid that ends go on elsewhere, and no case is left with somebody out of its line."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, or_, select
from sqlmodel import col

from handlers.cases import least_loaded, role_and_name, someone_above
from handlers.handovers import next_in_line, pass_on, tell_moved
from handlers.tree import Node
from handlers.work import Work
from models import OPEN, Grid, Incident, Post, path_range


def posts_on(work: Work, grid: int) -> list[Post]:
    """Posts on exactly this grid that are held, or will be."""
    return _posts_of(work, [grid])


def _posts_of(work: Work, grids: Iterable[int]) -> list[Post]:
    lasting = or_(col(Post.until).is_(None), col(Post.until) > work.now)
    query = select(Post).where(col(Post.grid_id).in_(set(grids)), lasting).order_by(col(Post.id))
    return list(work.session.execute(query).scalars())


def repost(work: Work, grid: int, areas: Sequence[int], unit_at: int) -> None:
    """Whoever held a post on a grid that ends holds it on these from now on; a unit's people stay with it."""
    held = _held_on(work, [*areas, unit_at])
    for post in posts_on(work, grid):
        for at in areas if post.unit_id is None else [unit_at]:
            same = (at, post.person_id, post.role, post.unit_id)
            if same not in held:
                held.add(same)
                since = max(post.since, work.now)
                work.session.add(
                    Post(
                        person_id=post.person_id,
                        role=post.role,
                        grid_id=at,
                        unit_id=post.unit_id,
                        standing=post.standing,
                        since=since,
                        until=post.until,
                    )
                )
        post.until = max(post.since, work.now)
    work.session.flush()


def _held_on(work: Work, grids: Iterable[int]) -> set[tuple[int, int, str, int | None]]:
    """Grid, person, role and unit of each post on these grids that is held, or will be."""
    return {(post.grid_id, post.person_id, post.role, post.unit_id) for post in _posts_of(work, grids)}


def cases_below(work: Work, node: Node) -> list[Incident]:
    """The open cases of a whole subtree, locked."""
    low, high = path_range(node.path)
    within = select(col(Grid.id)).where(col(Grid.path) >= low, col(Grid.path) < high)
    query = (
        select(Incident)
        .where(col(Incident.grid_id).in_(within), col(Incident.state).in_(OPEN))
        .order_by(col(Incident.id))
        .with_for_update(of=Incident)
        .execution_options(populate_existing=True)
    )
    return list(work.session.execute(query).scalars())


def cases_by_path(work: Work, path: str) -> dict[str, int]:
    """Path of each grid of a subtree -> how many open cases lie on it; counted without locking any."""
    low, high = path_range(path)
    query = (
        select(col(Grid.path), func.count(col(Incident.id)))
        .join(Incident, col(Incident.grid_id) == col(Grid.id))
        .where(col(Grid.path) >= low, col(Grid.path) < high, col(Incident.state).in_(OPEN))
        .group_by(col(Grid.path))
    )
    return {row[0]: row[1] for row in work.session.execute(query)}


def bring_into_line(work: Work, cases: Iterable[Incident], left: Collection[int]) -> int:
    """Give cases whose owner or approver stands above another branch now to whoever stands above theirs.

    `left`: the grids that lay above before and do not any more. Returns how many cases were given on.
    """
    moved: defaultdict[int, defaultdict[int, list[Incident]]] = defaultdict(lambda: defaultdict(list))
    given = 0
    for case in cases:
        outside = [who for who in _hands(case) if _is_out_of_line(work, case, who, left)]
        for who in outside:
            to, case.step = _successor(work, case, who, left)
            pass_on(work, case, who, to)
            moved[who][to].append(case)
        given += bool(outside)
    for who, theirs in moved.items():
        tell_moved(work, who, dict(theirs), "grid.received", name=role_and_name(work, who))
    return given


def _hands(case: Incident) -> list[int]:
    return [who for who in dict.fromkeys((case.owner_id, case.approver_id)) if who is not None]


def _successor(work: Work, case: Incident, who: int, left: Collection[int]) -> tuple[int, int]:
    """Whoever stands in the new line where that person stood in the old one; else the next who can."""
    for post in work.tree.staff[who].own_posts if who in work.tree.staff else ():
        node = work.tree.at_level(case.grid_id, work.tree.at(post.grid_id).level)
        people = work.tree.keepers(node.id) if node is not None and post.grid_id in left else ()
        if people:
            return least_loaded(work, people), case.step
    if who == case.owner_id:
        return next_in_line(work, case)
    asker = (case.request or {}).get("by")
    reviewer = someone_above(work, case.grid_id, "review", besides=(asker, who))
    return (reviewer, case.step) if reviewer is not None else next_in_line(work, case)


def _is_out_of_line(work: Work, case: Incident, who: int, left: Collection[int]) -> bool:
    """Somebody of the old line who is not in the new one, or of another town; units serve where they are."""
    actor = work.tree.staff.get(who)
    if actor is None:
        return True
    line = {node.id for node in work.tree.upward(case.grid_id)}
    if any(post.unit_id is not None or post.grid_id in line for post in actor.own_posts):
        return False
    town = work.tree.town_of(case.grid_id)
    near = any(post.path.startswith(town.path) for post in actor.own_posts)
    return not near or any(post.grid_id in left for post in actor.own_posts)
