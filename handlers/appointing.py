"""Appointing: somebody is given a post on a grid, or one post of several is taken away."""

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, Field
from sqlalchemy import select
from sqlmodel import col

from handbook.addresses import spelt_alike
from handbook.personal import find_personal
from handbook.personal_kinds import Personal
from handbook.posts import is_persons_name, without_link, words_apart
from handlers.audit import note
from handlers.cases import choice
from handlers.command import Ask, Command, Done, handles
from handlers.grids.reposting import cases_below
from handlers.handovers import hand_upward
from handlers.inviting import person_meant
from handlers.phones import digest_of_phone, hide_numbers, keep_phone
from handlers.refusal import NotAllowed, Refusal
from handlers.registry.values import pick
from handlers.sealed_words import given_words, seal_words
from handlers.standing import may_speak_for
from handlers.teams import standing_called, warnings_on
from handlers.tree import load_tree, registry_changed
from handlers.work import Work
from models import Account, Deed, Incident, Person, Post, Subject


class Appoint(Command):
    """Give somebody a post on a grid: 任命 王芳 第一网格 网格员."""

    name: ClassVar[str] = "appoint"
    stands_alone: ClassVar[bool] = True
    hides: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    post: Annotated[str, Ask("text"), Field(min_length=2, max_length=120)]
    """A name; in a chat also the grid, the post, a phone and what the person is besides, in any order."""
    grid: Annotated[int | None, Ask("quiet")] = None
    role: Annotated[str | None, Ask("quiet")] = None
    phone: Annotated[str | None, Ask("quiet")] = None
    standing: Annotated[str | None, Ask("quiet"), Field(max_length=80)] = None
    until: Annotated[AwareDatetime | None, Ask("quiet")] = None
    sealed: Annotated[str, Ask("quiet")] = ""
    """The phone, as a choice carries it on."""


class Dismiss(Command):
    """Take one post away, of somebody who keeps others: 免去 王芳 第一网格 网格员."""

    name: ClassVar[str] = "dismiss"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    post: Annotated[str, Ask("text"), Field(min_length=2, max_length=120)]
    grid: Annotated[int | None, Ask("quiet")] = None
    role: Annotated[str | None, Ask("quiet")] = None


# ---- giving ----------------------------------------------------------------------------------------------


@handles(Appoint)
def appoint(work: Work, command: Appoint) -> Done:
    """By whoever administers the grid, and never a post that may do more than their own."""
    said = _said(work, command)
    grid = _grid(work, said)
    _must_administer(work, grid)
    role = _role(work, said)
    _must_be_below(work, grid, role)
    person = _person(work, said, grid)
    assert person.id is not None
    if any((post.grid_id, post.role) == (grid, role) for post in _posts(work, person.id)):
        raise Refusal(
            "appoint.already", name=person.name, place=work.tree.named(grid), role=_word(work, role)
        )
    if command.until is not None and command.until <= work.now:
        raise Refusal("appoint.past")
    work.session.add(
        Post(
            person_id=person.id,
            role=role,
            grid_id=grid,
            since=work.now,
            until=command.until,
            standing=said.get("standing"),
        )
    )
    _read_anew(work)
    note(work, Deed.APPOINT, Subject.PERSON, person.id)
    hide_numbers(work)
    warned = warnings_on(work, person.id, role)
    place = work.tree.named(grid)
    work.reply(
        "appoint.warned" if warned else "appoint.done",
        name=person.name,
        place=place,
        role=_word(work, role),
        warnings="\n".join(warned[:2]),
    )
    work.tell(
        person.id,
        "appoint.told",
        key=f"appointed:{person.id}:{grid}:{role}:{work.now.isoformat()}",
        place=place,
        role=_word(work, role),
    )
    return Done({"person": person.id, "grid": grid, "role": role, "warnings": warned})


def _said(work: Work, command: Appoint | Dismiss) -> dict[str, Any]:
    """The fields that are given, and those that stand in the words."""
    found: dict[str, Any] = {
        name: value
        for name in ("grid", "role", "phone", "standing")
        if (value := getattr(command, name, None))
    }
    if isinstance(command, Appoint) and command.sealed:
        found["phone"] = given_words(command.sealed)
    left = command.post
    number = next((one for one in find_personal(left) if one.kind is Personal.PHONE), None)
    if number is not None:
        found.setdefault("phone", number.value)
        left = f"{left[: number.start]} {left[number.end :]}"
    left = _take_role(work, left, found)
    left = take_grid(work, left, found)
    left = _take_standing(work, left, found)
    found["name"] = " ".join(words_apart(left))
    return found


