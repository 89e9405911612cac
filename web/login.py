"""Tells who asks: by a bearer token, by a cookie that a link has set, by a demo seat, or as a guest."""

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import ColumnElement, literal_column, select
from sqlmodel import col

from handlers.actor import Actor
from handlers.command import Done, perform
from handlers.keys import OpenChat
from handlers.refusal import Refusal
from handlers.signing_in import StayIn, is_used_again
from handlers.tokens import LONGEST, actor_of, chat_account, digest_of, person_of, seats
from handlers.work import Reading
from handlers.writing import Writing
from models import Account, Scope
from web.parts import Parts
from web.reading import Looks

WEBCHAT: Final = "webchat"
OURS: Final[ColumnElement[str]] = literal_column(f"'{WEBCHAT}'")
"""The same in SQL: as a literal, so that an index over this channel's rows alone can be used."""
GUEST: Final = "xiaoge_guest"
_COOKIES: Final = {Scope.CHAT: "xiaoge_chat", Scope.BOARD: "xiaoge_board"}
_A_YEAR: Final = 365 * 24 * 3600


@dataclass(frozen=True)
class Keys:
    """What a request brings to show who asks."""

    seat: str | None
    """Seat of the demo that the page speaks for; None outside the demo, where nobody may choose."""
    bearer: str
    cookies: Mapping[str, str]


@dataclass(frozen=True)
class Speaker:
    """Whose chat a page shows."""

    handle: str
    actor: Actor | None
    """None: a guest of whom nothing has been heard yet."""
    seat: str | None = None


def keys_of(parts: Parts, request: Request) -> Keys:
    """Take from a request what may show who asks."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return Keys(
        seat=request.query_params.get("seat") if parts.demo else None,
        bearer=token.strip() if scheme.lower() == "bearer" else "",
        cookies=cookies_of(parts, request),
    )


def cookies_of(parts: Parts, request: Request) -> Mapping[str, str]:
    """The cookies of this place by their plain names; other places', or an earlier setup's, are nobody's."""
    if not parts.mark:
        return request.cookies
    ours = ((name.removesuffix(parts.mark), name) for name in request.cookies if name.endswith(parts.mark))
    return {plain: request.cookies[name] for plain, name in ours}


def holder(reading: Reading, keys: Keys, scope: Scope) -> Actor | None:
    """The person whose key to a door a request brings; None without one."""
    person_id = _person(reading, keys, scope)
    return None if person_id is None else actor_of(reading.session, reading.tree, person_id)


def _person(reading: Reading, keys: Keys, scope: Scope) -> int | None:
    if scope is Scope.API:
        return person_of(reading.session, keys.bearer, scope, reading.now)
    if keys.seat is not None:
        return seats(reading.session).get(keys.seat)
    token = keys.bearer or keys.cookies.get(_COOKIES[scope], "")
    return person_of(reading.session, token, scope, reading.now)


def speaker(reading: Reading, keys: Keys) -> Speaker | None:
    """Whose chat a request is about; None when it must open the chat page first."""
    actor = holder(reading, keys, Scope.CHAT)
    if actor is not None and actor.id is not None:
        handle = chat_account(reading.session, WEBCHAT, actor.id)
        return None if handle is None else Speaker(handle, actor, keys.seat)
    if _has_key(keys):
        return None
    secret = keys.cookies.get(GUEST, "")
    if keys.seat is not None or not 0 < len(secret) <= LONGEST:
        return None
    handle = guest_handle(secret)
    return Speaker(handle, _known(reading, handle))


def _has_key(keys: Keys) -> bool:
    """Whether a chat's key was brought at all: one that is over never makes a worker a guest unawares."""
    return keys.seat is None and bool(keys.cookies.get(_COOKIES[Scope.CHAT]))


def guest_handle(secret: str) -> str:
    """The account name of whoever holds a guest's cookie; the secret itself is kept nowhere."""
    return f"guest-{digest_of(secret)[:32]}"


