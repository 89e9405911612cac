"""For whom a notice is: read from its author's words, on the author's behalf, and held to their area."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, Table, cast, exists, false, func, literal, or_, select

from handbook.notice_words import is_whole, place_words
from handlers.groups.words import group_words
from handlers.refusal import NotAllowed, Refusal
from handlers.residents.scope import HOMES, LOOK_UP, MEMBERS, PEOPLE, is_known, lies_below, lives_there
from handlers.residents.segments import select_segment
from handlers.work import Reading
from models import Account, Grid, Notice, OptOut, Post, Purpose, path_range

ACCOUNTS: Table = Account.__table__  # type: ignore[attr-defined]
POSTS: Table = Post.__table__  # type: ignore[attr-defined]
GRIDS: Table = Grid.__table__  # type: ignore[attr-defined]
OPT_OUTS: Table = OptOut.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Audience:
    """Who is meant: residents, those of a list, or the holders of a post, in one area."""

    grid_id: int
    role: str | None = None
    segment: str | None = None
    purpose: Purpose | None = None
    """Of bound groups: then nobody gets it alone."""


def audience_of(reading: Reading, words: str) -> Audience:
    """Whom words mean: 第一网格居民, 全镇网格员, 第一网格独居老人, 3栋.

    Every word must be understood: a list that nobody knows must not become everybody.

    Raises:
        Refusal: the words are not understood whole. NotAllowed: a list or an area that is not theirs.
    """
    purpose, words = group_words(reading, words)
    role, left = _role(reading, words) if purpose is None else (None, words)
    segment, left = _segment(reading, left) if role is None and purpose is None else (None, left)
    grid = _area(reading, place_words(left))
    if not reading.actor.may_on(LOOK_UP, reading.tree.nodes[grid].path):
        raise NotAllowed()
    return Audience(grid, role, segment, purpose)


def _role(reading: Reading, words: str) -> tuple[str | None, str]:
    named = [(role.name, key) for key, role in reading.book.roles.items() if key != "resident"]
    for name, key in sorted(named, key=lambda one: -len(one[0])):
        if name in words:
            return key, words.replace(name, "")
    return None, words


def _segment(reading: Reading, words: str) -> tuple[str | None, str]:
    lists = reading.book.residents.segments.items()
    named = [(name, key) for key, spec in lists if not spec.placed for name in (spec.name, *spec.words)]
    for name, key in sorted(named, key=lambda one: -len(one[0])):
        if name in words:
            return key, words.replace(name, "")
    return None, words


def _area(reading: Reading, words: str) -> int:
    own = [post for post in reading.actor.posts if post.unit_id is None]
    if not own:
        raise NotAllowed()
    if not words or is_whole(words):
        return min(own, key=lambda post: post.path.count("/")).grid_id
    fitting = [
        node.id
        for node in reading.tree.nodes.values()
        if words in (node.name, *node.aliases, reading.tree.named(node.id))
        and any(post.covers(node.path) for post in own)
    ]
    if len(fitting) != 1:
        raise Refusal("notice.whom", said=words[:20])
    return fitting[0]


# ---- who that is -----------------------------------------------------------------------------------------


def everybody(reading: Reading, audience: Audience) -> Select[Any]:
    """(person, grid) of all who are meant, each once, reachable or not; where groups are, nobody."""
    if audience.purpose is not None:
        return select(PEOPLE.c.id.label("person_id"), PEOPLE.c.home_grid_id.label("grid_id")).where(false())
    path = reading.tree.nodes[audience.grid_id].path
    if audience.role is not None:
        low, high = path_range(path)
        held = (POSTS.c.until.is_(None)) | (POSTS.c.until > reading.now)
        return (
            select(POSTS.c.person_id.label("person_id"), func.min(POSTS.c.grid_id).label("grid_id"))
            .join(GRIDS, GRIDS.c.id == POSTS.c.grid_id)
            .where(GRIDS.c.path >= low, GRIDS.c.path < high, POSTS.c.role == audience.role)
            .where(POSTS.c.since <= reading.now, held)
            .group_by(POSTS.c.person_id)
        )
    lives = (MEMBERS.c.person_id == PEOPLE.c.id) & lives_there(reading.now)
    joined = PEOPLE.outerjoin(MEMBERS, lives).outerjoin(HOMES, MEMBERS.c.household_id == HOMES.c.id)
    grid = func.min(func.coalesce(HOMES.c.grid_id, PEOPLE.c.home_grid_id))
    query = select(PEOPLE.c.id.label("person_id"), grid.label("grid_id")).select_from(joined)
    query = query.where(lies_below(path), is_known()).group_by(PEOPLE.c.id)
    if audience.segment is not None:
        listed = select_segment(reading, audience.segment, lies_below(path)).subquery()
        query = query.where(PEOPLE.c.id.in_(select(listed.c.id)))
    return query


def reachable(reading: Reading, audience: Audience, kind: str) -> Select[Any]:
    """Those who have an account, and have not said that they want none of this kind."""
    meant = everybody(reading, audience).subquery()
    query = select(meant.c.person_id, meant.c.grid_id).where(has_account(meant.c.person_id))
    if reading.book.notices.kinds[kind].always:
        return query
    declined = or_(OPT_OUTS.c.kind == kind, OPT_OUTS.c.kind == "")
    return query.where(~exists().where(OPT_OUTS.c.person_id == meant.c.person_id, declined))


def has_account(person: Any) -> Any:
    """Condition: somebody has an account that can still be reached."""
    return exists().where(ACCOUNTS.c.person_id == person, ACCOUNTS.c.gone.is_(False))


def on_behalf(reading: Reading, notice: Notice) -> Reading | None:
    """A reading by the notice's author as they stand today; None when they hold no post any more."""
    author = reading.tree.staff.get(notice.author_id)
    if author is None:
        return None
    return Reading(reading.session, reading.now, reading.book, reading.tree, author)


def letter_key(notice_id: int, person: Any, what: str = "") -> Any:
    """The key of one letter of a notice, made by the database for all at once."""
    return literal(f"notice:{notice_id}{what}:p", String) + cast(person, String)
