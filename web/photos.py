"""Photos: taken in from the chat page, shown only to people who may see them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import Row, String, cast, select
from sqlmodel import col

from bot.media import NoSuchMedia
from handlers import access
from handlers.actor import Actor
from handlers.work import Reading
from models import Attachment, Inbox, Incident, Scope
from web.login import OURS, WEBCHAT, Keys, Speaker, holder, keys_of, speaker
from web.parts import Parts
from web.reading import Looks, as_actor

_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_PREFIX: Final = "media:"


def is_kept(key: str) -> bool:
    """Say whether an attachment's bytes are in our own store."""
    return key.startswith(_PREFIX)


def photo_name(key: str) -> str:
    """The last part of a kept photo's address: the store's key without its prefix."""
    return key.removeprefix(_PREFIX)


def photos_of_cases(reading: Reading, actor: Actor | None, cases: set[int]) -> Sequence[Row[Any]]:
    """Kept photos (incident_id, key, at) that others sent of cases, for staff who may see the cases."""
    if not cases or actor is None or not actor.is_staff:
        return []
    seen = access.seen_by(as_actor(reading, actor)).where(col(Incident.id).in_(cases))
    query = (
        select(col(Attachment.incident_id), col(Attachment.key), col(Attachment.at))
        .where(col(Attachment.incident_id).in_(seen.with_only_columns(col(Incident.id))))
        .where(col(Attachment.kind) == "photo", col(Attachment.key).startswith(_PREFIX))
        .where(col(Attachment.person_id) != actor.id)
        .order_by(col(Attachment.id))
    )
    return reading.session.execute(query).all()


def may_see(reading: Reading, keys: Keys, key: str) -> bool:
    """Say whether a photo was sent in the asker's own chat, or belongs to a case the asker may see."""
    mine = speaker(reading, keys)
    if mine is not None and _was_sent_in(reading, mine, key):
        return True
    actors = (mine.actor if mine else None, holder(reading, keys, Scope.BOARD))
    return any(actor is not None and _is_of_their_case(reading, actor, key) for actor in actors)


def _was_sent_in(reading: Reading, mine: Speaker, key: str) -> bool:
    query = select(col(Inbox.id)).where(
        col(Inbox.channel) == OURS,
        col(Inbox.chat_key) == f"{WEBCHAT}|{mine.handle}|{mine.handle}",
        cast(col(Inbox.body), String).contains(key, autoescape=True),
    )
    return reading.session.execute(query.limit(1)).first() is not None


def _is_of_their_case(reading: Reading, actor: Actor, key: str) -> bool:
    with_photo = select(col(Attachment.incident_id)).where(col(Attachment.key) == key)
    query = access.seen_by(as_actor(reading, actor)).where(col(Incident.id).in_(with_photo))
    return reading.session.execute(query.with_only_columns(col(Incident.id)).limit(1)).first() is not None


def media_routes(parts: Parts, looks: Looks) -> APIRouter:
    """GET /media/{name}: the photos themselves."""
    router = APIRouter(include_in_schema=False)

    @router.get("/media/{name}")
    async def media(name: str, request: Request) -> Response:
        keys, key = keys_of(parts, request), _PREFIX + name
        ending = name.rpartition(".")[2]
        if ending not in _TYPES or not await looks(lambda reading: may_see(reading, keys, key)):
            raise HTTPException(404, "没有这张照片。")
        try:
            data = await anyio.to_thread.run_sync(partial(parts.media.read, key))
        except NoSuchMedia:
            raise HTTPException(404, "没有这张照片。") from None
        return Response(data, media_type=_TYPES[ending], headers={"cache-control": "private, max-age=86400"})

    return router