def _known(reading: Reading, handle: str) -> Actor | None:
    query = select(col(Account.person_id)).where(
        col(Account.channel) == WEBCHAT, col(Account.handle) == handle
    )
    person_id = reading.session.execute(query).scalar()
    return None if person_id is None else actor_of(reading.session, reading.tree, person_id)


async def arrive(parts: Parts, looks: Looks, keys: Keys) -> tuple[Speaker | None, str | None]:
    """Let somebody into the chat page.

    Returns:
        the speaker, None for an unknown seat; and a new guest's secret when a cookie has to be set.

    Raises a 401 once for whoever brings a key that is over; the next time they are a guest.
    """
    found = await looks(lambda reading: speaker(reading, keys))
    if found is not None:
        return found, None
    actor = await looks(lambda reading: holder(reading, keys, Scope.CHAT))
    if actor is not None and actor.id is not None:
        handle = await _new_account(parts, actor.id)
        return Speaker(handle, actor, keys.seat), None
    if keys.seat is not None:
        return None, None
    if _has_key(keys):
        over = f"{_COOKIES[Scope.CHAT]}{parts.mark}=; Path={parts.base or '/'}; Max-Age=0"
        words = "登录已经过期，请在聊天里重新回复“登录”；只是上报事情，再打开一次这个页面就行。"
        raise HTTPException(401, words, {"set-cookie": over})
    secret = token_urlsafe(32)
    return Speaker(guest_handle(secret), None), secret


async def _new_account(parts: Parts, person_id: int) -> str:
    def job(session: Writing) -> Done | Refusal:
        work = parts.desk.work_in(session, channel=WEBCHAT)
        outcome = perform(work, OpenChat(person=person_id, channel=WEBCHAT))
        work.flush()
        return outcome

    outcome = await parts.lane.run(job)
    assert isinstance(outcome, Done)
    return str(outcome.data["handle"])


async def come_by_link(parts: Parts, looks: Looks, request: Request, scope: Scope) -> Response | None:
    """Take the token out of a link: kept as a cookie no script can read, and gone from the address line.

    Returns None when the link brings none. Raises a 403 for one that opens nothing (any more).
    """
    token = request.query_params.get("t")
    if token is None:
        return None
    keys = Keys(None, token, {})
    actor = await looks(lambda reading: holder(reading, keys, scope))
    if actor is None:
        raise HTTPException(403, "这个链接已经失效，请重新获取。")
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "t"]
    answer = RedirectResponse(f"{parts.base}{request.url.path}{'?' if rest else ''}{urlencode(rest)}", 303)
    set_cookie(parts, answer, _COOKIES[scope], token)
    return answer


async def stay(parts: Parts, looks: Looks, request: Request, scope: Scope) -> None:
    """Put off the end of a session that is in use, now and then."""
    key = cookies_of(parts, request).get(_COOKIES[scope], "")
    if not 0 < len(key) <= LONGEST:
        return
    if not await looks(lambda reading: is_used_again(reading.session, key, reading.now)):
        return

    def job(session: Writing) -> None:
        work = parts.desk.work_in(session, channel=WEBCHAT)
        perform(work, StayIn(key=key))
        work.flush()

    await parts.lane.run(job)


def keep_key(parts: Parts, answer: Response, scope: Scope, key: str) -> None:
    """Keep a key to a door in the browser."""
    set_cookie(parts, answer, _COOKIES[scope], key)


def forget_cookie(parts: Parts, answer: Response, scope: Scope) -> None:
    """Take a key to a door out of the browser."""
    name = f"{_COOKIES[scope]}{parts.mark}"
    answer.delete_cookie(name, parts.base or "/", httponly=True, samesite="lax", secure=parts.secure)


def set_cookie(parts: Parts, answer: Response, name: str, value: str) -> None:
    """Keep a secret in the browser, out of scripts' and other sites' reach."""
    answer.set_cookie(
        f"{name}{parts.mark}",
        value,
        max_age=_A_YEAR,
        path=parts.base or "/",
        httponly=True,
        samesite="lax",
        secure=parts.secure,
    )
