"""People: who stands behind an account, and whom one can turn to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from handbook.naming import is_called
from handlers.actor import Actor
from handlers.audit import note
from handlers.cases import choice, phone_of, role_and_name, someone_above
from handlers.command import Ask, Command, Done, handles
from handlers.phones import digest_of_phone, hide_numbers, kept_phone
from handlers.tree import Tree
from handlers.work import Work
from handlers.writing import insert_new
from models import Account, Deed, Outbox, Person, Subject
from models.mail import UNSENT

ACCOUNTS = Account.__table__  # type: ignore[attr-defined]
PEOPLE = Person.__table__  # type: ignore[attr-defined]


AFRESH = timedelta(days=1)
"""How old the mark of an account's last use may grow: often enough to tell which one is used now."""


def recognise(
    session: Session, tree: Tree, *, channel: str, handle: str, chat: str, name: str, now: datetime
) -> Actor:
    """The person behind an account; a sender nobody knows becomes a resident and can report at once.

    `chat` is kept when the account is new, so that pushes find their way. `now`: aware UTC.
    """
    known = recognise_all(session, tree, [(channel, handle)]).get((channel, handle))
    if known is not None:
        return known
    account = {"channel": channel, "handle": handle, "chat": chat, "used_at": now, "gone": False}
    return _newcomer(session, name or tree.book.text("who.resident"), account) or recognise(
        session, tree, channel=channel, handle=handle, chat=chat, name=name, now=now
    )


def recognise_all(
    session: Session, tree: Tree, accounts: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Actor]:
    """The people behind many accounts, in one look for each channel; those nobody knows are left out.

    `accounts` are pairs of channel and handle.
    """
    return {
        (channel, row.handle): tree.staff.get(row.id)
        or Actor(row.id, row.name, home_grid_id=row.home_grid_id, phone=row.phone)
        for channel, asked in _by_channel(accounts).items()
        for row in session.execute(
            select(ACCOUNTS.c.handle, PEOPLE.c.id, PEOPLE.c.name, PEOPLE.c.home_grid_id, PEOPLE.c.phone)
            .join(PEOPLE, ACCOUNTS.c.person_id == PEOPLE.c.id)
            .where(ACCOUNTS.c.channel == channel, ACCOUNTS.c.handle.in_(asked))
        )
    }


def met(session: Session, accounts: Iterable[tuple[str, str]], now: datetime) -> None:
    """Note which accounts people use now: pushes go to the latest one, and one that was gone is back.

    `accounts` are pairs of channel and handle whose owners have written in private; `now`: aware UTC.
    """
    for channel, used in _by_channel(accounts).items():
        theirs = ACCOUNTS.c.channel == channel, ACCOUNTS.c.handle.in_(sorted(used))
        shut = ACCOUNTS.c.closed_until.is_not(None)
        stale = or_(ACCOUNTS.c.gone, ACCOUNTS.c.used_at < now - AFRESH, shut)
        back = update(ACCOUNTS).where(*theirs, stale).values(gone=False, used_at=now, closed_until=None)
        people = session.execute(back.returning(ACCOUNTS.c.person_id)).scalars().all()
        if people:
            _let_go(session, people)


def _let_go(session: Session, people: Sequence[int]) -> None:
    """What waited for somebody to write again is due now, in its old order."""
    held = (
        col(Outbox.recipient).in_(sorted({f"p{person}" for person in people})),
        col(Outbox.state).in_(UNSENT),
        col(Outbox.outcome).startswith("closed: "),
    )
    session.execute(update(Outbox).where(*held).values(lease_until=None))


def _by_channel(accounts: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for channel, handle in accounts:
        found.setdefault(channel, []).append(handle)
    return found


def _newcomer(session: Session, name: str, account: dict[str, Any]) -> Actor | None:
    """Enter a resident with their first account; None when another writer has just done it."""
    person = Person(name=name[:40])
    session.add(person)
    session.flush()
    entry = insert_new(session, ACCOUNTS).values(person_id=person.id, **account)
    if session.execute(entry.returning(ACCOUNTS.c.id)).first() is None:
        session.delete(person)
        session.flush()
        return None
    return Actor(person.id, person.name)


def set_home(work: Work, grid_id: int) -> None:
    """Remember where a resident lives once a report has told it; asked once, never again."""
    known = work.actor.home_grid_id
    work.session.execute(
        update(Person)
        .where(col(Person.id) == work.actor.id, col(Person.home_grid_id).is_not_distinct_from(known))
        .values(home_grid_id=grid_id)
    )
    work.actor = replace(work.actor, home_grid_id=grid_id)


def resident_by_phone(work: Work, name: str, phone: str | None) -> int:
    """The resident a worker files for: known by phone and name, else entered with the little that is known.

    A phone may be shared in a family, and whoever holds a post is no resident that others speak for. That
    somebody was found is noted in the audit.
    """
    if phone:
        hide_numbers(work)
        its_digest = col(Person.phone_digest) == digest_of_phone(phone)
        known = select(col(Person.id)).where(its_digest, col(Person.name) == name)
        for found in work.session.execute(known.order_by(col(Person.id))).scalars():
            if found is not None and found not in work.tree.staff:
                note(work, Deed.FIND, Subject.PERSON, int(found))
                return int(found)
    person = Person(name=name, **kept_phone(phone))
    work.session.add(person)
    work.session.flush()
    assert person.id is not None
    return person.id


def has_account(work: Work, person_id: int) -> bool:
    """Whether a person can be written to at all."""
    query = select(col(Account.id)).where(col(Account.person_id) == person_id, col(Account.gone).is_(False))
    return work.session.execute(query.limit(1)).first() is not None


@dataclass(frozen=True)
class Contact:
    """Somebody one can turn to."""

    person: str
    """Role and name."""
    phone: str
    place: str
    """What they answer for, as far as the asker is concerned: their own place."""


class Human(Command):
    """Ask for a human: the name and phone of whoever answers for one's place."""

    name: ClassVar[str] = "human"
    who: Annotated[str, Ask("quiet"), Field(max_length=20)] = ""
    """Somebody asked for by name; only those who answer for the sender's place are given."""


def contact(work: Work, who: str = "") -> Contact | None:
    """The keeper of the sender's own grid or the nearest above; who is asked for where they are among these.

    `who`: a name, or surname and title, as said. Returns None where nobody answers for the place.
    """
    grid_id = work.actor.home_grid_id or (
        work.actor.posts[0].grid_id if work.actor.posts else work.tree.root.id
    )
    person = (who and _in_line(work, grid_id, who)) or (
        someone_above(work, grid_id, "handle", besides=(work.actor.id,))
        or someone_above(work, grid_id, besides=(work.actor.id,))
    )
    if not person:
        return None
    phone = phone_of(work, person) or work.word("said.no_phone")
    return Contact(role_and_name(work, person), phone, work.tree.named(grid_id))


def _in_line(work: Work, grid_id: int, who: str) -> int | None:
    line = {node.id for node in work.tree.upward(grid_id)}
    found = [
        person_id
        for person_id, actor in work.tree.staff.items()
        if is_called(actor.name, who) and any(post.grid_id in line for post in actor.posts)
    ]
    return found[0] if len(found) == 1 else None


@handles(Human)
def human(work: Work, command: Human) -> Done:
    """The keeper of the sender's own grid, or the nearest above."""
    found = contact(work, command.who)
    if found is None:
        work.reply("human.nobody")
        return Done()
    work.reply(
        "human.contact",
        person=found.person,
        phone=found.phone,
        place=found.place,
        choices=[choice(work, "report", label="label.report")],
    )
    return Done({"person": found.person, "phone": found.phone})
