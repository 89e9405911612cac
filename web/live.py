"""What is new in a chat: given at once to whoever asks, and pushed to whoever stays."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from jinja2 import Environment

from web.history import Bubble, Page
from web.history import page as chat_page
from web.login import Speaker, keys_of, speaker
from web.parts import Parts
from web.reading import Looks
from web.show import day

_LATEST: Final = 20
"""Bubbles of one piece of news; a page that missed more is loaded anew."""
_LOOK_AGAIN: Final = 10.0
"""Seconds after which a waiting page looks by itself: another process may have said something."""
_LONGEST_WAIT: Final = 25.0
"""Seconds of one waiting request: less than what proxies on the way allow."""
_STREAM: Final = 50.0
"""Seconds of one stream; the browser comes back by itself, and a server that ends need not wait long."""
_RECONNECT_MS: Final = 1000

Item = dict[str, str]


@dataclass(frozen=True)
class News:
    """A chat as it stands, rendered."""

    tag: str
    items: list[Item]
    more: bool
    """There are older bubbles than these."""

    @property
    def body(self) -> dict[str, Any]:
        """What the page's script takes."""
        return {"tag": self.tag, "items": self.items, "more": self.more}


class Live:
    """Reads chats for the pages, now or when there is something new."""

    def __init__(self, parts: Parts, looks: Looks, templates: Environment) -> None:
        self._parts = parts
        self._looks = looks
        self._bubble = templates.get_template("bubble.html").module.bubble  # type: ignore[attr-defined]

    async def speaker(self, request: Request) -> Speaker:
        """Whose chat this is about. Raises a 401 for nobody's."""
        keys = keys_of(self._parts, request)
        who = await self._looks(lambda reading: speaker(reading, keys))
        if who is None:
            raise HTTPException(401, "请刷新页面（并允许 Cookie）后再发。")
        return who

    async def now(self, who: Speaker) -> News:
        """The whole chat as it stands."""
        shown = await self._looks(lambda reading: chat_page(reading, who))
        return self._rendered(who, shown, len(shown.bubbles))

    async def after(self, who: Speaker, tag: str, seconds: float) -> News | None:
        """The chat's latest once it differs from `tag`; None when `seconds` pass without news."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            number = self._parts.hub.number
            shown = await self._looks(lambda reading: chat_page(reading, who))
            left = end - loop.time()
            if shown.tag != tag:
                return self._rendered(who, shown, _LATEST)
            if left <= 0:
                return None
            await self._parts.hub.wait(who.handle, min(left, _LOOK_AGAIN), since=number)

    def _rendered(self, who: Speaker, shown: Page, most: int) -> News:
        query = query_of(who)
        dated = list(zip(shown.bubbles, self._days(shown), strict=True))
        items = [self._item(bubble, day_line, query) for bubble, day_line in dated[-most:]]
        return News(shown.tag, items, more=len(dated) > most)

    def _item(self, bubble: Bubble, day_line: str, query: str) -> Item:
        html = str(self._bubble(bubble, day_line, query))
        return {"id": bubble.id, "v": bubble.version, "html": html.encode(errors="ignore").decode().strip()}

    def _days(self, shown: Page) -> list[str]:
        """For each bubble the day's name where a new day begins, else nothing."""
        names = [day(self._parts.book, bubble.at) for bubble in shown.bubbles]
        return [name if i == 0 or names[i - 1] != name else "" for i, name in enumerate(names)]


def query_of(who: Speaker) -> str:
    """What the page's own addresses end with, so that they speak for the same seat."""
    return f"?seat={who.seat}" if who.seat else ""


def live_routes(live: Live) -> APIRouter:
    """GET /chat/updates and GET /chat/events."""
    router = APIRouter(include_in_schema=False)

    @router.get("/chat/updates")
    async def updates(
        request: Request, after: str = "", wait: Annotated[float, Query(ge=0, le=_LONGEST_WAIT)] = 0
    ) -> Response:
        news = await live.after(await live.speaker(request), after, wait)
        return JSONResponse(news.body if news else {"tag": after, "items": []})

    @router.get("/chat/events")
    async def events(request: Request, after: str = "") -> Response:
        who = await live.speaker(request)
        since = request.headers.get("last-event-id") or after
        return StreamingResponse(_stream(live, who, since), media_type="text/event-stream")

    return router


async def _stream(live: Live, who: Speaker, tag: str) -> AsyncIterator[str]:
    yield f"retry: {_RECONNECT_MS}\n\n"
    for _ in range(round(_STREAM / _LOOK_AGAIN)):
        news = await live.after(who, tag, _LOOK_AGAIN)
        if news is None:
            yield ":\n\n"
            continue
        tag = news.tag
        yield f"id: {tag}\ndata: {json.dumps(news.body, ensure_ascii=False)}\n\n"