def _take_role(work: Work, words: str, found: dict[str, Any]) -> str:
    """The longest name of a role in the words."""
    names = {role.name: key for key, role in work.book.roles.items()}
    for name in sorted(names, key=len, reverse=True):
        if name in words and "role" not in found:
            found["role"] = names[name]
            return words.replace(name, " ", 1)
    options = {key: (role.name,) for key, role in work.book.roles.items()}
    for part in (part for part in words_apart(words) if len(part) > 1):
        role = pick(part, options)
        if role is not None and "role" not in found:
            found["role"] = role
            return words.replace(part, " ", 1)
    return words


def take_grid(work: Work, words: str, found: dict[str, Any]) -> str:
    """Take out the words that are a grid's name, wherever they begin: 王芳当第一网格的.

    `found` gets `grid`, or `grids` where several are called so. Returns the words that are left.
    """
    if "grid" in found:
        return words
    own = tuple(post.path for post in work.actor.own_posts)
    parts = words_apart(words)
    for at in range(len(parts)):
        for to in range(len(parts), at, -1):
            phrase = "".join(parts[at:to])
            for start in range(max(len(parts[at]) - 1, 1)):
                grids = _grids_called(work, phrase[start:], own)
                if grids:
                    found.update({"grid": grids[0]} if len(grids) == 1 else {"grids": grids})
                    return " ".join((*parts[:at], without_link(parts[at][:start]), *parts[to:]))
    return words


def _grids_called(work: Work, phrase: str, own: tuple[str, ...]) -> list[int]:
    """The grids whose name the whole phrase is."""
    guess = work.tree.places.find(phrase, within=own)
    sure = [guess.best] if guess.sure and guess.best is not None else []
    return [grid for grid in sure or [one.id for one in guess.candidates] if _is_all(work, phrase, grid)]


def _is_all(work: Work, phrase: str, grid: int) -> bool:
    """Whether the words name this grid, perhaps after those above it, and nothing else."""
    left = spelt_alike(phrase)
    for at, node in enumerate(work.tree.upward(grid)):
        names = (spelt_alike(name) for name in (node.name, *node.aliases))
        name = max((one for one in names if one in left), key=len, default="")
        if not name and at == 0:
            return False
        left = left.replace(name, "", 1)
    return not left


def _take_standing(work: Work, words: str, found: dict[str, Any]) -> str:
    kept: list[str] = []
    standings: list[str] = []
    for part in words_apart(words):
        called = standing_called(work.book, part)
        (standings if called in work.book.teams.standings else kept).append(called)
    if standings:
        found.setdefault("standing", "、".join(standings))
    return " ".join(kept)


def _grid(work: Work, said: dict[str, Any]) -> int:
    if "grid" in said:
        return int(said["grid"])
    among = [grid for grid in said.get("grids", []) if grid in work.tree.nodes][:6]
    choices = [
        _again(said, name, grid=grid) for grid, name in zip(among, work.tree.told_apart(among), strict=True)
    ]
    raise Refusal("appoint.grid", choices=choices)


def _role(work: Work, said: dict[str, Any]) -> str:
    role = said.get("role")
    if role in work.book.roles:
        return str(role)
    level = (
        work.book.level(work.tree.nodes[said["grid"]].level) if said.get("grid") in work.tree.nodes else None
    )
    fitting = [key for key in work.book.roles if _may_give(work, said["grid"], key)]
    fitting.sort(key=lambda key: level is None or key != level.keeper)
    choices = [_again(said, _word(work, key), role=key) for key in fitting[:6]]
    raise Refusal("appoint.role", choices=choices)


def _again(said: dict[str, Any], label: str, **more: Any) -> dict[str, Any]:
    """The same, with what was missing."""
    known = {name: said[name] for name in ("grid", "role", "standing") if name in said} | more
    if "phone" in said:
        known["sealed"] = seal_words(said["phone"])
    return {"label": label, "do": "appoint", "known": {"post": said["name"], **known}}


def _must_administer(work: Work, grid: int) -> None:
    node = work.tree.nodes.get(grid)
    if node is None or not work.actor.may_on("administer", node.path):
        raise NotAllowed()


def _may_give(work: Work, grid: int, role: str) -> bool:
    """Whoever gives a post may do there themselves all that it may do."""
    path = work.tree.nodes[grid].path
    may = work.book.roles[role].may
    return role != "resident" and all(work.actor.may_on(ability, path) for ability in may)


def _must_be_below(work: Work, grid: int, role: str) -> None:
    if not _may_give(work, grid, role):
        raise Refusal("appoint.too_high", role=_word(work, role))


