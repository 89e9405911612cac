"""Teams: whether posts are held as the place's rules of grid work say. It is told and never refused."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from sqlalchemy import ColumnElement, Table, or_, select

from handbook import Book
from handbook.teams import PARTY, Needed, TeamTemplate, bare
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotAllowed
from handlers.work import Reading, Work
from models import Person, Post, path_range

SHOWN = 3
"""Misfits that are named; the rest are counted."""
_SAID = {
    "eligible": "team.eligible",
    "template": "team.template",
    "most_grids": "team.most_grids",
    "together": "team.together",
}
_PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
_POSTS: Table = Post.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Holding:
    """Somebody holds a post now."""

    person: Hashable
    name: str
    role: str
    line: tuple[Hashable, ...]
    """The grid it is held on and all above it."""
    standings: tuple[str, ...] = ()
    party: bool | None = None


@dataclass(frozen=True)
class Spot:
    """A grid that may want a team."""

    key: Hashable
    name: str
    level: str
    kind: str


@dataclass(frozen=True)
class Finding:
    """How one rule is kept: of how many, and who or what does not fit."""

    rule: str
    """eligible, template, most_grids or together."""
    subject: str
    """A role's or a template's name."""
    total: int
    unknown: int = 0
    """People of whom nobody has written what they are besides."""
    misfits: tuple[tuple[str, str], ...] = ()
    """Name, and what is wrong there."""


def standing_called(book: Book, word: str) -> str:
    """What somebody is besides, in the book's own words where it knows them."""
    said = bare(word)
    for standing, others in book.teams.standings.items():
        if said in (bare(standing), *map(bare, others)):
            return standing
    return word


# ---- the rules -----------------------------------------------------------------------------------------


def findings(reading: Reading, spots: Sequence[Spot], holdings: Sequence[Holding]) -> list[Finding]:
    """Compare posts with the place's rules.

    Args:
        reading: of the place whose rules they are.
        spots: the grids looked at.
        holdings: the posts held on them, below them, or above.
    """
    by_role: defaultdict[str, list[Holding]] = defaultdict(list)
    for holding in holdings:
        by_role[holding.role].append(holding)
    book, rules = reading.book, reading.book.teams
    return [
        *(_eligible(book, role, words, by_role[role]) for role, words in rules.eligible.items()),
        *(_templates(reading, template, spots, by_role) for template in rules.templates),
        *(_most_grids(book, role, most, by_role[role]) for role, most in rules.most_grids.items()),
        *(_together(book, role, least, by_role[role]) for role, least in rules.together.items()),
    ]


def _eligible(book: Book, role: str, words: Sequence[str], held: Sequence[Holding]) -> Finding:
    people = {one.person: one for one in held}.values()
    known = [one for one in people if one.standings or (one.party and PARTY in words)]
    wrong = [one for one in known if not _fits(one, words)]
    return Finding(
        "eligible",
        book.role_name(role),
        len(people),
        len(people) - len(known),
        tuple((one.name, "、".join(one.standings)) for one in wrong),
    )


def _fits(holding: Holding, words: Sequence[str]) -> bool:
    return any(word in words for word in holding.standings) or bool(holding.party and PARTY in words)


def _templates(
    reading: Reading, template: TeamTemplate, spots: Sequence[Spot], by_role: dict[str, list[Holding]]
) -> Finding:
    counts = {need.role: Counter(_places(by_role[need.role])) for need in template.needs}
    wanted = [spot for spot in spots if template.of in (spot.level, spot.kind)]
    wrong = [
        (spot.name, "、".join(lacks))
        for spot in wanted
        if (lacks := [words for need in template.needs if (words := _lack(reading, need, counts, spot))])
    ]
    return Finding("template", template.name, len(wanted), misfits=tuple(wrong))


def _places(held: Iterable[Holding]) -> Iterator[Hashable]:
    for one in held:
        yield from one.line


def _lack(reading: Reading, need: Needed, counts: dict[str, Counter[Hashable]], spot: Spot) -> str:
    """What is missing or too much of one role, in words; empty where it fits."""
    there, role, word = counts[need.role][spot.key], reading.book.role_name(need.role), reading.word
    if there < need.least:
        return word("team.lacks", role=role, count=need.least - there)
    if need.most is not None and there > need.most:
        return word("team.over", role=role, count=there - need.most)
    return ""


def _most_grids(book: Book, role: str, most: int, held: Sequence[Holding]) -> Finding:
    grids: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
    names = {one.person: one.name for one in held}
    for one in held:
        grids[one.person].add(one.line[0])
    wrong = [(names[person], str(len(its))) for person, its in grids.items() if len(its) > most]
    return Finding("most_grids", book.role_name(role), len(grids), misfits=tuple(wrong))


def _together(book: Book, role: str, least: int, held: Sequence[Holding]) -> Finding:
    people: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
    first = {one.line[0]: one.name for one in held}
    for one in held:
        people[one.line[0]].add(one.person)
    wrong = [(first[grid], str(len(its))) for grid, its in people.items() if len(its) < least]
    return Finding("together", book.role_name(role), len(people), misfits=tuple(wrong))


