"""The chat on our own pages: rendered here, enlivened by a small script, and whole without it."""

import logging
from functools import partial
from typing import Any, Final
from uuid import uuid4

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from jinja2 import Environment

from bot.media import NotAPicture, TooLarge, exif_place
from bot.message import Attachment, Inbound, Place
from bot.render import words
from handlers.actor import Actor
from handlers.cases import role_and_name
from handlers.catalogue import COMMANDS
from handlers.importing import ENROL
from handlers.work import Reading
from models import Scope
from web.forms import LARGEST_TEXT, LARGEST_UPLOAD, Said, is_form, read_said, read_upload
from web.live import Live, query_of
from web.login import GUEST, WEBCHAT, Speaker, arrive, come_by_link, keys_of, set_cookie, stay
from web.newcomers import Newcomers
from web.parts import Parts
from web.reading import Looks
from web.show import page

log = logging.getLogger("xiaoge.web")

_QUICK: Final = ("todo", "zero", "board")
"""Commands offered above the line to type in, to staff who may give them; others get 进度."""
_PHOTOS_AT_ONCE: Final = 2
"""Photos drawn anew at once: each may take 200 MB while it is unpacked."""
_PATIENCE: Final = 2.0
"""Seconds that a page without script waits for the answer, so that it shows it at once."""


def chat_routes(parts: Parts, looks: Looks, live: Live, templates: Environment) -> APIRouter:
    """GET /chat, POST /chat/send, POST /chat/photo, POST /chat/file."""
    router = APIRouter(include_in_schema=False, max_body_size=LARGEST_TEXT)
    darkroom = CapacityLimiter(_PHOTOS_AT_ONCE)
    newcomers = Newcomers()

    @router.get("/chat")
    async def chat(request: Request) -> Response:
        by_link = await come_by_link(parts, looks, request, Scope.CHAT)
        if by_link is not None:
            return by_link
        await stay(parts, looks, request, Scope.CHAT)
        who, secret = await arrive(parts, looks, keys_of(parts, request))
        if who is None:
            raise HTTPException(404, "没有这个人。")
        around = await looks(lambda reading: _around(reading, who))
        news = await live.now(who)
        answer = page(templates, "chat.html", items=news.items, tag=news.tag, form_id=uuid4().hex, **around)
        if secret is not None:
            set_cookie(parts, answer, GUEST, secret)
        return answer

    @router.post("/chat/send")
    async def send(request: Request) -> Response:
        who = _admitted(parts, newcomers, request, await live.speaker(request))
        await stay(parts, looks, request, Scope.CHAT)
        return await _keep(parts, request, who, _inbound(who, await read_said(request)))

    _add_photo(router, parts, live, newcomers, darkroom)
    _add_file(router, parts, live, darkroom)
    return router


def _add_photo(
    router: APIRouter, parts: Parts, live: Live, newcomers: Newcomers, darkroom: CapacityLimiter
) -> None:
    @router.post("/chat/photo", max_body_size=LARGEST_UPLOAD)
    async def photo(request: Request) -> Response:
        who = _admitted(parts, newcomers, request, await live.speaker(request))
        try:
            upload = await read_upload(request)
            keep = partial(_kept_photo, parts, upload.data)
            key, place = await anyio.to_thread.run_sync(keep, limiter=darkroom)
        except OSError as trouble:  # a full disk; what was begun is taken away by whoever began it
            log.warning("a photo could not be kept: %s", trouble.strerror)
            raise HTTPException(503, "现在存不下来，请稍后再试。") from trouble
        kept = {"attachments": (Attachment(kind="photo", key=key),), "place": place}
        return await _keep(parts, request, who, _blank(who, upload.id).model_copy(update=kept))


def _add_file(router: APIRouter, parts: Parts, live: Live, darkroom: CapacityLimiter) -> None:
    @router.post("/chat/file", max_body_size=LARGEST_UPLOAD)
    async def file(request: Request) -> Response:
        who = await live.speaker(request)
        if who.actor is None or not who.actor.may(ENROL):
            raise HTTPException(403, parts.book.text("given.not_yours"))
        upload = await read_upload(request, "file")
        try:
            key = await anyio.to_thread.run_sync(partial(parts.lists.keep, upload.data), limiter=darkroom)
        except OSError as trouble:
            log.warning("a list could not be kept: %s", trouble.strerror)
            raise HTTPException(503, "现在存不下来，请稍后再试。") from trouble
        sent = Attachment(kind="file", key=key, name=upload.name or "list", size=len(upload.data))
        kept = _blank(who, upload.id).model_copy(update={"attachments": (sent,)})
        return await _keep(parts, request, who, kept)


