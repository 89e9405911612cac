"""Binding: an account becomes a person's, by a code or a link and the last digits of their phone."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import update
from sqlmodel import col

from handlers.audit import note
from handlers.cases import choice, role_and_name
from handlers.command import Ask, Command, Done, handles
from handlers.invitations import BINDS, end_all, guesses_too_much, note_wrong, shown
from handlers.private import own_chat
from handlers.refusal import Refusal
from handlers.same_person import is_left_empty, merge_away
from handlers.tokens import actor_of
from handlers.work import Work
from models import Account, Deed, Invitation, Person, Subject

MOST_TRIES = 3
_LAST = 4


class Bind(Command):
    """Make the account one writes from that of the person who was invited."""

    name: ClassVar[str] = "bind"
    in_api: ClassVar[bool] = False
    code: Annotated[str, Ask("text"), Field(max_length=200)]
    digits: Annotated[str, Ask("text"), Field(max_length=40)] = ""
    """The last four digits of the person's phone."""


@handles(Bind)
def bind(work: Work, command: Bind) -> Done:
    """Wrong answers are kept, so they are no refusals: nothing of those would stay."""
    back = own_chat(work)
    if guesses_too_much(work.session, back, work.now):
        raise Refusal("bind.too_often")
    invitation = shown(work.session, re.sub(r"\s", "", command.code), work.now, *BINDS)
    if invitation is not None and invitation.used_at is None:
        return _proved(work, invitation, command) or _bound(work, invitation)
    if invitation is not None and invitation.person_id == work.actor.id:
        raise Refusal("bind.already")
    note_wrong(work.session, back, work.now)
    work.reply("bind.wrong")
    return Done({"bound": False})


def _proved(work: Work, invitation: Invitation, command: Bind) -> Done | None:
    """Ask for the last digits of the phone until they are right; None once they are, or without a phone."""
    person = work.session.get(Person, invitation.person_id)
    phone = re.sub(r"\D", "", person.phone or "") if person is not None else ""
    given = re.sub(r"\D", "", command.digits)
    if not phone or (len(given) >= _LAST and given[-_LAST:] == phone[-_LAST:]):
        return None
    again = Done({"bound": False}, asks=("bind", "digits", {"code": command.code}))
    if not command.digits:
        work.reply("bind.digits.ask")
        return again
    invitation.tries += 1
    work.session.flush()
    if invitation.tries < MOST_TRIES:
        work.reply("bind.digits.again", left=MOST_TRIES - invitation.tries)
        return again
    end_all(work.session, invitation.person_id, work.now, *BINDS)
    work.reply("bind.ended")
    _tell_inviter(work, invitation, "invite.ended")
    return Done({"bound": False})


def _bound(work: Work, invitation: Invitation) -> Done:
    """The account is the person's from now on, and so is what a resident has reported by it."""
    person_id, former = invitation.person_id, work.actor.id
    invitation.used_at = work.now
    work.session.flush()
    end_all(work.session, person_id, work.now, *BINDS)
    _tell_inviter(work, invitation, "invite.taken")
    _hand_over(work, person_id)
    if former is not None and former != person_id and is_left_empty(work.session, former):
        merge_away(work.session, former, person_id)
    work.actor = actor_of(work.session, work.tree, person_id) or work.actor
    note(work, Deed.BIND, Subject.PERSON, person_id)
    work.reply("bind.done", who=role_and_name(work, person_id), choices=_first_steps(work))
    return Done({"bound": True, "person": person_id})


def _hand_over(work: Work, person_id: int) -> None:
    back = own_chat(work)
    own = (col(Account.channel) == back.channel, col(Account.handle) == back.handle)
    work.session.accounts_moved = True
    work.session.execute(
        update(Account).where(*own).values(person_id=person_id, used_at=work.now, gone=False)
    )


def _tell_inviter(work: Work, invitation: Invitation, text: str) -> None:
    if invitation.made_by is None or invitation.made_by == work.actor.id:
        return
    who = role_and_name(work, invitation.person_id)
    work.tell(invitation.made_by, text, key=f"invitation:{invitation.id}:{text}", who=who)


def _first_steps(work: Work) -> list[dict[str, Any]]:
    steps = (("todo", "handle"), ("board", "oversee"), ("help", "report"))
    return [choice(work, name) for name, ability in steps if work.actor.may(ability)]
