"""Standing in: who may act for somebody, and who may speak for whom."""

from collections.abc import Iterator

from handlers.actor import Held
from handlers.cases import rank, role_and_name
from handlers.option import MOST, Option
from handlers.tree import Tree
from handlers.work import Reading

UPWARD = 0
"""Stands for nobody in particular: the level above."""


def may_speak_for(reading: Reading, person_id: int) -> bool:
    """Whether the actor stands above somebody: an own post may assign over theirs, and outranks them."""
    actor = reading.tree.staff.get(person_id)
    if actor is None or rank(reading, reading.actor.id) >= rank(reading, person_id):
        return False
    return any(reading.actor.may_on("assign", post.path) for post in actor.own_posts)


def deputies_of(reading: Reading, person: int) -> list[Option]:
    """Who may act for somebody: colleagues on the same post, then beside it, then the level above."""
    found: dict[int, str] = {}
    actor = reading.tree.staff.get(person)
    for post in actor.own_posts if actor else ():
        for other in _near(reading.tree, post):
            if other != person and other in reading.tree.staff and reading.tree.staff[other].may("handle"):
                found.setdefault(other, role_and_name(reading, other))
    people = sorted(found, key=lambda other: other in reading.tree.away)
    return [Option(other, found[other], called=reading.tree.staff[other].name) for other in people]


def _near(tree: Tree, post: Held) -> Iterator[int]:
    """The unit's or grid's own people, those of the grids beside it (at the top: below it) and above."""
    node = tree.at(post.grid_id)
    beside = (
        tree.children.get(node.parent_id, [])
        if node.parent_id is not None
        else tree.children.get(node.id, [])
    )
    above = [upper.id for upper in tree.upward(post.grid_id)][1:3]
    wanted = [node.id, *(grid for grid in beside if grid != node.id), *above]
    place = {grid: order for order, grid in enumerate(wanted)}
    found = [
        (held.unit_id != post.unit_id, place[held.grid_id], person)
        for person, actor in tree.staff.items()
        for held in actor.own_posts
        if held.grid_id in place and held.unit_id in (None, post.unit_id)
    ]
    return (person for _, _, person in sorted(found))


def deputies(reading: Reading) -> list[Option]:
    """What the question offers: the nearest, and last of all nobody in particular."""
    people = deputies_of(reading, reading.actor.id or 0)[: MOST - 1]
    return [*people, Option(UPWARD, reading.word("leave.upward"))]


def below(reading: Reading) -> list[Option]:
    """Everybody the actor may speak for."""
    return [
        Option(person, role_and_name(reading, person), called=actor.name)
        for person, actor in reading.tree.staff.items()
        if person != reading.actor.id and may_speak_for(reading, person)
    ]
