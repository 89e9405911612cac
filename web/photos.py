"""Photos: taken in from the chat page, shown only to people who may see them."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import Row, String, cast, select
from sqlmodel import Session, col

from bot.media import NoSuchMedia
from handlers import access
from handlers.actor import Actor
from handlers.work import Reading
from models import Account, Attachment, Inbox, Incident, Scope
from web.login import OURS, WEBCHAT, Keys, holder, keys_of, speaker
from web.parts import Parts
from web.reading import Looks, as_actor

_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_PREFIX: Final = "media:"
_DOORS: Final = (Scope.BOARD, Scope.API)
"""Doors whose keys show the photos of the cases they show."""
_KEY: Final = re.compile(r"media:[0-9a-f]{64}\.\w+")


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
    if mine is not None and _was_sent_in(reading.session, [mine.handle], key):
        return True
    actors = (mine.actor if mine else None, *(holder(reading, keys, scope) for scope in _DOORS))
    return any(actor is not None and _is_of_their_case(reading, actor, key) for actor in actors)


def was_sent_by(session: Session, person_id: int, key: str) -> bool:
    """Say whether a kept photo was sent by a person, in a chat of theirs or for a case."""
    if _KEY.fullmatch(key) is None:
        return False
    of_case = select(col(Attachment.id)).where(col(Attachment.person_id) == person_id)
    if session.execute(of_case.where(col(Attachment.key) == key).limit(1)).first() is not None:
        return True
    handles = select(col(Account.handle)).where(
        col(Account.channel) == OURS, col(Account.person_id) == person_id
    )
    return _was_sent_in(session, session.execute(handles).scalars().all(), key)


def _was_sent_in(session: Session, handles: Sequence[str], key: str) -> bool:
    """Whether a message of one's own chats brought it; one in whose words the key stands did not.

    On other channels a photo has another name until it belongs to a case.
    """
    query = select(col(Inbox.body)).where(
        col(Inbox.channel) == OURS,
        col(Inbox.chat_key).in_([f"{WEBCHAT}|{handle}|{handle}" for handle in handles]),
        cast(col(Inbox.body), String).contains(key, autoescape=True),
    )
    return any(key in _brought(body) for body in session.execute(query).scalars())


def _brought(body: Mapping[str, Any]) -> list[str]:
    return [str(item["key"]) for item in body.get("attachments", ())]


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
        is_one = ending in _TYPES and _KEY.fullmatch(key) is not None
        if not is_one or not await looks(lambda reading: may_see(reading, keys, key)):
            raise HTTPException(404, "没有这张照片。")
        try:
            data = await anyio.to_thread.run_sync(partial(parts.media.read, key))
        except NoSuchMedia:
            raise HTTPException(404, "没有这张照片。") from None
        return Response(data, media_type=_TYPES[ending], headers={"cache-control": "private, max-age=86400"})

    return router
