"""Papers that a link opens once: the report on a list, all lists of an area, an invitation to be printed.

As with other links, opening one changes nothing; the button on its page does. What it opens stays open for
half an hour in that browser alone.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from uuid import uuid4

import anyio.to_thread
import segno
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment
from markupsafe import Markup

from bot.channel import Scans
from bot.keeping import NotKept
from handlers.actor import Actor
from handlers.command import Done, perform
from handlers.papers import OpenPaper, paper_open
from handlers.refusal import Refusal
from handlers.registry.exporting import everything, template
from handlers.registry.spreadsheets import write_csv, write_excel
from handlers.work import Reading
from handlers.writing import Writing
from models import GivenList, Paper, PaperKind
from web.forms import LARGEST_TEXT
from web.lists_in import EXCEL
from web.login import WEBCHAT
from web.pages.doors import door, posted_secret
from web.parts import Parts
from web.reading import Looks, as_actor
from web.show import page

log = logging.getLogger("xiaoge.web")
T = TypeVar("T")
COOKIE: Final = "xiaoge_paper"
SHOWN: Final = 500
"""Lines of each kind on the page; the files have all."""
_ABOUT: Final = "这个链接只能用一次，10分钟内打开；内容里有群众的信息，请不要转给别人。"
_HEADS: Final = {"wrong": ["表", "行", "内容", "原因"], "changes": ["表", "行", "结果", "说明"]}
_FATES: Final = {"new": "新增", "changed": "改动"}
Secret = Annotated[str, Query(max_length=200)]


def paper_routes(parts: Parts, looks: Looks, templates: Environment) -> APIRouter:
    """GET and POST /paper, GET /paper/{number}, its files, and GET /template.xlsx."""
    router = APIRouter(include_in_schema=False, max_body_size=LARGEST_TEXT)
    desk = _Desk(parts, looks)
    _add_opening(router, parts, desk, templates)
    _add_papers(router, parts, desk, templates)

    @router.get("/template.xlsx")
    async def empty() -> Response:
        data = await anyio.to_thread.run_sync(lambda: write_excel(template(parts.book)))
        return Response(data, media_type=EXCEL, headers=_named("template.xlsx"))

    return router


def _add_opening(router: APIRouter, parts: Parts, desk: "_Desk", templates: Environment) -> None:
    @router.get("/paper")
    async def ask(c: Secret = "") -> Response:
        return door(templates, c, "/paper", "打开", "打开", _ABOUT)

    @router.post("/paper")
    async def opened(request: Request) -> Response:
        secret, _ = await posted_secret(request)
        done = await desk.open(secret)
        if done["kind"] == PaperKind.EXPORT:
            return await desk.export(int(done["paper"]), str(done["key"]))
        path = f"{parts.base}/paper/{done['paper']}"
        answer = RedirectResponse(path, 303)
        name = COOKIE + parts.mark
        answer.set_cookie(name, done["key"], path=path, httponly=True, samesite="lax", secure=parts.secure)
        return answer


def _add_papers(router: APIRouter, parts: Parts, desk: "_Desk", templates: Environment) -> None:
    cookie = COOKIE + parts.mark

    @router.get("/paper/{number}")
    async def paper(number: int, request: Request) -> Response:
        lying = await desk.lying(number, request.cookies.get(cookie, ""))
        if lying.kind is PaperKind.POSTER:
            until = datetime.fromisoformat(str(lying.data["until"]))
            code = await _code_of(parts, lying.data, until)
            shown = {**lying.data, "until": until, "qr": _qr(code or str(lying.data["link"]))}
            shown["follows"] = code is not None
            return page(templates, "poster.html", **shown)
        return page(templates, "report.html", number=number, **await desk.report(lying, SHOWN))

    @router.get("/paper/{number}/{part}.csv")
    async def rows(number: int, part: str, request: Request) -> Response:
        lying = await desk.lying(number, request.cookies.get(cookie, ""))
        if part not in _HEADS or lying.kind is not PaperKind.REPORT:
            raise HTTPException(404, "没有这个文件。")
        report = await desk.report(lying, None)
        lines = [_HEADS[part], *map(_cells, report[part])]
        data = await anyio.to_thread.run_sync(partial(write_csv, lines))
        return Response(data, media_type="text/csv; charset=utf-8", headers=_named(f"{part}.csv"))


@dataclass(frozen=True)
class _Lying:
    """A paper that lies open, and what the store has of it."""

    kind: PaperKind
    data: dict[str, Any]
    report: str | None = None
    name: str = ""


class _Desk:
    """Opens papers, and reads what is on them."""

    def __init__(self, parts: Parts, looks: Looks) -> None:
        self._parts = parts
        self._looks = looks

    async def open(self, secret: str) -> dict[str, Any]:
        """Use a link up. Raises a 403 for one that opens nothing (any more)."""

        def job(session: Writing) -> Done | Refusal:
            work = self._parts.desk.work_in(session, channel=WEBCHAT, message_id=f"paper:{uuid4().hex}")
            outcome = perform(work, OpenPaper(secret=secret))
            work.flush()
            return outcome

        outcome = await self._parts.lane.run(job)
        if isinstance(outcome, Refusal):
            raise HTTPException(403, self._parts.book.text(outcome.text))
        return outcome.data

    async def export(self, number: int, key: str) -> Response:
        """All lists of the holder's area."""
        sheets = await self._seen(number, key, lambda own, _: write_excel(everything(own)))
        return Response(sheets, media_type=EXCEL, headers=_named("xiaoge.xlsx"))

    async def lying(self, number: int, key: str) -> _Lying:
        """The paper that this browser has open. Raises a 403 for any other."""
        return await self._seen(number, key, _found)

    async def _seen(self, number: int, key: str, read: Callable[[Reading, Paper], T]) -> T:
        def look(reading: Reading) -> T | None:
            opened: tuple[Paper, Actor] | None = paper_open(reading, number, key)
            return None if opened is None else read(as_actor(reading, opened[1]), opened[0])

        found = await self._looks(look)
        if found is None:
            raise HTTPException(403, self._parts.book.text("paper.over"))
        return found

    async def report(self, lying: _Lying, most: int | None) -> dict[str, Any]:
        """A report as it is shown. Raises a 404 once its time is over."""
        try:
            data = await anyio.to_thread.run_sync(partial(self._parts.lists.read, lying.report or ""))
        except NotKept:
            raise HTTPException(404, "这份明细已经过期删除。") from None
        whole = json.loads(data)
        changes = [{**line, "fate": _FATES[line["fate"]]} for line in whole["changes"]]
        return {
            "file": lying.name,
            "sheets": whole["sheets"],
            "warnings": whole["warnings"][:most],
            "wrong": whole["wrong"][:most],
            "changes": changes[:most],
            "wrong_count": len(whole["wrong"]),
            "change_count": len(changes),
        }


