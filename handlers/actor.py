"""Who gives a command, and what their posts let them do."""

from dataclasses import dataclass, replace

from handbook import Book
from models import path_range


@dataclass(frozen=True)
class Held:
    """A post as it is needed for a decision: role, grid, the grid's path, and what the role may do there."""

    role: str
    grid_id: int
    path: str
    unit_id: int | None = None
    abilities: frozenset[str] = frozenset()
    acting_for: int | None = None
    """Whose post it is, when it is held for somebody on leave."""

    def covers(self, path: str) -> bool:
        """Whether a grid lies in this post's subtree. A unit's people act on their cases, not on an area."""
        low, high = path_range(self.path)
        return self.unit_id is None and low <= path < high


@dataclass(frozen=True)
class Actor:
    """The person (or the clock) on whose behalf a work runs."""

    id: int | None
    name: str
    posts: tuple[Held, ...] = ()
    abilities: frozenset[str] = frozenset({"report"})
    home_grid_id: int | None = None
    phone: str | None = None
    stands_for: tuple[int, ...] = ()
    """People on leave for whom this person acts today."""

    @property
    def tables(self) -> tuple[int | None, ...]:
        """Whose work lies before this person: their own, and that of those they stand for."""
        return self.id, *self.stands_for

    def has(self, person_id: int | None) -> bool:
        """Whether what is somebody's is for this person to act on."""
        return person_id in self.tables

    @property
    def own_posts(self) -> tuple[Held, ...]:
        """The posts that are not only held for somebody on leave."""
        return tuple(post for post in self.posts if post.acting_for is None)

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

    def may_on(self, ability: str, path: str) -> bool:
        """Whether one post both covers the grid and gives the ability."""
        return any(ability in post.abilities and post.covers(path) for post in self.posts)


CLOCK = Actor(id=None, name="clock", abilities=frozenset())
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
    held = tuple(replace(post, abilities=_abilities(book, post.role)) for post in posts)
    abilities = frozenset({"report"}).union(*(post.abilities for post in held))
    return Actor(person_id, name, held, abilities, home_grid_id, phone)


def _abilities(book: Book, role: str) -> frozenset[str]:
    known = book.roles.get(role)
    return frozenset(known.may) if known else frozenset()
