"""GET /g/{token}/{post}: what was put into a group, for whoever opens the link there."""

from secrets import token_urlsafe
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response
from jinja2 import Environment
from sqlalchemy import Table, select
from sqlmodel import col

from bot.render import words
from handlers.tokens import digest_of
from handlers.work import Reading
from handlers.writing import Writing, insert_new
from models import Group, GroupOpen, GroupPost, PostState
from web.parts import Parts
from web.reading import Looks
from web.show import page

OPENS: Table = GroupOpen.__table__  # type: ignore[attr-defined]
COOKIE: Final = "xiaoge_g"
_YEAR: Final = 365 * 24 * 3600
_GONE: Final = (PostState.DROPPED, PostState.DECLINED, PostState.FAILED)


def group_routes(parts: Parts, looks: Looks, templates: Environment) -> APIRouter:
    """A page without scripts; a browser counts once, by a random word that is nobody's name."""
    router = APIRouter(include_in_schema=False)

    @router.get("/g/{token}/{post}")
    async def shown(request: Request, token: str, post: int) -> Response:
        found = await looks(lambda reading: _found(reading, token, post))
        if found is None:
            raise HTTPException(404, "这条消息不在了。")
        group, said = found
        mine = request.cookies.get(COOKIE, "")[:64]
        browser = mine or token_urlsafe(16)
        await parts.lane.run(lambda session: _count(session, parts, post, browser), quiet=True)
        answer = page(templates, "group.html", group=group, said=said)
        if not mine:
            answer.set_cookie(
                COOKIE, browser, max_age=_YEAR, httponly=True, samesite="lax", secure=parts.secure
            )
        return answer

    return router


def _found(reading: Reading, token: str, post: int) -> tuple[str, str] | None:
    """Name of the group and the words; None for another group's post, and for what was taken back."""
    query = (
        select(GroupPost, col(Group.name))
        .join(Group, col(Group.id) == col(GroupPost.group_id))
        .where(col(GroupPost.id) == post, col(Group.token) == token, col(GroupPost.state).not_in(_GONE))
    )
    row = reading.session.execute(query).first()
    if row is None:
        return None
    said = row[0]
    return row[1], said.words or words(reading.book, said.text, said.args)


def _count(session: Writing, parts: Parts, post: int, browser: str) -> None:
    opened = {"post_id": post, "browser": digest_of(browser), "at": parts.now()}
    session.execute(insert_new(session, OPENS).values(opened))
