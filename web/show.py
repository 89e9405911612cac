"""Renders templates and small files: escaped always, and nothing from outside."""

import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.render import clean
from handbook import Book

_HERE: Final = Path(__file__).parent
_WEEKDAYS: Final = "一二三四五六日"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PHONE: Final = re.compile(r"(?<!\d)(1[3-9]\d{9})(?!\d)|(?<=拨打)(110|119|120|122|12345|12350)(?!\d)")

_FILES: Final = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir())}
_VERSION: Final = sha256(b"".join(_FILES.values())).hexdigest()[:12]
"""Part of every address of a static file: a new version is asked for anew, an old one is kept for good."""


def environment(book: Book, base: str = "") -> Environment:
    """The templates of a place: moments are shown in its time, links begin with `base`."""
    found = plain_environment(base)
    found.filters["moment"] = lambda at: moment(book, at)
    found.filters["day"] = lambda at: day(book, at)
    found.filters["clock"] = lambda at: f"{at.astimezone(book.zone):%H:%M}"
    found.filters["stamp"] = lambda at: stamp(book, at)
    found.globals["place"] = book.place.name
    return found


def plain_environment(base: str = "") -> Environment:
    """The templates without a place, for pages that belong to none."""
    found = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["said"] = said
    found.globals["base"] = base
    found.globals["static"] = lambda name: f"{base}/static/{_VERSION}/{name}"
    return found


def _shown(value: Any) -> Any:
    """No text from anywhere turns the page around or hides in it; what is markup already has been cleaned."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def page(templates: Environment, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page. Half characters that came in from anywhere are left out rather than break it."""
    text = templates.get_template(name).render(**values)
    return HTMLResponse(text.encode(errors="ignore"), status)


def moment(book: Book, at: datetime) -> str:
    """A moment as people say it: 11月22日(周日)15:00."""
    return f"{day(book, at)}{at.astimezone(book.zone):%H:%M}"


def day(book: Book, at: datetime) -> str:
    """A day as people say it: 11月22日(周日)."""
    local = at.astimezone(book.zone)
    return f"{local.month}月{local.day}日(周{_WEEKDAYS[local.weekday()]})"


def stamp(book: Book, at: datetime) -> Markup:
    """A moment short enough for a column: it may break between day and time, and nowhere else."""
    local = at.astimezone(book.zone)
    day_and_time = (f"{local.month}月{local.day}日", f"{local:%H:%M}")
    return Markup(" ").join(Markup('<span class="t">{}</span>').format(part) for part in day_and_time)


def said(words: str) -> Markup:
    """Words of a chat: escaped, with phone numbers that can be tapped."""
    safe = str(escape(clean(words)))
    return Markup(_PHONE.sub(lambda found: f'<a href="tel:{found[0]}">{found[0]}</a>', safe))  # noqa: S704 (escaped above)


def static_routes() -> APIRouter:
    """GET /static/{version}/{name}: the few files of our own."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{version}/{name}")
    async def static(version: str, name: str) -> Response:
        return static_file(version, name)

    return router


def static_file(version: str, name: str) -> Response:
    """A file of our own, kept for good by whoever asked for this version of it. Raises a 404."""
    if name not in _FILES:
        raise HTTPException(404)
    keep = "public, max-age=31536000, immutable" if version == _VERSION else "no-cache"
    return Response(_FILES[name], media_type=_TYPES[Path(name).suffix], headers={"cache-control": keep})
