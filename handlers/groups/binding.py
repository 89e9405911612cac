"""Binding: a chat group becomes a grid's work group or service group, and ceases to be one."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field
from sqlalchemy import Table, delete, select
from sqlmodel import col

from handbook.robot_keys import read_robot_key
from handlers.appointing import take_grid
from handlers.audit import note
from handlers.cases import role_and_name
from handlers.channel_names import channel_name
from handlers.command import Ask, Command, Done, handles
from handlers.groups.finding import groups_below
from handlers.groups.words import group_words, purpose_word
from handlers.invitations import guesses_too_much, note_wrong
from handlers.inviting import person_meant
from handlers.phones import hide_numbers
from handlers.private import own_chat
from handlers.refusal import NotAllowed, Refusal
from handlers.tokens import digest_of
from handlers.work import Reading, Work
from handlers.writing import insert_new
from models import Deed, Delivery, Group, GroupCode, MailSort, Purpose, Subject

GROUPS: Table = Group.__table__  # type: ignore[attr-defined]
CODES: Table = GroupCode.__table__  # type: ignore[attr-defined]
CODE_LASTS: Final = timedelta(minutes=10)
_MOST_NAME: Final = 30


class BindGroup(Command):
    """Bind a group: 绑定群 第一网格 工作群; with a robot's address, or the name of a WeChat group."""

    name: ClassVar[str] = "bind_group"
    stands_alone: ClassVar[bool] = True
    hides: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    group: Annotated[str, Ask("text"), Field(min_length=2, max_length=600)]
    """The grid, the purpose, and how the group is reached, in any order."""


class BindHere(Command):
    """Said in a group: the code binds it."""

    name: ClassVar[str] = "bind_here"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    in_group: ClassVar[bool] = True
    code: Annotated[str, Ask("quiet"), Field(max_length=20)]


class UnbindGroup(Command):
    """Let a group be nobody's: 解绑群 第一网格 工作群."""

    name: ClassVar[str] = "unbind_group"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    group: Annotated[str, Ask("text"), Field(min_length=2, max_length=120)]


class ChangeGroupOwner(Command):
    """Say who confirms or forwards for a group: 群主 第一网格 服务群 王芳."""

    name: ClassVar[str] = "group_owner"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    group: Annotated[str, Ask("text"), Field(min_length=2, max_length=120)]


class MyGroups(Command):
    """The groups of one's area, and how each is reached."""

    name: ClassVar[str] = "my_groups"
    may: ClassVar[str | None] = "handle"


# ---- binding ---------------------------------------------------------------------------------------------


@dataclass
class _Said:
    """What the words of a binding tell."""

    grid: int
    purpose: Purpose
    left: str


@handles(BindGroup)
def bind_group(work: Work, command: BindGroup) -> Done:
    """A robot's address binds at once, as does an ordinary group; else a code is given to be said inside."""
    try:
        robot = read_robot_key(command.group)
    except ValueError as wrong:
        raise Refusal("group.robot_wrong", why=str(wrong)) from None
    said = _said(work, robot[2] if robot else command.group)
    _must_be_free(work, said)
    if robot is not None:
        return _bind_robot(work, said, robot[0], robot[1])
    name = _wechat_name(work, said.left)
    return _bind_relay(work, said, name) if name is not None else _give_code(work, said)


def _said(work: Work, words: str) -> _Said:
    """Raises Refusal for what does not tell grid and purpose, NotAllowed outside one's area."""
    purpose, left = group_words(work, words)
    found: dict[str, Any] = {}
    left = take_grid(work, left, found)
    grid = found.get("grid")
    if purpose is None or grid is None:
        raise Refusal("group.which")
    if not work.actor.may_on("administer", work.tree.at(grid).path):
        raise NotAllowed()
    return _Said(grid, purpose, left.strip())


def _wechat_name(work: Work, words: str) -> str | None:
    """What an ordinary WeChat group is called, where the words say that it is one."""
    sign = work.word("group.words.wechat")
    if sign not in words:
        return None
    return words.replace(sign, " ", 1).strip()[:_MOST_NAME]


def _must_be_free(work: Work, said: _Said) -> None:
    taken = _open(work, said.grid, said.purpose)
    if taken is not None:
        raise Refusal("group.taken", group=taken.name, purpose=purpose_word(work, said.purpose))


def _open(work: Work, grid: int, purpose: Purpose) -> Group | None:
    query = select(Group).where(
        col(Group.grid_id) == grid, col(Group.purpose) == purpose, col(Group.until).is_(None)
    )
    found: Group | None = work.session.execute(query).scalar_one_or_none()
    return found


def _bind_robot(work: Work, said: _Said, channel: str, key: str) -> Done:
    """A word is said there at once, so that a wrong key shows now and not at the first notice."""
    for part in key.split():
        hide_numbers(work, part)
    group = _enter(work, said, Delivery.WEBHOOK, channel=channel, secret=key)
    assert group.id is not None
    work.post(group.id, "group.hello", key=f"group:{group.id}:hello", sort=MailSort.ANSWER, urgent=True)
    work.reply("group.bound_robot", group=group.name, channel=channel_name(work, channel))
    return Done({"group": group.id})


def _bind_relay(work: Work, said: _Said, name: str) -> Done:
    group = _enter(work, said, Delivery.RELAY, owner=work.actor.id, name=name)
    work.reply("group.bound_relay", group=group.name)
    return Done({"group": group.id})