# ---- what comes in -------------------------------------------------------------------------------------


def _admitted(parts: Parts, newcomers: Newcomers, request: Request, who: Speaker) -> Speaker:
    """Let a guest speak of whom nothing has been heard. Raises a 429 where too many came from one address."""
    address = request.client.host if request.client else ""
    if who.actor is None and not newcomers.admit(address, who.handle, parts.now()):
        raise HTTPException(429, "这个网络刚才来的新朋友太多，请一小时后再发；急事请拨 110、119 或 120。")
    return who


async def _keep(parts: Parts, request: Request, who: Speaker, inbound: Inbound) -> Response:
    """Keep a message durably, then say so; a page without script is sent back to the chat with the answer."""
    before = parts.hub.number
    try:
        await parts.lane.accept([inbound])
    except Exception as trouble:
        raise HTTPException(503, "现在存不下来，请稍后再发。") from trouble
    if is_form(request):
        await parts.hub.wait(who.handle, _PATIENCE, since=before)
        return RedirectResponse(f"{parts.base}/chat{query_of(who)}#end", 303)
    parts.hub.wake(who.handle)
    return JSONResponse({"id": inbound.message_id})


def _blank(who: Speaker, message_id: str) -> Inbound:
    """A message without content; its id is the chat's own, so that nobody can take another chat's."""
    return Inbound(
        channel=WEBCHAT,
        message_id=f"{who.handle}:{message_id}",
        chat=who.handle,
        handle=who.handle,
        sender_name=who.actor.name if who.actor else "",
    )


def _inbound(who: Speaker, said: Said) -> Inbound:
    known = said.lat is not None and said.lon is not None
    place = Place(lat=said.lat or 0.0, lon=said.lon or 0.0) if known else None
    said_so = {"text": said.text.strip(), "pressed": said.pressed or None, "place": place}
    return _blank(who, said.id).model_copy(update=said_so)


def _kept_photo(parts: Parts, data: bytes) -> tuple[str, Place | None]:
    """Keep a photo's bytes and tell where it was taken. Raises a 4xx for what is no photo."""
    try:
        return parts.media.keep(data, "photo"), exif_place(data)
    except TooLarge:
        raise HTTPException(413, "照片太大，最多 20 MB。") from None
    except NotAPicture:
        raise HTTPException(415, "这个文件不是照片，请发 JPG 或 PNG。") from None


# ---- what the page shows around the chat ---------------------------------------------------------------


def _around(reading: Reading, who: Speaker) -> dict[str, Any]:
    actor = who.actor
    return {
        "who": _title(reading, actor),
        "staff": actor is not None and actor.is_staff,
        "seat": who.seat,
        "key": who.seat or (f"p{actor.id}" if actor and actor.is_staff else "me"),
        "q": query_of(who),
        "enrols": actor is not None and actor.may(ENROL),
        "mine": actor is not None and not actor.is_staff,
        "quick": _quick(reading, actor),
        "greeting": words(
            reading.book, "menu.hello", {"name": _call(actor), "place": reading.book.place.name}
        ),
    }


def _title(reading: Reading, actor: Actor | None) -> str:
    if actor is None:
        return "居民"
    return role_and_name(reading, actor.id) if actor.is_staff else f"居民{actor.name}"


def _call(actor: Actor | None) -> str:
    return actor.name if actor else ""


def _quick(reading: Reading, actor: Actor | None) -> list[str]:
    """The place's words for what this person asks for most often."""
    able = actor or Actor(None, "")
    named = [name for name in _QUICK if _may(able, name)] or ["progress"]
    return [reading.book.text(f"menu.{name}") for name in (*named, "help")]


def _may(actor: Actor, name: str) -> bool:
    ability = COMMANDS[name].may
    return ability is None or actor.may(ability)
