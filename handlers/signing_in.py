"""Signing in: leaders and workers get into the pages by a link they ask for in their own chat."""

from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from handlers.command import Command, Done, OwnCommand, handles
from handlers.invitations import end_all, made_since, make, shown
from handlers.private import own_chat
from handlers.refusal import Refusal
from handlers.tokens import actor_of, digest_of, issue
from handlers.work import Work
from models import Scope, Token, Way

IDLE = timedelta(hours=12)
"""Without use a session ends after so long: the next working day begins with a new link."""
_OFTEN = timedelta(minutes=10)
_MOST = 3
_AFRESH = timedelta(minutes=5)
"""How much of a session's time may pass before using it is noted."""


class SignIn(Command):
    """Ask for a link that opens the pages once: no password that could be lost."""

    name: ClassVar[str] = "sign_in"
    in_api: ClassVar[bool] = False


class ComeIn(OwnCommand):
    """Whoever brings a link is let into the pages; the web door gives it."""

    name: ClassVar[str] = "come_in"
    secret: str


class StayIn(OwnCommand):
    """A session is in use: it ends later; the web door gives it."""

    name: ClassVar[str] = "stay_in"
    key: str


@handles(SignIn)
def sign_in(work: Work, command: SignIn) -> Done:
    """One link at a time: asking again ends the one before."""
    own_chat(work)
    if not work.actor.is_staff or work.actor.id is None:
        raise Refusal("sign_in.staff_only")
    if not work.links.web:
        raise Refusal("sign_in.no_address")
    if made_since(work.session, work.actor.id, Way.LOGIN, work.now - _OFTEN) >= _MOST:
        raise Refusal("sign_in.too_often")
    end_all(work.session, work.actor.id, work.now, Way.LOGIN)
    secret = make(work.session, Way.LOGIN, work.actor.id, work.actor.id, work.now)
    work.reply("sign_in.link", link=work.links.login(secret))
    return Done()


@handles(ComeIn)
def come_in(work: Work, command: ComeIn) -> Done:
    """The keys are in what is done and nowhere else; which page is the person's first is told beside."""
    link = shown(work.session, command.secret, work.now, Way.LOGIN)
    actor = None if link is None else actor_of(work.session, work.tree, link.person_id)
    if link is None or link.used_at is not None or actor is None or not actor.is_staff:
        raise Refusal("sign_in.over")
    link.used_at = work.now
    work.session.flush()
    until, minutes = work.now + IDLE, int(IDLE.total_seconds() // 60)
    keys = {
        str(scope): issue(work.session, link.person_id, scope, work.now, until, minutes)
        for scope in (Scope.BOARD, Scope.CHAT)
    }
    return Done({"keys": keys, "page": "/board" if actor.may("oversee") else "/chat"})


@handles(StayIn)
def stay_in(work: Work, command: StayIn) -> Done:
    """Only a session that has not ended yet."""
    mine = (col(Token.digest) == digest_of(command.key), col(Token.until) > work.now)
    idle = work.session.execute(select(col(Token.idle)).where(*mine)).scalar()
    if idle is not None:
        until = work.now + timedelta(minutes=idle)
        work.session.execute(update(Token).where(*mine).values(until=until))
    return Done()


def is_used_again(session: Session, key: str, now: datetime) -> bool:
    """Whether using this key should put its end off: a session's, noted last some minutes ago."""
    row = session.execute(
        select(col(Token.idle), col(Token.until)).where(
            col(Token.digest) == digest_of(key), or_(col(Token.until).is_(None), col(Token.until) > now)
        )
    ).first()
    if row is None or row.idle is None or row.until is None:
        return False
    return bool(row.until - now < timedelta(minutes=row.idle) - _AFRESH)
