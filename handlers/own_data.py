"""One's own data: what is kept, who looked at it, all of it to take along, putting right, being forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import select, update
from sqlmodel import col

from handbook.personal import mask_phone
from handlers.audit import Look, looks_at, note
from handlers.cases import choice, role_and_name
from handlers.command import Ask, Command, Done, handles
from handlers.forgetting import forget
from handlers.phones import Phone, hide_numbers, kept_phone
from handlers.refusal import Refusal
from handlers.residents.own import details_of, homes_of, whole_details_of
from handlers.tree import registry_changed
from handlers.work import Reading, Work
from models import Account, Deed, Incident, Part, Participant, Person, Subject

MOST_LOOKS = 5
"""Lines of a list of looks; the rest is a number."""
MOST_IN_A_FILE = 500
_LOOKED = {
    str(Deed.BRIEF): "look.brief",
    str(Deed.PHONE): "look.phone",
    str(Deed.SECRET): "look.secret",
    str(Deed.LIST): "look.list",
}
_WAYS = {"telegram": "way.telegram", "webchat": "way.webchat"}


class MyData(Command):
    """What is kept of me."""

    name: ClassVar[str] = "my_data"


class WhoLooked(Command):
    """Who of the staff looked at my data, or at the cases I reported."""

    name: ClassVar[str] = "who_looked"


class ExportMine(Command):
    """Everything that is kept of me, to take along."""

    name: ClassVar[str] = "export_mine"


class ChangePhone(Command):
    """Put my phone right."""

    name: ClassVar[str] = "change_phone"
    hides: ClassVar[bool] = True
    phone: Annotated[Phone, Ask("text")]


class ChangeName(Command):
    """Put my name right."""

    name: ClassVar[str] = "change_name"
    new_name: Annotated[str, Ask("text"), Field(min_length=1, max_length=40)]


class ForgetMe(Command):
    """Take back my consent: name, phone, accounts and talks go, what I reported stays without my name."""

    name: ClassVar[str] = "forget_me"
    confirm: ClassVar[bool] = True


# ---- looking -------------------------------------------------------------------------------------------


@handles(MyData)
def my_data(work: Work, command: MyData) -> Done:
    """The phone is masked, for a chat may be read over one's shoulder."""
    found = _kept(work)
    work.reply(
        "my_data.card",
        **_shown(work, found),
        count=len(found["cases"]),
        choices=[choice(work, do) for do in _offered(found)],
    )
    if found["homes"] or found["details"]:
        work.reply(
            "my_data.more",
            place="；".join(home["place"] for home in found["homes"] if home["until"] is None)
            or work.word("said.none_kept"),
            items=found["details"],
            choices=[choice(work, do) for do in _offered(found)],
        )
    shown = {name: found[name] for name in ("name", "home", "accounts")}
    masked = {"phone": mask_phone(found["phone"] or ""), "cases": len(found["cases"])}
    return Done({**shown, **masked, "homes": found["homes"], "details": found["details"]})


def _offered(found: dict[str, Any]) -> tuple[str, ...]:
    """What one may do with what is kept."""
    more = ("withdraw_consent", "say_wrong") if found["details"] else ()
    return ("who_looked", "export_mine", "change_phone", *more, "forget_me")


@handles(WhoLooked)
def who_looked(work: Work, command: WhoLooked) -> Done:
    """The latest first; what the program does by itself is no look."""
    count, looks = looks_at(work, _me(work), MOST_LOOKS)
    lines = _lines(work, looks)
    if lines:
        work.reply("who_looked.list", count=count, items=lines)
    else:
        work.reply("who_looked.nobody")
    return Done({"count": count, "items": lines})


@handles(ExportMine)
def export_mine(work: Work, command: ExportMine) -> Done:
    """In a chat as text, the phone masked, for letters lie open in the database; through the API in full."""
    found = _kept(work)
    count, looks = looks_at(work, _me(work), MOST_IN_A_FILE)
    lines = _lines(work, looks)
    note(work, Deed.EXPORT, Subject.PERSON, _me(work))
    work.reply("export_mine.person", at=work.now, **_shown(work, found))
    if found["cases"]:
        work.reply("export_mine.cases", count=len(found["cases"]), items=found["cases"])
    if found["homes"]:
        work.reply("export_mine.homes", items=[_lived(work, home) for home in found["homes"]])
    if found["details"]:
        work.reply("export_mine.details", items=found["details"])
    if lines:
        work.reply("export_mine.looks", count=count, items=lines)
    return Done({**found, "details": whole_details_of(work, _me(work)), "looks": lines})


def _lived(work: Work, home: dict[str, Any]) -> dict[str, Any]:
    until = home["until"]
    return {**home, "until": until if until is not None else work.word("export_mine.until_now")}


