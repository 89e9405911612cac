"""Invitations: made for a person, found by what somebody shows, and ended."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from handlers.tokens import LONGEST, digest_of
from handlers.work import Return
from handlers.writing import insert_new
from models import Invitation, Way, WrongCode

INVITATIONS = Invitation.__table__  # type: ignore[attr-defined]
LASTS = {Way.CODE: timedelta(minutes=10), Way.LINK: timedelta(days=3), Way.LOGIN: timedelta(minutes=10)}
"""For how long each opens what it opens."""
MOST_WRONG = 5
AN_HOUR = timedelta(hours=1)
BINDS = (Way.CODE, Way.LINK)


def make(session: Session, way: Way, person_id: int, made_by: int | None, now: datetime) -> str:
    """Make a secret that opens one thing once. Only its digest is kept, so it can be told this once.

    Args:
        session: of a work that somebody else commits.
        way: what it is good for.
        person_id: whom it stands for.
        made_by: who asked for it; None: whoever runs the program.
        now: aware UTC.

    Returns:
        six digits that nobody else holds at present, or 33 characters that may stand in a link.
    """
    _forget_old(session, now)
    row = {"way": way, "person_id": person_id, "made_by": made_by, "made_at": now, "until": now + LASTS[way]}
    while True:
        secret = f"{secrets.randbelow(900_000) + 100_000}" if way is Way.CODE else f"b{secrets.token_hex(16)}"
        entry = insert_new(session, INVITATIONS).values(digest=digest_of(secret), tries=0, **row)
        if session.execute(entry.returning(INVITATIONS.c.id)).first() is not None:
            return secret


def _forget_old(session: Session, now: datetime) -> None:
    """What is over gives its digits free."""
    over = (INVITATIONS.c.until <= now, INVITATIONS.c.digest.is_not(None))
    session.execute(update(INVITATIONS).where(*over).values(digest=None))


def shown(session: Session, secret: str, now: datetime, *ways: Way) -> Invitation | None:
    """The invitation that somebody shows, used or not, held until the work commits; None for any other.

    Held, because two people may show the same at once: the second sees what became of it.
    """
    if not 0 < len(secret) <= LONGEST:
        return None
    found: Invitation | None = session.execute(
        select(Invitation)
        .where(
            col(Invitation.digest) == digest_of(secret),
            col(Invitation.way).in_(ways),
            col(Invitation.until) > now,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return found


def end_all(session: Session, person_id: int, now: datetime, *ways: Way) -> None:
    """End what was made for a person and is not used yet; ten minutes of waiting are not needed for it."""
    open_ones = (INVITATIONS.c.person_id == person_id, INVITATIONS.c.way.in_(ways))
    unused = (INVITATIONS.c.used_at.is_(None), INVITATIONS.c.until > now)
    session.execute(update(INVITATIONS).where(*open_ones, *unused).values(until=now, digest=None))


def made_since(session: Session, person_id: int, way: Way, since: datetime) -> int:
    """How many were made for a person since a moment, whatever became of them."""
    query = select(func.count()).where(
        col(Invitation.person_id) == person_id, col(Invitation.way) == way, col(Invitation.made_at) > since
    )
    return int(session.execute(query).scalar_one())


# ---- who guesses -----------------------------------------------------------------------------------------


def guesses_too_much(session: Session, back: Return, now: datetime) -> bool:
    """Whether an account has shown too many wrong codes within the hour."""
    query = select(func.count()).where(
        col(WrongCode.channel) == back.channel,
        col(WrongCode.handle) == back.handle,
        col(WrongCode.at) > now - AN_HOUR,
    )
    return int(session.execute(query).scalar_one()) >= MOST_WRONG


def note_wrong(session: Session, back: Return, now: datetime) -> None:
    """Keep that an account showed a wrong code, for an hour."""
    own = (col(WrongCode.channel) == back.channel, col(WrongCode.handle) == back.handle)
    session.execute(delete(WrongCode).where(*own, col(WrongCode.at) <= now - AN_HOUR))
    session.add(WrongCode(channel=back.channel, handle=back.handle, at=now))
    session.flush()