def _person(work: Work, said: dict[str, Any], grid: int) -> Person:
    """Known by phone and name, else a colleague of that name; entered where unknown."""
    name, phone = str(said["name"]), said.get("phone")
    if phone is not None:
        query = select(Person).where(col(Person.phone_digest) == digest_of_phone(phone))
        same: Person | None = next(
            (p for p in work.session.execute(query).scalars() if _is_one(work, p, name)), None
        )
        if same is not None:
            return same
    else:
        colleague = _colleague(work, name)
        if colleague is not None:
            return colleague
    if not is_persons_name(name):
        raise Refusal("appoint.name", name=name[:20])
    if phone is None:
        raise Refusal("appoint.phone", name=name, place=work.tree.named(grid))
    person = Person(name=name)
    keep_phone(person, phone)
    work.session.add(person)
    work.session.flush()
    return person


def _is_one(work: Work, person: Person, name: str) -> bool:
    """Whether a post may be given to this record: never to a resident who speaks from an account of their
    own, for whoever gives the post could then bind into what they have said. They bind it to it themselves.
    """
    if person.name != name:
        return False
    account = select(col(Account.id)).where(col(Account.person_id) == person.id).limit(1)
    return person.id in work.tree.staff or work.session.execute(account).first() is None


def _colleague(work: Work, name: str) -> Person | None:
    """Whoever holds a post in one's area already; several of a name are told apart by number."""
    try:
        found = person_meant(work, name, "appoint")
    except Refusal as no:
        if no.text == "people.nobody":
            return None
        raise Refusal("appoint.several", name=name) from no
    person: Person | None = work.session.get(Person, found.id)
    return person


# ---- taking away -----------------------------------------------------------------------------------------


@handles(Dismiss)
def dismiss(work: Work, command: Dismiss) -> Done:
    """The last post is left by 离任 alone, which sees to what lies on the table."""
    said = _said(work, command)
    person = _colleague(work, str(said["name"]))
    if person is None:
        raise Refusal("people.nobody", who=str(said["name"])[:20])
    assert person.id is not None
    if not may_speak_for(work, person.id):
        raise NotAllowed()
    posts = _posts(work, person.id)
    meant = [
        post
        for post in posts
        if post.grid_id == said.get("grid", post.grid_id) and post.role == said.get("role", post.role)
    ]
    if len(posts) == 1 and meant:
        choices = [choice(work, "leave_post", label="label.leave_post", who=person.id)]
        raise Refusal("dismiss.last", name=person.name, choices=choices)
    if len(meant) != 1:
        raise Refusal(
            "dismiss.which", name=person.name, choices=[_one(work, person.name, p) for p in posts[:8]]
        )
    (post,) = meant
    post.until = max(post.since, work.now)
    _read_anew(work)
    note(work, Deed.DISMISS, Subject.PERSON, person.id)
    place, role = work.tree.named(post.grid_id), _word(work, post.role)
    cases = _no_longer_theirs(work, person.id, post)
    hand_upward(work, person.id, person.name, cases)
    work.reply("dismiss.done", name=person.name, place=place, role=role, count=len(cases))
    work.tell(person.id, "dismiss.told", key=f"dismissed:{post.id}", place=place, role=role)
    return Done({"person": person.id, "grid": post.grid_id, "role": post.role})


def _no_longer_theirs(work: Work, person_id: int, post: Post) -> list[Incident]:
    """Their open cases below the post's grid for which no other post of theirs answers."""
    left = {one.grid_id for one in _posts(work, person_id)}
    return [
        case
        for case in cases_below(work, work.tree.at(post.grid_id))
        if person_id in (case.owner_id, case.approver_id)
        and not left & {node.id for node in work.tree.upward(case.grid_id)}
    ]


def _one(work: Work, name: str, post: Post) -> dict[str, Any]:
    label = f"{work.tree.named(post.grid_id)}{_word(work, post.role)}"
    return {"label": label, "do": "dismiss", "known": {"post": name, "grid": post.grid_id, "role": post.role}}


# ---- both ------------------------------------------------------------------------------------------------


def _posts(work: Work, person_id: int) -> list[Post]:
    still = col(Post.until).is_(None) | (col(Post.until) > work.now)
    query = select(Post).where(col(Post.person_id) == person_id, still).order_by(col(Post.id))
    return list(work.session.execute(query).scalars())


def _word(work: Work, role: str) -> str:
    return work.book.role_name(role)


def _read_anew(work: Work) -> None:
    work.session.flush()
    registry_changed(work.session)
    work.tree = load_tree(work.session, work.book, work.now)