def _me(work: Work) -> int:
    """The actor's number. Raises Refusal for whom nothing is kept of."""
    if work.actor.id is None:
        raise Refusal("my_data.nothing")
    return work.actor.id


def _kept(work: Work) -> dict[str, Any]:
    """Everything that is kept of the actor, as a file holds it."""
    person = work.session.get(Person, _me(work), populate_existing=True)
    assert person is not None
    accounts = select(col(Account.channel), col(Account.handle)).where(col(Account.person_id) == person.id)
    return {
        "name": person.name,
        "phone": person.phone,
        "home": work.tree.named(person.home_grid_id) if person.home_grid_id else None,
        "accounts": [
            {"channel": row.channel, "handle": row.handle}
            for row in work.session.execute(accounts.order_by(col(Account.id)))
        ],
        "cases": _cases(work),
        "homes": homes_of(work, _me(work)),
        "details": details_of(work, _me(work)),
    }


def _cases(work: Work) -> list[dict[str, Any]]:
    """What the actor reported, by the numbers they know."""
    part = select(col(Participant.told_as), Incident).join(
        Incident, col(Incident.id) == col(Participant.incident_id)
    )
    mine = (col(Participant.person_id) == work.actor.id, col(Participant.part) == Part.REPORTER)
    rows = work.session.execute(part.where(*mine).order_by(col(Incident.id)).limit(MOST_IN_A_FILE))
    return [
        {
            "number": str(told_as or case.id),
            "at": case.opened_at,
            "what": case.what,
            "place": work.tree.named(case.grid_id),
            "stage": work.stage(case.state),
        }
        for told_as, case in rows
    ]


def _shown(work: Work, found: dict[str, Any]) -> dict[str, Any]:
    """Name, phone, home and accounts in words."""
    ways = dict.fromkeys(account["channel"] for account in found["accounts"])
    return {
        "name": found["name"],
        "phone": mask_phone(found["phone"] or "") or work.word("said.none_kept"),
        "home": found["home"] or work.word("said.none_kept"),
        "accounts": "、".join(work.word(_WAYS[way]) if way in _WAYS else way for way in ways),
    }


def _lines(work: Work, looks: Sequence[Look]) -> list[dict[str, Any]]:
    """Looks in words: when, who, at what."""
    known = _known_numbers(work)
    left = _names_of_those_who_left(work, looks)
    return [
        {
            "at": look.at,
            "who": left.get(look.actor_id) or role_and_name(work, look.actor_id),
            "what": work.word(_LOOKED.get(look.what, "look.person"))
            if look.case is None
            else work.word("look.case", number=known.get(look.case, look.case)),
        }
        for look in looks
    ]


def _known_numbers(work: Work) -> dict[int, int]:
    """Number of a case -> the number by which the actor knows it, where it was merged."""
    query = select(col(Participant.incident_id), col(Participant.told_as)).where(
        col(Participant.person_id) == work.actor.id, col(Participant.told_as).is_not(None)
    )
    return {row.incident_id: row.told_as for row in work.session.execute(query)}


def _names_of_those_who_left(work: Reading, looks: Sequence[Look]) -> dict[int, str]:
    """Names of those who looked when they held a post, and hold none now."""
    gone = {look.actor_id for look in looks} - set(work.tree.staff)
    query = select(col(Person.id), col(Person.name)).where(col(Person.id).in_(gone))
    return {row.id: work.word("who.former", name=row.name) for row in work.session.execute(query)}


# ---- putting right -------------------------------------------------------------------------------------


@handles(ChangePhone)
def change_phone(work: Work, command: ChangePhone) -> Done:
    """It is kept sealed, and taken out of the message that brought it."""
    _correct(work, **kept_phone(command.phone))
    hide_numbers(work)
    work.actor = replace(work.actor, phone=command.phone)
    shown = mask_phone(command.phone)
    work.reply("change_phone.done", phone=shown)
    return Done({"phone": shown})


@handles(ChangeName)
def change_name(work: Work, command: ChangeName) -> Done:
    """A worker's name is that of their post, and others must be able to rely on it."""
    if work.actor.is_staff:
        raise Refusal("change_name.staff")
    name = " ".join(command.new_name.split())
    _correct(work, name=name)
    work.actor = replace(work.actor, name=name)
    work.reply("change_name.done", name=name)
    return Done({"name": name})


def _correct(work: Work, **values: str | None) -> None:
    me = _me(work)
    work.session.execute(update(Person).where(col(Person.id) == me).values(**values))
    note(work, Deed.CORRECT, Subject.PERSON, me)
    if work.actor.is_staff:
        registry_changed(work.session)


# ---- being forgotten -----------------------------------------------------------------------------------


@handles(ForgetMe)
def forget_me(work: Work, command: ForgetMe) -> Done:
    """Whoever writes again from the same account afterwards is somebody new."""
    forget(work, _me(work))
    work.reply("forget_me.done")
    return Done(forgets=True)