def _found(reading: Reading, paper: Paper) -> _Lying:
    given = reading.session.get(GivenList, paper.about_id) if paper.about_id is not None else None
    if given is None:
        return _Lying(paper.kind, paper.data)
    return _Lying(paper.kind, paper.data, given.report, given.name)


def _cells(line: dict[str, Any]) -> list[str]:
    return [str(value) for value in line.values()]


async def _code_of(parts: Parts, data: dict[str, Any], until: datetime) -> str | None:
    """What a platform's own code says, which brings whoever scans it into the chat at once; None where no
    channel makes any, or not now: then the link itself is printed.
    """
    seconds, start = int((until - parts.now()).total_seconds()), str(data.get("start", ""))
    makers = [channel for channel in parts.channels.values() if isinstance(channel, Scans)]
    if not start or not makers or seconds <= 0:
        return None
    for maker in makers:
        try:
            return await maker.scannable(start, seconds)
        except ConnectionError as error:
            log.warning("no code to scan was made: %s", error)
    return None


def _named(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _qr(link: str) -> Markup:
    """A QR code as a drawing within the page: nothing is fetched for it, and it prints at any size."""
    return Markup(segno.make(link, error="m", micro=False).svg_inline(scale=6, border=4))  # noqa: S704 (drawn by us)
