"""POST /hooks/{channel}: where platforms deliver. Kept first, answered then; also what cannot be read."""

import logging
from base64 import b64encode
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlmodel import col
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channel import Answer, Answers, Channel, Greets, Request, Unreadable, Untrusted
from bot.lane import REST, Lane
from bot.seldom import Seldom
from handlers.writing import Writing, insert_new
from models import Inbox, InboxState
from web.forms import LARGEST_TEXT
from web.parts import Parts

log = logging.getLogger("xiaoge.web")
LETTERS = Inbox.__table__  # type: ignore[attr-defined]
UNREADABLE: Final = "unreadable: "
_KEPT: Final = 64 * 1024
"""Bytes of an unreadable body that are kept: enough to see what it was."""
MOST_LETTERS: Final = 1000
"""Unreadable letters of a channel that stay: whoever sends only rubbish must not fill the disk."""
_SPARE: Final = 100
"""So many more may gather before the oldest go, so that they go, and are told, in one go."""


def hook_route(parts: Parts) -> Route:
    """One route for all channels: what differs between them is behind `parse`.

    It is Starlette's own: FastAPI's way through a route takes three times as long as all that is done here.
    """
    complain = Seldom(log, REST)

    async def hook(http: HttpRequest) -> Response:
        name = http.path_params["name"]
        channel = parts.channels.get(name)
        if channel is None or not channel.can.webhook:
            raise HTTPException(404, "没有这个渠道。")
        request = Request(dict(http.headers), dict(http.query_params), await http.body())
        try:
            if http.method == "GET":
                return _greeted(channel, request)
            answer = await _take_in(parts, channel, request)
        except Untrusted:
            raise HTTPException(403, "签名不对。") from None
        except HTTPException:
            raise
        except Exception as trouble:
            complain.error("a delivery could not be kept", trouble, channel=name)
            raise HTTPException(503, "现在存不下来，请重试。") from trouble
        after = BackgroundTask(answer.sent) if answer.sent else None
        return Response(answer.body, media_type=answer.kind, background=after)

    return Route(
        "/hooks/{name}", hook, methods=["POST", "GET"], include_in_schema=False, max_body_size=LARGEST_TEXT
    )


def _greeted(channel: Channel, request: Request) -> Response:
    """Answer a platform that asks whether the address is ours."""
    if not isinstance(channel, Greets):
        raise HTTPException(405, "这个地址只收消息。")
    try:
        return PlainTextResponse(channel.greet(request))
    except Unreadable:
        raise HTTPException(400, "这个请求读不懂。") from None


async def _take_in(parts: Parts, channel: Channel, request: Request) -> Answer:
    try:
        inbounds = channel.parse(request)
    except Unreadable as trouble:
        await bury(parts.lane, channel.name, request.body, trouble, parts.now())
        return Answer("" if isinstance(channel, Answers) else "ok")
    await parts.lane.accept(inbounds)
    return await channel.answer(request, inbounds) if isinstance(channel, Answers) else Answer()


async def bury(lane: Lane, channel: str, body: bytes, trouble: Unreadable, at: datetime) -> None:
    """Keep what a channel sent and nobody can read, once; a polling channel's updates as well.

    Returns after it is committed. `at`: aware UTC. Of many the oldest are dropped, and their number logged.
    """
    letter = _dead_letter(channel, body, trouble, at)

    def job(session: Writing) -> int:
        session.execute(insert_new(session, LETTERS), [letter])
        return _drop_oldest(session, channel)

    dropped = await lane.run(job, quiet=True)
    if dropped:
        log.warning("%d of the oldest unreadable letters were dropped", dropped, extra={"channel": channel})


def _drop_oldest(session: Writing, channel: str) -> int:
    """Drop what is too much once there is enough of it. Returns how many."""
    theirs = (
        col(Inbox.state) == InboxState.DEAD,
        col(Inbox.channel) == channel,
        col(Inbox.trouble).startswith(UNREADABLE),
    )
    newest_first = select(col(Inbox.id)).where(*theirs).order_by(col(Inbox.id).desc())
    too_old = session.execute(newest_first.offset(MOST_LETTERS)).scalars().all()
    if len(too_old) < _SPARE:
        return 0
    session.execute(delete(Inbox).where(*theirs, col(Inbox.id) <= too_old[0]))
    return len(too_old)


def _dead_letter(channel: str, body: bytes, trouble: Unreadable, at: datetime) -> dict[str, Any]:
    return {
        "channel": channel,
        "message_id": trouble.message_id[:200],
        "chat_key": f"{channel}||",
        "body": raw_body(body),
        "received_at": at,
        "state": InboxState.DEAD,
        "tries": 0,
        "trouble": f"{UNREADABLE}{trouble}"[:500],
    }


def raw_body(body: bytes) -> dict[str, Any]:
    """An unreadable body as JSON that any database takes: as text where it is text, else in base64."""
    kept = body[:_KEPT]
    whole = {"size": len(body)}
    text = kept.decode(errors="ignore")
    if text.encode() == kept and "\0" not in text:
        return {"raw": text, **whole}
    return {"raw_base64": b64encode(kept).decode(), **whole}
