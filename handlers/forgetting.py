"""Forgetting: takes a resident's name, phone, accounts and talks away, and leaves what was reported."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import String, Table, cast, delete, or_, select, update
from sqlmodel import col

from handlers.actor import Actor
from handlers.audit import note
from handlers.refusal import Refusal
from handlers.residents.emptying import empty_details
from handlers.work import Work
from models import (
    Account,
    Conversation,
    Deed,
    Inbox,
    InboxState,
    Incident,
    MailState,
    OptOut,
    Outbox,
    Person,
    Post,
    Receipt,
    Subject,
    Token,
)

INBOX: Table = Inbox.__table__  # type: ignore[attr-defined]
MAIL: Table = Outbox.__table__  # type: ignore[attr-defined]
CHATS: Table = Conversation.__table__  # type: ignore[attr-defined]
_OF_RESIDENTS = (
    *("household", "resident", "reveal", "add_resident", "move_out", "move_to", "died", "restore_resident"),
    *("mark", "unmark", "correct_resident", "segment", "doubles", "join_residents", "undo_join", "say_wrong"),
)
"""Sheets of texts in which workers read of residents."""


def forget(work: Work, person_id: int) -> None:
    """Make the actor somebody of whom nothing is known; the rest of the work goes on as nobody.

    Cases stay, for they are counted and still have to be dealt with; what their reporter wrote in them stays
    as well. Raises Refusal for whoever holds a post.
    """
    _must_hold_no_post(work, person_id)
    person = work.session.get(Person, person_id, populate_existing=True)
    assert person is not None
    make_nobody(work, [person])
    work.actor = Actor(None, person.name)


def make_nobody(work: Work, people: Sequence[Person]) -> None:
    """Take out everything that tells who people are; what is counted stays: cases, and that a door has so
    many behind it. For those who hold no post.
    """
    work.session.flush()
    for person in people:
        _clear_ways(work, person)
    empty_details(
        work.session, [person.id for person in people if person.id is not None], work.word("who.gone")
    )
    for person in people:
        person.name = work.word("who.gone")
        person.forgotten_at = work.now
        person.phone = person.phone_digest = person.home_grid_id = person.seat = None
    work.session.flush()
    for person in people:
        note(work, Deed.FORGET, Subject.PERSON, person.id)


def _clear_ways(work: Work, person: Person) -> None:
    """Take out what was said to somebody and by them, and the ways by which they came."""
    assert person.id is not None
    _clear_letters(work, person)
    _clear_talks(work, person.id)
    if person.seat is None:
        work.session.execute(delete(Account).where(col(Account.person_id) == person.id))
    else:
        _seat_somebody_new(work, person)
    work.session.execute(delete(Token).where(col(Token.person_id) == person.id))
    work.session.execute(delete(OptOut).where(col(OptOut.person_id) == person.id))
    work.session.execute(update(Receipt).where(col(Receipt.person_id) == person.id).values(answer=None))


def _seat_somebody_new(work: Work, person: Person) -> None:
    """In a demo a seat is never empty: whoever plays the resident plays somebody new from now on."""
    new = Person(name=work.word("who.resident"), seat=person.seat)
    work.session.add(new)
    work.session.flush()
    theirs = col(Account.person_id) == person.id
    work.session.execute(update(Account).where(theirs).values(person_id=new.id))


def _must_hold_no_post(work: Work, person_id: int) -> None:
    still = or_(col(Post.until).is_(None), col(Post.until) > work.now)
    held = select(col(Post.id)).where(col(Post.person_id) == person_id, still)
    if work.session.execute(held.limit(1)).first() is not None:
        raise Refusal("forget_me.staff")


def _clear_talks(work: Work, person_id: int) -> None:
    """Empty what was said to us; that a message came stays known, or a platform could deliver it again."""
    mine = select(CHATS.c.chat_key).where(CHATS.c.person_id == person_id)
    keys = set(work.session.execute(mine).scalars())
    if work.back is not None and person_id == work.actor.id:
        keys.add(f"{work.back.channel}|{work.back.chat}|{work.back.handle}")
    said = (INBOX.c.chat_key.in_(keys), INBOX.c.state != InboxState.WAITING)
    work.session.execute(
        update(INBOX).where(*said).values(body={}, trouble=None, chat_key=f"forgotten|{person_id}")
    )
    empty: Mapping[str, Any] = {"state": {}, "person_id": None, "half_done": False}
    work.session.execute(update(CHATS).where(CHATS.c.chat_key.in_(keys)).values(empty))


def _clear_letters(work: Work, person: Person) -> None:
    """Empty what was said to them; in what others were told, take their name and phone out."""
    to_them = MAIL.c.person_id == person.id
    waits = MAIL.c.state == MailState.WAITING
    work.session.execute(update(MAIL).where(to_them, waits).values(state=MailState.DROPPED))
    nothing: Mapping[str, Any] = {"words": None, "args": {}, "choices": [], "chat": None, "handle": None}
    work.session.execute(update(MAIL).where(to_them, MAIL.c.state != MailState.CLAIMED).values(nothing))
    cases = select(col(Incident.id)).where(col(Incident.reporter_id) == person.id)
    query = select(MAIL.c.id, MAIL.c.args, MAIL.c.words).where(MAIL.c.incident_id.in_(cases), ~to_them)
    for row in work.session.execute(query).all():
        telling = {person.name: work.word("who.gone"), person.phone or "": ""}
        change = {"args": _without(row.args, telling), "words": _without(row.words, telling)}
        if change != {"args": row.args, "words": row.words}:
            work.session.execute(update(MAIL).where(MAIL.c.id == row.id).values(change))
    _clear_what_staff_said(work, person)


def _clear_what_staff_said(work: Work, person: Person) -> None:
    """Empty what workers wrote and read of a resident: a door opened, a mark, a list, a double."""
    if len(person.name) < 2:
        return
    of_residents = or_(*(MAIL.c.text.startswith(f"{sheet}.") for sheet in _OF_RESIDENTS))
    named = or_(
        cast(MAIL.c.args, String).contains(person.name, autoescape=True),
        MAIL.c.words.contains(person.name, autoescape=True),
    )
    sent = MAIL.c.state.in_((MailState.SENT, MailState.DROPPED))
    work.session.execute(
        update(MAIL).where(of_residents, named, sent).values(words=None, args={}, choices=[])
    )
    said = cast(INBOX.c.body, String).contains(person.name, autoescape=True)
    staff = select(CHATS.c.chat_key).where(CHATS.c.person_id.in_(select(col(Post.person_id))))
    decided = INBOX.c.state != InboxState.WAITING
    work.session.execute(
        update(INBOX).where(INBOX.c.chat_key.in_(staff), decided, said).values(body={}, trouble=None)
    )


def _without(value: Any, telling: Mapping[str, str]) -> Any:
    """The same with other words in place of those that tell; a single sign tells nobody."""
    if isinstance(value, str):
        for words, instead in telling.items():
            if len(words) > 1:
                value = value.replace(words, instead)
        return value
    if isinstance(value, list):
        return [_without(one, telling) for one in value]
    if isinstance(value, dict):
        return {name: _without(one, telling) for name, one in value.items()}
    return value
