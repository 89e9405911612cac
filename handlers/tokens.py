"""Tokens: who may come in by a door that has no chat account behind it."""

import secrets
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, select
from sqlmodel import Session, col

from handlers.actor import Actor
from handlers.tree import Tree
from models import Account, Person, Scope, Token

LONGEST = 200
"""Characters of anything that may be a token; ours have 43."""


def issue(
    session: Session,
    person_id: int,
    scope: Scope,
    now: datetime,
    until: datetime | None = None,
    idle: int | None = None,
) -> str:
    """Give a person a key to one door. Only its digest is kept, so it can be shown this once.

    Args:
        session: of a work that somebody else commits.
        person_id: whose key it is.
        scope: the door it opens, and no other.
        now: aware UTC.
        until: when it stops opening; None: never.
        idle: minutes by which using it puts `until` off; None: nothing does.

    Returns:
        the token, 43 characters that may stand in a link.
    """
    token = secrets.token_urlsafe(32)
    row = Token(
        digest=digest_of(token), person_id=person_id, scope=scope, made_at=now, until=until, idle=idle
    )
    session.add(row)
    session.flush()
    return token


def person_of(session: Session, token: str, scope: Scope, now: datetime) -> int | None:
    """Tell whose key this is; None for a stranger's, an old one, or one to another door.

    Looked up by digest: how long it takes tells nothing about how much of a guess was right.
    """
    if not 0 < len(token) <= LONGEST:
        return None
    row = session.execute(
        select(col(Token.person_id), col(Token.until)).where(
            col(Token.digest) == digest_of(token), col(Token.scope) == scope
        )
    ).first()
    if row is None or (row.until is not None and row.until <= now):
        return None
    return int(row.person_id)


def revoke(session: Session, person_id: int, scope: Scope) -> None:
    """Take away all of a person's keys to a door (a lost phone, a post that ended)."""
    session.execute(delete(Token).where(col(Token.person_id) == person_id, col(Token.scope) == scope))


def digest_of(token: str) -> str:
    """What is kept of a token; 256 random bits need no slow hash."""
    return sha256(token.encode(errors="replace")).hexdigest()


def actor_of(session: Session, tree: Tree, person_id: int) -> Actor | None:
    """The person as an actor, with the posts held today; None when there is no such person."""
    known = tree.staff.get(person_id)
    if known is not None:
        return known
    row = session.get(Person, person_id)
    if row is None:
        return None
    return Actor(person_id, row.name, home_grid_id=row.home_grid_id, phone=row.phone)


def seats(session: Session) -> dict[str, int]:
    """The demo's seats: short name -> person, in the order the town sheet has them."""
    rows = session.execute(
        select(col(Person.seat), col(Person.id)).where(col(Person.seat).is_not(None)).order_by(col(Person.id))
    )
    return {row.seat: row.id for row in rows}


def chat_account(session: Session, channel: str, person_id: int) -> str | None:
    """The handle a person speaks under on a channel; None where they have none yet."""
    query = select(col(Account.handle)).where(
        col(Account.channel) == channel, col(Account.person_id) == person_id
    )
    found: str | None = session.execute(query.order_by(col(Account.id)).limit(1)).scalar()
    return found


def open_chat(session: Session, channel: str, person_id: int, now: datetime) -> str:
    """Give a person an account on a channel of our own, where our word on who they are is enough.

    Returns the handle; the one they have already, if any.
    """
    found = chat_account(session, channel, person_id)
    if found is not None:
        return found
    handle = new_handle(person_id)
    session.add(Account(channel=channel, handle=handle, chat=handle, person_id=person_id, used_at=now))
    session.flush()
    return handle


def new_handle(person_id: int) -> str:
    """Name an account of our own channel: it tells nothing but a number, and cannot be guessed."""
    return f"p{person_id}-{secrets.token_hex(8)}"
