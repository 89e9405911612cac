"""GET /play: in the demo, a platform that is played on this machine, as its members' own client shows it."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Query, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment

from web.forms import LARGEST_TEXT
from web.parts import Parts
from web.playing import Stage
from web.show import page

_LONGEST: Final = 2000


def play_routes(parts: Parts, templates: Environment) -> APIRouter:
    """GET and POST /play/{channel}; not there in earnest, or where nothing is played."""
    router = APIRouter(include_in_schema=False, max_body_size=LARGEST_TEXT)

    @router.get("/play/{channel}")
    async def shown(channel: str, who: Annotated[str, Query(alias="as")] = "", group: str = "") -> Response:
        stage = _stage(parts, channel)
        person = who if who in stage.people else next(iter(stage.people))
        chosen = group if group in stage.groups else ""
        return page(
            templates,
            "play.html",
            stage=stage,
            stages=parts.stages,
            who=person,
            group=chosen,
            lines=stage.lines(person, chosen),
        )

    @router.post("/play/{channel}")
    async def said(
        channel: str,
        who: Annotated[str, Form(alias="as")],
        words: Annotated[str, Form(max_length=_LONGEST)] = "",
        group: Annotated[str, Form()] = "",
    ) -> Response:
        stage = _stage(parts, channel)
        if who not in stage.people or (group and group not in stage.groups):
            raise HTTPException(404)
        if words.strip():
            await stage.say(who, words, group)
        return RedirectResponse(f"{parts.base}/play/{channel}?as={who}&group={group}", 303)

    return router


def _stage(parts: Parts, channel: str) -> Stage:
    stage = parts.stages.get(channel) if parts.demo else None
    if stage is None:
        raise HTTPException(404)
    return stage
