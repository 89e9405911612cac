"""POST /hooks/{channel}: where platforms deliver. Kept first, answered then; also what cannot be read."""

import logging
from base64 import b64encode
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Response
from fastapi import Request as HttpRequest
from fastapi.responses import PlainTextResponse

from bot.channel import Channel, Request, Unreadable, Untrusted
from bot.lane import Lane
from handlers.writing import insert_new
from models import Inbox, InboxState
from web.forms import LARGEST_TEXT
from web.parts import Parts

log = logging.getLogger("xiaoge.web")
LETTERS = Inbox.__table__  # type: ignore[attr-defined]
_KEPT: Final = 64 * 1024
"""Bytes of an unreadable body that are kept: enough to see what it was."""


def hook_routes(parts: Parts) -> APIRouter:
    """One route for all channels: what differs between them is behind `parse`."""
    router = APIRouter(include_in_schema=False, max_body_size=LARGEST_TEXT)

    @router.post("/hooks/{name}")
    async def hook(name: str, http: HttpRequest) -> Response:
        channel = parts.channels.get(name)
        if channel is None:
            raise HTTPException(404, "没有这个渠道。")
        request = Request(dict(http.headers), dict(http.query_params), await http.body())
        try:
            await _take_in(parts, channel, request)
        except Untrusted:
            raise HTTPException(403, "签名不对。") from None
        except Exception as trouble:
            log.exception("a delivery could not be kept", extra={"channel": name})
            raise HTTPException(503, "现在存不下来，请重试。") from trouble
        return PlainTextResponse("ok")

    return router


async def _take_in(parts: Parts, channel: Channel, request: Request) -> None:
    try:
        inbounds = channel.parse(request)
    except Unreadable as trouble:
        await bury(parts.lane, channel.name, request.body, trouble, parts.now())
        return
    await parts.lane.accept(inbounds)


async def bury(lane: Lane, channel: str, body: bytes, trouble: Unreadable, at: datetime) -> None:
    """Keep what a channel sent and nobody can read, once; a polling channel's updates as well.

    Returns after it is committed. `at`: aware UTC.
    """
    letter = _dead_letter(channel, body, trouble, at)
    await lane.run(lambda session: session.execute(insert_new(session, LETTERS), [letter]), quiet=True)


def _dead_letter(channel: str, body: bytes, trouble: Unreadable, at: datetime) -> dict[str, Any]:
    return {
        "channel": channel,
        "message_id": trouble.message_id[:200],
        "chat_key": f"{channel}||",
        "body": raw_body(body),
        "received_at": at,
        "state": InboxState.DEAD,
        "tries": 0,
        "trouble": f"unreadable: {trouble}"[:500],
    }


def raw_body(body: bytes) -> dict[str, Any]:
    """An unreadable body as JSON that any database takes: as text where it is text, else in base64."""
    kept = body[:_KEPT]
    whole = {"size": len(body)}
    text = kept.decode(errors="ignore")
    if text.encode() == kept and "\0" not in text:
        return {"raw": text, **whole}
    return {"raw_base64": b64encode(kept).decode(), **whole}