def said(reading: Reading, finding: Finding) -> str:
    """A finding in one line, without names of residents: only who holds a post is spoken of."""
    if not finding.misfits:
        key = "team.unknown" if finding.unknown else "team.fits"
        return reading.word(key, subject=finding.subject, total=finding.total, unknown=finding.unknown)
    shown = "、".join(f"{name}（{what}）" for name, what in finding.misfits[:SHOWN])
    return reading.word(
        _SAID[finding.rule],
        subject=finding.subject,
        total=finding.total,
        count=len(finding.misfits),
        shown=shown,
        more=reading.word("team.more") if len(finding.misfits) > SHOWN else "",
    )


# ---- asked for -----------------------------------------------------------------------------------------


class CheckTeams(Command):
    """How the posts of one's area are held against the place's rules."""

    name: ClassVar[str] = "check_teams"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "oversee"
    grid: Annotated[int | None, Ask("quiet")] = None


class ShowTeam(Command):
    """Who holds which post on a grid, and who is missing."""

    name: ClassVar[str] = "show_team"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "oversee"
    grid: Annotated[int, Ask("place")]


@handles(CheckTeams)
def check_teams(work: Work, command: CheckTeams) -> Done:
    """Only rules that have something to look at are told."""
    area = command.grid if command.grid is not None else _own_area(work)
    _must_oversee(work, area)
    found = [one for one in findings(work, *_looked_at(work, area)) if one.total]
    place = work.tree.named(area)
    if not found:
        work.reply("check_teams.nothing", place=place)
    else:
        work.reply("check_teams.done", place=place, lines="\n".join(said(work, one) for one in found))
    data = [
        {"rule": one.rule, "subject": one.subject, "total": one.total, "unknown": one.unknown}
        | {"misfits": [list(pair) for pair in one.misfits]}
        for one in found
    ]
    return Done({"grid": area, "findings": data})


@handles(ShowTeam)
def show_team(work: Work, command: ShowTeam) -> Done:
    """Posts on the grid itself, then on what lies in it."""
    _must_oversee(work, command.grid)
    spots, holdings = _looked_at(work, command.grid)
    place = work.tree.named(command.grid)
    by_role: defaultdict[str, list[str]] = defaultdict(list)
    for one in holdings:
        by_role[one.role].append(one.name)
    lines = [f"{work.book.role_name(role)}：{_people(work, names)}" for role, names in by_role.items()]
    lacks = [
        what
        for one in findings(work, spots[:1], holdings)
        if one.rule == "template"
        for _, what in one.misfits
    ]
    if not lines:
        work.reply("show_team.nobody", place=place)
    else:
        lack = work.word("show_team.lack", what="、".join(lacks)) if lacks else ""
        work.reply("show_team.done", place=place, lines="\n".join(lines[:8]), lack=lack)
    return Done({"grid": command.grid, "team": dict(by_role), "lacks": lacks})


def _people(work: Work, names: Sequence[str]) -> str:
    shown = "、".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else work.word("show_team.more", shown=shown, count=len(names))


def _own_area(work: Work) -> int:
    """The widest of one's own posts."""
    own = [post for post in work.actor.posts if post.unit_id is None and "oversee" in post.abilities]
    return min(own, key=lambda post: post.path.count("/")).grid_id if own else work.tree.root.id


def _must_oversee(work: Work, grid_id: int) -> None:
    if grid_id not in work.tree.nodes or not work.actor.may_on("oversee", work.tree.nodes[grid_id].path):
        raise NotAllowed()


def _looked_at(reading: Reading, area: int) -> tuple[list[Spot], list[Holding]]:
    """The grids of an area, and the posts held in it now."""
    tree = reading.tree
    low, high = path_range(tree.nodes[area].path)
    spots = [
        Spot(node.id, tree.named(node.id), node.level, str(node.kind))
        for node in tree.nodes.values()
        if low <= node.path < high
    ]
    inside = {spot.key for spot in spots}
    return spots, [holding for holding in _held(reading) if holding.line[0] in inside]


def _held(reading: Reading, *only: ColumnElement[bool]) -> list[Holding]:
    query = (
        select(_POSTS.c.person_id, _POSTS.c.role, _POSTS.c.grid_id, _POSTS.c.standing, _PEOPLE.c.party)
        .add_columns(_PEOPLE.c.name)
        .join(_PEOPLE, _PEOPLE.c.id == _POSTS.c.person_id)
        .where(_POSTS.c.since <= reading.now, or_(_POSTS.c.until.is_(None), _POSTS.c.until > reading.now))
        .where(*only)
        .order_by(_POSTS.c.grid_id, _POSTS.c.id)
    )
    return [
        Holding(
            row.person_id,
            row.name,
            row.role,
            tuple(node.id for node in reading.tree.upward(row.grid_id)),
            tuple(row.standing.split("、")) if row.standing else (),
            row.party,
        )
        for row in reading.session.execute(query)
    ]


def warnings_on(reading: Reading, person_id: int, role: str) -> list[str]:
    """What the rules say against a role of this person, a line each; it is given all the same."""
    own = _held(reading, _POSTS.c.person_id == person_id, _POSTS.c.role == role)
    return [
        said(reading, one)
        for one in findings(reading, (), own)
        if one.misfits and one.rule in ("eligible", "most_grids")
    ]
