"""Doors that a link opens once: /join makes a browser's chat somebody's, /in lets somebody into the pages.

Opening a link changes nothing by itself: chat programs look at links before people do, and a link that a
preview had used up would open nothing. So each shows a button, and the button acts.
"""

import re
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment

from bot.message import Inbound
from handlers.command import Done, perform
from handlers.refusal import Refusal
from handlers.signing_in import ComeIn
from handlers.writing import Writing
from models import Scope
from web.forms import LARGEST_TEXT, read_form
from web.login import GUEST, WEBCHAT, Keys, Speaker, arrive, cookies_of, forget_cookie, keep_key, set_cookie
from web.newcomers import Newcomers
from web.parts import Parts
from web.reading import Looks
from web.show import page

_SECRET: Final = re.compile(r"b[0-9a-f]{32}")
_FORM_ID: Final = re.compile(r"[A-Za-z0-9-]{8,80}")
_PATIENCE: Final = 2.0
"""Seconds that the answer is waited for, so that the chat shows it at once."""
_ABOUT_JOINING: Final = "这个链接把您在这个浏览器里的对话绑定到您的岗位，只能用一次。"
_ABOUT_COMING_IN: Final = "这个链接只能用一次，进去以后12小时不用会自动退出。"
Secret = Annotated[str, Query(max_length=200)]


def door_routes(parts: Parts, looks: Looks, templates: Environment) -> APIRouter:
    """GET and POST /join and /in."""
    router = APIRouter(include_in_schema=False, max_body_size=LARGEST_TEXT)
    _add_join(router, parts, looks, templates)
    _add_in(router, parts, templates)
    return router


def _add_join(router: APIRouter, parts: Parts, looks: Looks, templates: Environment) -> None:
    newcomers = Newcomers()

    @router.get("/join")
    async def join(c: Secret = "") -> Response:
        return door(templates, c, "/join", "绑定账号", "我是本人，开始绑定", _ABOUT_JOINING)

    @router.post("/join")
    async def joined(request: Request) -> Response:
        secret, form_id = await posted_secret(request)
        who, cookie = await _guest(parts, looks, request)
        address = request.client.host if request.client else ""
        if who.actor is None and not newcomers.admit(address, who.handle, parts.now()):
            raise HTTPException(429, "这个网络刚才来的新朋友太多，请一小时后再来。")
        before = parts.hub.number
        await parts.lane.accept([_opened(who, secret, form_id)])
        await parts.hub.wait(who.handle, _PATIENCE, since=before)
        answer = RedirectResponse(f"{parts.base}/chat#end", 303)
        forget_cookie(parts, answer, Scope.CHAT)
        if cookie is not None:
            set_cookie(parts, answer, GUEST, cookie)
        return answer


def _add_in(router: APIRouter, parts: Parts, templates: Environment) -> None:
    @router.get("/in")
    async def come(c: Secret = "") -> Response:
        return door(templates, c, "/in", "登录", "进入", _ABOUT_COMING_IN)

    @router.post("/in")
    async def came(request: Request) -> Response:
        secret, _ = await posted_secret(request)
        done = await _let_in(parts, secret)
        answer = RedirectResponse(f"{parts.base}{done['page']}", 303)
        for scope, key in done["keys"].items():
            keep_key(parts, answer, Scope(scope), key)
        return answer


def door(templates: Environment, secret: str, action: str, title: str, label: str, said: str) -> Response:
    """The page with the button that acts. Raises a 404 for what is no secret of ours."""
    _must_be_secret(secret)
    words = {"title": title, "label": label, "said": said, "action": action}
    return page(templates, "door.html", 200, secret=secret, form_id=uuid4().hex, **words)


def _must_be_secret(words: str) -> None:
    if not _SECRET.fullmatch(words):
        raise HTTPException(404, "这个链接不完整，请从聊天里重新打开。")


async def posted_secret(request: Request) -> tuple[str, str]:
    """The secret, and the form's own name: the same form sent twice acts once."""
    form = await read_form(request)
    secret, form_id = str(form.get("c", "")), str(form.get("id", ""))
    _must_be_secret(secret)
    return secret, form_id if _FORM_ID.fullmatch(form_id) else uuid4().hex


async def _guest(parts: Parts, looks: Looks, request: Request) -> tuple[Speaker, str | None]:
    """The browser's own chat; one that a key opens is somebody's already and cannot become another's."""
    own = {name: value for name, value in cookies_of(parts, request).items() if name == GUEST}
    who, cookie = await arrive(parts, looks, Keys(None, "", own))
    assert who is not None, "only an unknown seat is nobody"
    return who, cookie


def _opened(who: Speaker, secret: str, form_id: str) -> Inbound:
    return Inbound(
        channel=WEBCHAT,
        message_id=f"{who.handle}:{form_id}",
        chat=who.handle,
        handle=who.handle,
        sender_name=who.actor.name if who.actor else "",
        start=secret,
    )


async def _let_in(parts: Parts, secret: str) -> dict[str, Any]:
    """Raises a 403 for a link that opens nothing (any more)."""

    def job(session: Writing) -> Done | Refusal:
        work = parts.desk.work_in(session, channel=WEBCHAT)
        outcome = perform(work, ComeIn(secret=secret))
        work.flush()
        return outcome

    outcome = await parts.lane.run(job)
    if isinstance(outcome, Refusal):
        raise HTTPException(403, parts.book.text(outcome.text))
    return outcome.data
