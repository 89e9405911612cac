"""Handing over: somebody leaves, and their whole table goes to a successor or one level up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar

from sqlalchemy import or_, select, update
from sqlmodel import col

from handlers.cases import (
    choice,
    keeper_from,
    known_number,
    least_loaded,
    make,
    participants,
    role_and_name,
    someone_above,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import settle
from handlers.leaves import keeper_above
from handlers.promise import read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.standing import may_speak_for
from handlers.tokens import revoke
from handlers.tree import load_tree, registry_changed
from handlers.work import Work
from models import OPEN, TO_BE_DONE, Incident, Leave, Move, Part, Participant, Person, Post, Scope, State

NAMED = 3
"""Numbers of cases that one message names; the rest are counted."""
_WAITED_FOR = TO_BE_DONE | {State.RETURNED, State.PAUSED}
"""States in which a reporter waits for somebody."""

Whom = Annotated[int, Ask("person", among="below")]
Sure = Annotated[bool, Ask("quiet")]


class HandOver(Command):
    """Give all posts of somebody to a successor, with everything that lies on their table."""

    name: ClassVar[str] = "hand_over"
    may: ClassVar[str | None] = "assign"
    who: Whom
    to: Whom
    sure: Sure = False
    """Without it one is told what would move."""


class LeavePost(Command):
    """Somebody leaves their posts and there is no successor yet."""

    name: ClassVar[str] = "leave_post"
    may: ClassVar[str | None] = "assign"
    who: Whom
    sure: Sure = False


@handles(HandOver)
def hand_over(work: Work, command: HandOver) -> Done:
    """By whoever stands above both; one event for each case, one message for each person."""
    who, to = command.who, command.to
    _must_stand_above(work, who, to)
    if who == to:
        raise Refusal("hand_over.same")
    posts, cases = _posts_of(work, who), _table_of(work, who)
    names: dict[str, Any] = {"name": role_and_name(work, who), "to": role_and_name(work, to)}
    places, count = _places(work, posts), len(cases)
    if not command.sure:
        asked: dict[str, Any] = {"who": who, "to": to, "sure": True}
        choices = _yes_or_no(work, "hand_over", asked)
        raise Refusal("hand_over.sure", posts=places, count=count, choices=choices, **names)
    _end(work, posts, who)
    _take_over(work, posts, to)
    _renew(work, who, to)
    for case in cases:
        pass_on(work, case, who, to)
    tell_moved(work, who, {to: cases}, "hand_over.received", posts=places, name=names["name"])
    work.tell(who, "hand_over.leaver", key=_key(work, who), to=names["to"])
    work.reply("hand_over.done", count=count, **names)
    return Done({"who": who, "to": to, "posts": len(posts), "cases": [case.id for case in cases]})


@handles(LeavePost)
def leave_post(work: Work, command: LeavePost) -> Done:
    """Each case goes to whoever answers for its place now: a colleague there, else one level up."""
    who = command.who
    _must_stand_above(work, who)
    posts, cases = _posts_of(work, who), _table_of(work, who)
    name, places = role_and_name(work, who), _places(work, posts)
    if not command.sure:
        choices = _yes_or_no(work, "leave_post", {"who": who, "sure": True})
        raise Refusal("leave_post.sure", name=name, posts=places, count=len(cases), choices=choices)
    upper = keeper_above(work, who)
    _end(work, posts, who)
    _renew(work, who, None)
    hand_upward(work, who, name, cases)
    _tell_vacant(work, posts, upper)
    work.reply("leave_post.done", name=name, count=len(cases), posts=places)
    return Done({"who": who, "posts": len(posts), "cases": [case.id for case in cases]})


def take_up_orphans(work: Work, people: Iterable[int]) -> None:
    """What lies with people whose last post ended at its time goes on as if they had been seen off."""
    for person in people:
        row = work.session.get(Person, person)
        if row is not None:
            hand_upward(work, person, row.name, _table_of(work, person))


def hand_upward(work: Work, who: int, name: str, cases: Iterable[Incident]) -> None:
    """Give cases of somebody who answers for them no longer to a colleague there, else one level up."""
    moved: defaultdict[int, list[Incident]] = defaultdict(list)
    for case in cases:
        to, case.step = next_in_line(work, case)
        pass_on(work, case, who, to)
        moved[to].append(case)
    tell_moved(work, who, moved, "leave_post.received", name=name)


def _must_stand_above(work: Work, *people: int) -> None:
    if not all(may_speak_for(work, person) for person in people):
        raise NotAllowed()


def _yes_or_no(work: Work, do: str, known: dict[str, Any]) -> list[dict[str, Any]]:
    return [choice(work, do, label="label.sure", **known), choice(work, "keep", label="label.not_sure")]


def _posts_of(work: Work, person: int) -> list[Post]:
    """Posts that are held, or will be."""
    now = col(Post.until).is_(None) | (col(Post.until) > work.now)
    query = select(Post).where(col(Post.person_id) == person, now).order_by(col(Post.id))
    return list(work.session.execute(query).scalars())


def _table_of(work: Work, person: int) -> list[Incident]:
    """Every open case that waits for somebody, is theirs, or comes back to them; locked."""
    helping = select(col(Participant.incident_id)).where(
        col(Participant.person_id) == person,
        col(Participant.part) == Part.HELPER,
        col(Participant.done_at).is_(None),
    )
    theirs = (column == person for column in _HANDS)
    query = (
        select(Incident)
        .where(or_(*theirs, col(Incident.id).in_(helping)), col(Incident.state).in_(OPEN))
        .order_by(col(Incident.id))
    )
    locked = query.with_for_update(of=Incident).execution_options(populate_existing=True)
    return list(work.session.execute(locked).scalars())


_HANDS = (col(Incident.owner_id), col(Incident.approver_id), col(Incident.handler_id))


# ---- posts -----------------------------------------------------------------------------------------------


def _end(work: Work, posts: Iterable[Post], who: int) -> None:
    """The posts end now (what had not begun never begins), and so does every door they opened."""
    for post in posts:
        post.until = max(post.since, work.now)
    for scope in (Scope.BOARD, Scope.API):
        revoke(work.session, who, scope)
    _read_anew(work)


def _take_over(work: Work, posts: Iterable[Post], to: int) -> None:
    held = {(post.role, post.grid_id, post.unit_id) for post in _posts_of(work, to)}
    for post in posts:
        if (post.role, post.grid_id, post.unit_id) not in held:
            since = max(post.since, work.now)
            work.session.add(
                Post(person_id=to, role=post.role, grid_id=post.grid_id, unit_id=post.unit_id, since=since)
            )
    _read_anew(work)


def _renew(work: Work, who: int, to: int | None) -> None:
    """Leaves of who left are over; where they were to act for somebody, the successor does."""
    lasting = col(Leave.until) > work.now
    own = select(Leave).where(col(Leave.person_id) == who, lasting)
    for leave in work.session.execute(own).scalars():
        leave.until = max(leave.since, work.now)
    for leave in work.session.execute(select(Leave).where(col(Leave.deputy_id) == who, lasting)).scalars():
        leave.deputy_id = to if to != leave.person_id else None
    _read_anew(work)


def _read_anew(work: Work) -> None:
    """The rest of this work sees the posts as they are now."""
    work.session.flush()
    registry_changed(work.session)
    work.tree = load_tree(work.session, work.book, work.now)


def _places(work: Work, posts: Sequence[Post]) -> str:
    """What is handed over: 幸福社区第一网格网格员."""
    return "、".join(work.tree.named(post.grid_id) + work.book.role_name(post.role) for post in posts)


# ---- cases -----------------------------------------------------------------------------------------------


def next_in_line(work: Work, case: Incident) -> tuple[int, int]:
    """(person, rung): the unit's other people, the keeper of the rung, of a higher one, or anybody above.

    Where there is nobody at all it stays with whoever gave the command, or has it: it is never nowhere.
    """
    unit = work.tree.unit_people.get(case.unit_id or 0, ())
    if unit:
        return least_loaded(work, unit), case.step
    found = keeper_from(work, case.grid_id, read_promise(case.promise), case.step)
    if found is not None:
        return found
    anybody = someone_above(work, case.grid_id, "handle") or someone_above(work, case.grid_id)
    last = anybody or work.actor.id or case.owner_id
    assert last is not None
    return last, read_promise(case.promise).top


def pass_on(work: Work, case: Incident, who: int, to: int) -> None:
    """The case stays where it stands: what was asked for, its state and its clocks go on."""
    if case.owner_id == who:
        case.owner_id = to
        case.unit_id = case.unit_id if to in work.tree.unit_people.get(case.unit_id or 0, ()) else None
    case.handler_id = to if case.handler_id == who else case.handler_id
    if case.request is not None:
        _pass_request_on(work, case, who, to)
    _pass_part_on(work, case, who, to)
    make(work, case, Move.HAND_OVER, to=to, former=who, step=case.step)
    settle(work, case)


def _pass_request_on(work: Work, case: Incident, who: int, to: int) -> None:
    """Nobody decides on what they have asked for themselves."""
    assert case.request is not None
    if case.request["by"] == who:
        case.request = {**case.request, "by": to}
    if case.approver_id == who:
        case.approver_id = to
    if case.approver_id == case.request["by"]:
        asker = case.request["by"]
        case.approver_id = (
            someone_above(work, case.grid_id, "review", over=asker, besides=(asker,))
            or someone_above(work, case.grid_id, "review", besides=(asker,))
            or work.actor.id
        )


def _pass_part_on(work: Work, case: Incident, who: int, to: int) -> None:
    parts = {part.person_id: part for part in participants(work, case, Part.HELPER)}
    mine = parts.get(who)
    if mine is None or mine.done_at is not None:
        return
    if to in parts or to == case.owner_id:
        mine.done_at = work.now
        return
    query = update(Participant).where(col(Participant.id) == mine.id).values(person_id=to)
    work.session.execute(query)


# ---- who is told -----------------------------------------------------------------------------------------


def _key(work: Work, who: int) -> str:
    return f"handover:{who}:{work.now.isoformat()}"


def tell_moved(work: Work, who: int, moved: dict[int, list[Incident]], text: str, **args: Any) -> None:
    """Each who takes over hears it once, each reporter at most once."""
    for to, cases in moved.items():
        if to != work.actor.id:
            work.tell(to, text, key=_key(work, who), count=len(cases), **args)
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    owners: defaultdict[int, set[int | None]] = defaultdict(set)
    for case in (case for cases in moved.values() for case in cases if case.state in _WAITED_FOR):
        for part in participants(work, case, Part.REPORTER):
            numbers[part.person_id].append(known_number(case, part))
            owners[part.person_id].add(case.owner_id)
    for person, known in numbers.items():
        if person not in (who, work.actor.id, *owners[person]):
            _tell_reporter(work, who, person, known, owners[person])


def _tell_reporter(work: Work, who: int, person: int, known: list[int], owners: set[int | None]) -> None:
    shown = "、".join(str(number) for number in known[:NAMED])
    more = work.word("hand_over.more", count=len(known)) if len(known) > NAMED else ""
    owner = role_and_name(work, next(iter(owners))) if len(owners) == 1 else work.word("hand_over.several")
    work.tell(person, "hand_over.reporter", key=_key(work, who), numbers=f"{shown}{more}", owner=owner)


def _tell_vacant(work: Work, posts: Iterable[Post], upper: int | None) -> None:
    """A grid without anybody is told to whoever gets its cases from now on."""
    for post in posts:
        level = work.book.level(work.tree.at(post.grid_id).level)
        if post.unit_id is None and post.role == level.keeper and not work.tree.keepers(post.grid_id):
            keeper = someone_above(work, post.grid_id) or upper
            if keeper is not None:
                place, role = work.tree.named(post.grid_id), work.book.role_name(post.role)
                work.tell(keeper, "leave_post.vacant", key=f"vacant:{post.id}", place=place, role=role)