def _give_code(work: Work, said: _Said) -> Done:
    own_chat(work)
    assert work.actor.id is not None
    work.session.execute(delete(CODES).where(CODES.c.until <= work.now))
    row = {"grid_id": said.grid, "purpose": said.purpose, "made_by": work.actor.id}
    while True:
        code = f"{secrets.randbelow(900_000) + 100_000}"
        entry = insert_new(work.session, CODES).values(
            digest=digest_of(code), until=work.now + CODE_LASTS, **row
        )
        if work.session.execute(entry.returning(CODES.c.id)).first() is not None:
            break
    place, purpose = work.tree.named(said.grid), purpose_word(work, said.purpose)
    work.reply("group.code", code=code, place=place, purpose=purpose)
    return Done({"code": code})


@handles(BindHere)
def bind_here(work: Work, command: BindHere) -> Done:
    """Whoever knows the code may say it; it was given to somebody with the right to, and is good once."""
    back = work.back
    if back is None or not back.group:
        raise Refusal("group.only_in_group")
    if guesses_too_much(work.session, back, work.now):
        raise Refusal("bind.too_often")
    code = _taken(work, command.code)
    if code is None:
        note_wrong(work.session, back, work.now)
        work.reply("group.code_wrong")
        return Done({"bound": False})
    said = _Said(code.grid_id, code.purpose, "")
    _must_be_free(work, said)
    group = _enter(work, said, Delivery.APP_CHAT, channel=back.channel, chat=back.chat, owner=code.made_by)
    work.reply("group.bound", group=group.name)
    work.tell(code.made_by, "group.bound_told", key=f"group:{group.id}:bound", group=group.name)
    return Done({"group": group.id})


def _taken(work: Work, code: str) -> GroupCode | None:
    """The code's row, which is gone with this work: of two who say it at once, one finds it."""
    query = select(GroupCode).where(
        col(GroupCode.digest) == digest_of(code.strip()), col(GroupCode.until) > work.now
    )
    found: GroupCode | None = work.session.execute(query.with_for_update()).scalar_one_or_none()
    if found is not None:
        work.session.execute(delete(CODES).where(CODES.c.id == found.id))
        work.session.expunge(found)
    return found


def _enter(
    work: Work,
    said: _Said,
    delivery: Delivery,
    *,
    channel: str | None = None,
    chat: str | None = None,
    secret: str | None = None,
    owner: int | None = None,
    name: str = "",
) -> Group:
    """Enter it; of two who bind the same at once the second is refused by the database."""
    row = {
        "grid_id": said.grid,
        "purpose": said.purpose,
        "delivery": delivery,
        "name": name or f"{work.tree.named(said.grid)}{purpose_word(work, said.purpose)}",
        "channel": channel,
        "chat": chat,
        "secret": secret,
        "owner_id": owner,
        "token": secrets.token_urlsafe(9),
        "since": work.now,
        "bound_by": work.actor.id,
    }
    entry = insert_new(work.session, GROUPS).values(row).returning(GROUPS.c.id)
    entered = work.session.execute(entry).first()
    if entered is None:
        raise Refusal("group.bound_elsewhere")
    note(work, Deed.BIND, Subject.GRID, said.grid)
    group: Group = work.session.get_one(Group, entered.id)
    return group


# ---- looking after them ----------------------------------------------------------------------------------


@handles(UnbindGroup)
def unbind_group(work: Work, command: UnbindGroup) -> Done:
    """What was promised there and not said yet is dropped when its time comes."""
    group = _meant(work, _said(work, command.group))
    group.until, group.secret = work.now, None
    work.session.add(group)
    note(work, Deed.UNBIND, Subject.GRID, group.grid_id)
    work.reply("group.unbound", group=group.name)
    return Done({"group": group.id})


def _meant(work: Work, said: _Said) -> Group:
    group = _open(work, said.grid, said.purpose)
    if group is None:
        place, purpose = work.tree.named(said.grid), purpose_word(work, said.purpose)
        raise Refusal("group.none", place=place, purpose=purpose)
    return group


@handles(ChangeGroupOwner)
def change_group_owner(work: Work, command: ChangeGroupOwner) -> Done:
    """The new owner hears of it, for from now on they are asked."""
    said = _said(work, command.group)
    group = _meant(work, said)
    if not said.left:
        raise Refusal("group.owner_who")
    person = person_meant(work, said.left, "group_owner")
    assert person.id is not None
    group.owner_id = person.id
    work.session.add(group)
    who = role_and_name(work, person.id)
    work.reply("group.owner", group=group.name, who=who)
    work.tell(
        person.id, "group.owner_told", key=f"group:{group.id}:owner:{work.now.isoformat()}", group=group.name
    )
    return Done({"group": group.id, "owner": person.id})


@handles(MyGroups)
def my_groups(work: Work, _: MyGroups) -> Done:
    """Each with its number of the tree, its purpose, and by whom or what words come there."""
    tops = {post.grid_id for post in work.actor.posts if post.unit_id is None}
    found = {group.id: group for top in sorted(tops) for group in groups_below(work, top)}
    if not found:
        raise Refusal("group.none_yet")
    shown = list(found.values())[:_MOST_NAME]
    items = [{"group": group.name, "how": way_word(work, group)} for group in shown]
    work.reply("group.list", count=len(found), items=items)
    return Done({"groups": [{"id": group.id, "name": group.name} for group in shown]})


def way_word(reading: Reading, group: Group) -> str:
    """How words come into a group, in a few of the place's."""
    if group.delivery is Delivery.RELAY:
        owner = role_and_name(reading, group.owner_id) if group.owner_id else ""
        return reading.word("group.way_relay", owner=owner)
    key = "group.way_confirm" if group.delivery is Delivery.OWNER_CONFIRM else "group.way_itself"
    return reading.word(key, channel=channel_name(reading, group.channel))
