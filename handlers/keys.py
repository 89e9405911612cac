"""Keys: who is let in by a link, a bearer token, or a chat on our own pages. The program alone gives them."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from handlers.audit import note
from handlers.command import Done, OwnCommand, handles
from handlers.tokens import issue, open_chat, revoke
from handlers.work import Work
from models import Deed, Scope, Subject


class GiveKey(OwnCommand):
    """Give a person a key to one door, for some days."""

    name: ClassVar[str] = "give_key"
    person: int
    scope: Scope
    days: int = Field(ge=1)


class TakeKeys(OwnCommand):
    """Take away all of a person's keys to a door: a lost phone, a post that ended."""

    name: ClassVar[str] = "take_keys"
    person: int
    scope: Scope


class OpenChat(OwnCommand):
    """Give a person who has shown a key an account on a channel of our own, unless there is one."""

    name: ClassVar[str] = "open_chat"
    person: int
    channel: str


@handles(GiveKey)
def give_key(work: Work, command: GiveKey) -> Done:
    """The key is in what is done and nowhere else: only its digest is kept."""
    note(work, Deed.GIVE_KEY, Subject.PERSON, command.person)
    until = work.now + timedelta(days=command.days)
    return Done({"key": issue(work.session, command.person, command.scope, work.now, until)})


@handles(TakeKeys)
def take_keys(work: Work, command: TakeKeys) -> Done:
    """None of them opens anything from now on."""
    note(work, Deed.TAKE_KEYS, Subject.PERSON, command.person)
    revoke(work.session, command.person, command.scope)
    return Done()


@handles(OpenChat)
def open_own_chat(work: Work, command: OpenChat) -> Done:
    """The handle under which the person speaks."""
    return Done({"handle": open_chat(work.session, command.channel, command.person, work.now)})
