"""Deputising: who stands in for people on leave, and the posts they hold meanwhile."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.tree import Tree


def stand_ins(tree: "Tree", leaves: Mapping[int, int | None]) -> dict[int, int]:
    """Who acts for each person on leave: the deputy, a colleague on the same post, or the level above.

    A deputy who is on leave too is passed over. Where nobody stands above, one is left out: what cannot be
    passed on stays with whoever has it, and is never nowhere.
    """
    plain = replace(tree)  # asked without the deputies, so that it remembers nothing of it
    found = {person: _stand_in(plain, leaves, person, ()) for person in leaves if person in tree.staff}
    return {person: deputy for person, deputy in found.items() if deputy is not None}


def _stand_in(
    tree: "Tree", leaves: Mapping[int, int | None], person: int, asked: tuple[int, ...]
) -> int | None:
    deputy = leaves[person]
    if deputy in tree.staff and deputy not in leaves:
        return deputy
    for other in _besides_and_above(tree, person):
        if other not in leaves:
            return other
        if other not in asked and (found := _stand_in(tree, leaves, other, (*asked, person))) is not None:
            return found
    return None


def _besides_and_above(tree: "Tree", person: int) -> Iterator[int]:
    """Colleagues on the same posts, then the keepers of the grids from there upward."""
    for post in tree.staff[person].posts:
        unit = tree.unit_people.get(post.unit_id or 0, ())
        line = [tree.keepers(node.id) for node in tree.upward(post.grid_id)]
        same = () if post.unit_id else tree.holders.get((post.grid_id, post.role), ())
        for other in (*unit, *same, *(keeper for people in line for keeper in people)):
            if other != person:
                yield other


def with_deputies(tree: "Tree", away: dict[int, int]) -> "Tree":
    """The tree in which whoever stands in also holds the posts of those who are away."""
    staff = dict(tree.staff)
    for person, deputy in away.items():
        absent, actor = tree.staff[person], staff[deputy]
        staff[deputy] = replace(
            actor,
            posts=(*actor.posts, *(replace(post, acting_for=person) for post in absent.posts)),
            abilities=actor.abilities | absent.abilities,
            stands_for=(*actor.stands_for, person),
        )
    return replace(tree, staff=staff, away=away)
