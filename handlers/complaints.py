"""Complaints about those who serve: they go to somebody above, and never to whom they name."""

from handbook.complaints import SECRETARY, blames, is_plain
from handlers.promise import Promise
from handlers.work import Reading
from models import Incident

CONDUCT = "1111"
"""The kind of case which a complaint about somebody who serves is (干部作风)."""
_LEAST = 2
"""Letters a name must have to be looked for in a sentence."""


def named_staff(reading: Reading, text: str) -> list[int]:
    """The people with a post whose names stand in a text."""
    return [
        person
        for person, actor in reading.tree.staff.items()
        if len(actor.name) >= _LEAST and actor.name in text
    ]


def is_complaint(reading: Reading, text: str) -> bool:
    """Whether a report is about the conduct of somebody who serves there, and about nothing else.

    "跟网格员说了三次没人管，下水道还堵着" is about the drain: who deals with it should have it.
    """
    if not blames(text, [reading.tree.staff[person].name for person in named_staff(reading, text)]):
        return False
    return is_plain(text) or not _is_about_a_thing(reading, text)


def _is_about_a_thing(reading: Reading, text: str) -> bool:
    """Whether the words tell of a kind of case besides the conduct of those who serve."""
    book = reading.book
    proposal = book.kinds.propose(text)
    if proposal.category is None or not proposal.sure:
        return False
    return proposal.category != CONDUCT


def complained_of(reading: Reading, text: str, grid_id: int) -> frozenset[int]:
    """Who must not hear of a complaint: those it names, and those of the branch whose role it names."""
    if not is_complaint(reading, text):
        return frozenset()
    keepers = {p for node in reading.tree.upward(grid_id) for p in reading.tree.keepers(node.id)}
    by_role = {
        p for p in keepers if any(_is_meant(reading, post.role, text) for post in reading.tree.staff[p].posts)
    }
    return frozenset({*named_staff(reading, text), *by_role})


def _is_meant(reading: Reading, role: str, text: str) -> bool:
    name = reading.book.role_name(role)
    return name in text or (SECRETARY in name and SECRETARY in text)


def above_complaint(
    reading: Reading, incident: Incident, promise: Promise
) -> tuple[tuple[int, ...], int] | None:
    """(people, rung) who may have a complaint: from village or community up, over whom it names."""
    accused = complained_of(reading, incident.what, incident.grid_id)
    book, tree = reading.book, reading.tree
    lowest = book.level_index(book.incidents.zero_level)
    line = list(tree.upward(incident.grid_id))
    theirs = {post.grid_id for person in accused for post in tree.staff[person].posts}
    over = max((at + 1 for at, node in enumerate(line) if node.id in theirs), default=0)
    for node in (*line[over:], *line):
        people = tuple(p for p in tree.keepers(node.id) if p not in accused)
        if book.level_index(node.level) <= lowest and people:
            return people, _rung(promise, node.level)
    return None


def _rung(promise: Promise, level: str) -> int:
    """The rung of a ladder on a level; its top for whoever stands above it."""
    return next((at for at, rung in enumerate(promise.ladder) if rung.to == level), promise.top)


def hidden_words(reading: Reading) -> list[str]:
    """Words by which a secret case may speak of the reader: their name, and 书记 where that is their post."""
    roles = [reading.book.role_name(post.role) for post in reading.actor.posts]
    secretary = [SECRETARY] if any(SECRETARY in role for role in roles) else []
    name = reading.actor.name
    return [*([name] if len(name) >= _LEAST else []), *secretary]
