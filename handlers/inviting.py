"""Inviting: an administrator's word on who somebody is, as a code or a link that is good once."""

import re
from typing import Annotated, Any, ClassVar

from sqlalchemy import select
from sqlmodel import col

from handlers.actor import Actor
from handlers.audit import note
from handlers.cases import role_and_name
from handlers.command import Ask, Command, Done, OwnCommand, handles
from handlers.invitations import BINDS, LASTS, end_all, make
from handlers.papers import link_to
from handlers.phones import keep_phone
from handlers.refusal import Refusal
from handlers.tree import registry_changed
from handlers.work import Reading, Work
from models import Deed, PaperKind, Person, Post, Subject, Way

PHONE = re.compile(r"1[3-9]\d{9}")
_NUMBERED = re.compile(r"#(\d{1,9})$")
_MOST = 8
_TOP = "admin"
"""The role of whoever looks after the system, in every book."""


class Invite(Command):
    """Make a code and a link by which an account becomes a worker's or a leader's."""

    name: ClassVar[str] = "invite"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    in_api: ClassVar[bool] = False
    who: Annotated[str, Ask("text")]


class MakeAdministrator(OwnCommand):
    """The command line: the first administrator, whom nobody can invite."""

    name: ClassVar[str] = "make_administrator"
    who: str
    phone: str


@handles(Invite)
def invite(work: Work, command: Invite) -> Done:
    """The code is told to whoever invites, who hands it on; an earlier one of the same person is over."""
    person = person_meant(work, command.who, "invite")
    code, link = _secrets(work, person.id or 0)
    args: dict[str, Any] = {
        "who": role_and_name(work, person.id),
        "code": code,
        "check": _check_words(work, person),
    }
    links = work.links.joining(link)
    if links:
        poster = link_to(work, PaperKind.POSTER, data=_poster(work, person, link, links[0], args))
        printed = work.word("invite.poster", link=poster) if poster else ""
        work.reply("invite.done_link", links="\n".join(links), poster=printed, **args)
    else:
        work.reply("invite.done", **args)
    return Done({"person": person.id})


def _poster(work: Work, person: Actor, secret: str, link: str, args: dict[str, Any]) -> dict[str, Any]:
    """What stands on a paper for one person: who they are, and the link as they would open it.

    `start` is the invitation itself, for a platform that makes codes of its own for it.
    """
    return {
        "who": args["who"],
        "where": "、".join(dict.fromkeys(work.tree.named(post.grid_id) for post in person.posts)),
        "check": args["check"],
        "link": link,
        "start": secret,
        "until": (work.now + LASTS[Way.LINK]).isoformat(),
    }


def _secrets(work: Work, person_id: int) -> tuple[str, str]:
    end_all(work.session, person_id, work.now, *BINDS)
    note(work, Deed.INVITE, Subject.PERSON, person_id)
    code = make(work.session, Way.CODE, person_id, work.actor.id, work.now)
    return code, make(work.session, Way.LINK, person_id, work.actor.id, work.now)


def _check_words(work: Work, person: Actor) -> str:
    return work.word("invite.asks_digits" if person.phone else "invite.asks_nothing")


@handles(MakeAdministrator)
def make_administrator(work: Work, command: MakeAdministrator) -> Done:
    """Found by name and phone, or else by name among those who hold the post; entered where unknown."""
    person = _known_administrator(work, command) or Person(name=command.who)
    keep_phone(person, command.phone)
    work.session.add(person)
    work.session.flush()
    assert person.id is not None
    _give_top_post(work, person.id)
    registry_changed(work.session)
    code, link = _secrets(work, person.id)
    return Done({"person": person.id, "code": code, "links": work.links.joining(link)})


def _known_administrator(work: Work, command: MakeAdministrator) -> Person | None:
    query = select(Person).where(col(Person.name) == command.who).order_by(col(Person.id))
    people = list(work.session.execute(query).scalars())
    with_phone = [person for person in people if person.phone == command.phone]
    holders = work.tree.holders.get((work.tree.root.id, _TOP), ())
    return next(iter([*with_phone, *(person for person in people if person.id in holders)]), None)


def _give_top_post(work: Work, person_id: int) -> None:
    root = work.tree.root.id
    if person_id not in work.tree.holders.get((root, _TOP), ()):
        work.session.add(Post(person_id=person_id, role=_TOP, grid_id=root, since=work.now))


# ---- who is meant ----------------------------------------------------------------------------------------


def person_meant(work: Work, words: str, command: str) -> Actor:
    """The worker or leader whom an administrator names, if all their posts lie in the administrator's area.

    Args:
        work: of the administrator.
        words: a name, a role and a name, or a name with a number behind # where several have it.
        command: given again for the one who is chosen, where several are called so.

    Raises:
        Refusal: nobody there is called so, or several are.
    """
    found = _called(work, words)
    if not found:
        raise Refusal("people.nobody", who=words[:20])
    if len(found) > 1:
        raise Refusal("people.several", who=words[:20], choices=[_one_of(work, a, command) for a in found])
    return found[0]


def _called(reading: Reading, words: str) -> list[Actor]:
    numbered = _NUMBERED.search(words)
    if numbered:
        known = reading.tree.staff.get(int(numbered[1]))
        return [known] if known is not None and _in_area(reading, known) else []
    people = [actor for actor in reading.tree.staff.values() if _in_area(reading, actor)]
    return [a for a in people if words in (a.name, role_and_name(reading, a.id))][:_MOST]


def _in_area(reading: Reading, actor: Actor) -> bool:
    """All of the posts: who also stands higher up is not to be shut out from below."""
    return all(reading.actor.may_on("administer", post.path) for post in actor.posts)


def _one_of(reading: Reading, actor: Actor, command: str) -> dict[str, object]:
    place = reading.tree.named(actor.posts[0].grid_id)
    label = f"{place}{role_and_name(reading, actor.id)}"
    return {"label": label, "do": command, "known": {"who": f"{actor.name}#{actor.id}"}}
