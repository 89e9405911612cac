"""Accounts: by which channels a person speaks, and how an account stops being theirs."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from sqlalchemy import select, update
from sqlmodel import col

from handlers.actor import Actor
from handlers.audit import note
from handlers.cases import role_and_name
from handlers.channel_names import channel_name
from handlers.command import Ask, Command, Done, handles
from handlers.invitations import end_all
from handlers.inviting import PHONE, person_meant
from handlers.phones import hide_numbers, keep_phone
from handlers.private import own_chat
from handlers.refusal import Refusal
from handlers.tokens import revoke
from handlers.tree import registry_changed
from handlers.work import Return, Work
from models import Account, Deed, Person, Scope, Subject, Way

_OWN_PAGES = "webchat"


class MyAccounts(Command):
    """By which accounts the person speaks, and when each was last used."""

    name: ClassVar[str] = "my_accounts"
    in_api: ClassVar[bool] = False


class Unbind(Command):
    """Part the account one writes from from the person it was bound to."""

    name: ClassVar[str] = "unbind"
    in_api: ClassVar[bool] = False
    confirm: ClassVar[bool] = True


class ShutOut(Command):
    """A phone was lost: none of a person's accounts and keys opens anything any more."""

    name: ClassVar[str] = "shut_out"
    may: ClassVar[str | None] = "administer"
    confirm: ClassVar[bool] = True
    who: Annotated[str, Ask("text")]


class ChangeNumber(Command):
    """A person has another phone number."""

    name: ClassVar[str] = "change_number"
    stands_alone: ClassVar[bool] = True
    hides: ClassVar[bool] = True
    may: ClassVar[str | None] = "administer"
    who: Annotated[str, Ask("text")]
    phone: Annotated[str, Ask("text")]


@handles(MyAccounts)
def my_accounts(work: Work, command: MyAccounts) -> Done:
    """The one that is written from is marked; handles tell people nothing and are not shown."""
    back = own_chat(work)
    items = [
        {
            "channel": channel_name(work, row.channel),
            "here": work.word("my_accounts.here") if _is_here(row, back) else "",
            "used": row.used_at,
        }
        for row in _accounts(work, work.actor.id)
    ]
    work.reply("my_accounts.list", who=_called(work), items=items)
    return Done({"accounts": len(items)})


@handles(Unbind)
def unbind(work: Work, command: Unbind) -> Done:
    """Only an account that somebody has bound: a resident's reports would be nobody's else."""
    back = own_chat(work)
    accounts = _accounts(work, work.actor.id)
    if not work.actor.is_staff and len(accounts) < 2:
        raise Refusal("unbind.nothing")
    here = [row for row in accounts if _is_here(row, back)]
    note(work, Deed.UNBIND, Subject.PERSON, work.actor.id)
    who, left = _called(work), len(accounts) - len(here)
    newcomer = None
    for account in here:
        newcomer = _part(work, account)
    if back.channel == _OWN_PAGES and work.actor.id is not None:
        _take_keys(work, work.actor.id, (Scope.CHAT, Scope.BOARD))
    if newcomer is not None:
        work.actor = newcomer
    work.reply("unbind.done", who=who, left=left)
    return Done({"left": left})


@handles(ShutOut)
def shut_out(work: Work, command: ShutOut) -> Done:
    """What the lost phone still shows was read before; from now on it is a stranger's."""
    person = person_meant(work, command.who, "shut_out")
    assert person.id is not None
    if person.id == work.actor.id:
        raise Refusal("shut_out.own")
    accounts = _accounts(work, person.id)
    for account in accounts:
        _part(work, account)
    _take_keys(work, person.id, tuple(Scope))
    end_all(work.session, person.id, work.now, *Way)
    note(work, Deed.SHUT_OUT, Subject.PERSON, person.id)
    work.reply("shut_out.done", who=role_and_name(work, person.id), count=len(accounts))
    return Done({"person": person.id, "accounts": len(accounts)})


@handles(ChangeNumber)
def change_number(work: Work, command: ChangeNumber) -> Done:
    """The new number is asked for when the person binds, and shown where colleagues are named."""
    phone = "".join(sign for sign in command.phone if sign.isdigit())
    if PHONE.fullmatch(phone) is None:
        raise Refusal("change_number.no_phone")
    person = person_meant(work, command.who, "change_number")
    row = work.session.get(Person, person.id)
    assert row is not None
    keep_phone(row, phone)
    work.session.flush()
    note(work, Deed.CHANGE_NUMBER, Subject.PERSON, person.id)
    registry_changed(work.session)
    hide_numbers(work)
    work.reply("change_number.done", who=role_and_name(work, person.id), last=phone[-4:])
    return Done({"person": person.id})


# ---- rows ------------------------------------------------------------------------------------------------


def _accounts(work: Work, person_id: int | None) -> list[Account]:
    query = select(Account).where(col(Account.person_id) == person_id).order_by(col(Account.id))
    return list(work.session.execute(query).scalars())


def _is_here(account: Account, back: Return) -> bool:
    return (account.channel, account.handle) == (back.channel, back.handle)


def _part(work: Work, account: Account) -> Actor:
    """The account is a new resident's: whoever holds it can still report, and sees nothing of before."""
    person = Person(name=work.word("who.resident"))
    work.session.add(person)
    work.session.flush()
    work.session.accounts_moved = True
    work.session.execute(update(Account).where(col(Account.id) == account.id).values(person_id=person.id))
    return Actor(person.id, person.name)


def _take_keys(work: Work, person_id: int, scopes: Sequence[Scope]) -> None:
    for scope in scopes:
        revoke(work.session, person_id, scope)


def _called(work: Work) -> str:
    if work.actor.is_staff:
        return role_and_name(work, work.actor.id)
    resident = work.word("who.resident")
    return f"{resident}{work.actor.name.removeprefix(resident)}"
