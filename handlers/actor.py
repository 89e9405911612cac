"""Who gives a command, and what their posts let them do."""

from dataclasses import dataclass

from handbook import Book
from models import path_range


@dataclass(frozen=True)
class Held:
    """A post as it is needed for a decision: role, grid and the grid's path."""

    role: str
    grid_id: int
    path: str
    unit_id: int | None = None


@dataclass(frozen=True)
class Actor:
    """The person (or the clock) on whose behalf a work runs."""

    id: int | None
    name: str
    posts: tuple[Held, ...] = ()
    abilities: frozenset[str] = frozenset({"report"})
    home_grid_id: int | None = None
    phone: str | None = None

    def may(self, ability: str) -> bool:
        """Whether any post gives the ability; everybody may report."""
        return ability in self.abilities

    @property
    def is_staff(self) -> bool:
        """Whether the person holds any post at all."""
        return bool(self.posts)

    @property
    def ranges(self) -> tuple[tuple[str, str], ...]:
        """Half-open path ranges of the subtrees this person's posts cover."""
        return tuple(path_range(post.path) for post in self.posts if post.unit_id is None)

    def covers(self, path: str) -> bool:
        """Whether a grid lies in the subtree of one of the posts."""
        return any(low <= path < high for low, high in self.ranges)


CLOCK = Actor(id=None, name="系统", abilities=frozenset())
"""The actor of everything that happens because time has passed."""


def actor_from(
    book: Book,
    person_id: int,
    name: str,
    posts: tuple[Held, ...],
    *,
    home_grid_id: int | None = None,
    phone: str | None = None,
) -> Actor:
    """An actor with the abilities the place's book gives to the roles held."""
    abilities = {"report"}
    for post in posts:
        role = book.roles.get(post.role)
        if role is not None:
            abilities.update(role.may)
    return Actor(person_id, name, posts, frozenset(abilities), home_grid_id, phone)
