"""Several places behind one address: each has a web application of its own, chosen by path or by host name.

An application sees its own paths as if it were alone: nothing of one place is asked for through another.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.tracing import in_place
from web.guard import HEADERS
from web.show import page, plain_environment, static_file

log = logging.getLogger("xiaoge.web")

CLOSED: Final = "这个地方的小格现在没有开，请稍后再试。急事请拨 110、119 或 120。"
_RETRY: Final = {"retry-after": "30"}

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


class Door(Protocol):
    """The way into one place."""

    @property
    def name(self) -> str:
        """Short name of the place."""

    @property
    def hostname(self) -> str:
        """Host under which it is asked for; empty: by its path."""

    @property
    def title(self) -> str:
        """What people call the place."""

    @property
    def url(self) -> str:
        """Where people find it."""

    @property
    def app(self) -> ASGIApp | None:
        """Its web application; None while the place cannot be served."""

    async def is_well(self) -> bool:
        """Whether it can write and read just now."""


def make_joined_app(doors: Sequence[Door], lifespan: Lifespan | None = None) -> ASGIApp:
    """Make one web application of many.

    Args:
        doors: one for each place.
        lifespan: starts and stops what the caller wants to live as long as the server does.
    """
    return _Joined(doors, lifespan)


class _Joined:
    def __init__(self, doors: Sequence[Door], lifespan: Lifespan | None) -> None:
        self._by_host = {door.hostname: door for door in doors if door.hostname}
        self._by_path = {door.name: door for door in doors if not door.hostname}
        self._own = _own_pages(doors, lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the place it is for."""
        if scope["type"] != "http":
            await self._own(scope, receive, send)
            return
        door, inner = self._by_host.get(_host(scope)), scope
        if door is None:
            name, _, rest = scope["path"].removeprefix("/").partition("/")
            door = self._by_path.get(name)
            inner = _within(scope, name, f"/{rest}")
        if door is None:
            await self._own(scope, receive, send)
        elif scope["path"] == f"/{door.name}" and not door.hostname:
            await _to_home(scope)(scope, receive, send)
        elif door.app is None:
            await _closed(Request(inner))(scope, receive, send)
        else:
            with in_place(door.name):
                await door.app(inner, receive, send)


def _host(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"host"), b"")
    host: str = given.decode("latin-1").lower()
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


def _within(scope: Scope, name: str, path: str) -> Scope:
    """The same request as the place's own application would get it alone."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return {**scope, "path": path, "raw_path": raw.removeprefix(f"/{name}".encode()) or b"/"}


def _to_home(scope: Scope) -> Response:
    """A place's name without the slash behind it."""
    query = scope.get("query_string", b"").decode("latin-1")
    return RedirectResponse(f"{scope['path']}/{'?' if query else ''}{query}", 308, HEADERS)


def _closed(request: Request) -> Response:
    """A platform whose call is answered so delivers again."""
    headers = {**HEADERS, **_RETRY}
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": "busy", "message": CLOSED}, 503, headers)
    answer = page(plain_environment(), "error.html", 503, said=CLOSED, place="")
    answer.headers.update(headers)
    return answer


# ---- pages of no place -----------------------------------------------------------------------------------


def _own_pages(doors: Sequence[Door], lifespan: Lifespan | None) -> Starlette:
    templates = plain_environment()

    async def home(_: Request) -> Response:
        return _kept_safe(page(templates, "places.html", doors=doors, place=""))

    async def healthz(_: Request) -> Response:
        """Whoever restarts the process by this answer must not do so for the sake of one place."""
        well = await asyncio.gather(*(door.is_well() for door in doors))
        states = ((door.name, "ok" if fine else "in trouble") for door, fine in zip(doors, well, strict=True))
        lines = "".join(f"{name}: {state}\n" for name, state in states)
        return PlainTextResponse(lines, 200 if any(well) else 503, HEADERS)

    async def static(request: Request) -> Response:
        return _kept_safe(static_file(request.path_params["version"], request.path_params["name"]))

    async def lost(_: Request, __: Exception) -> Response:
        return _kept_safe(page(templates, "error.html", 404, said="没有这个页面。", place=""))

    routes = [
        Route("/", home),
        Route("/healthz", healthz),
        Route("/static/{version}/{name}", static),
    ]
    return Starlette(routes=routes, exception_handlers={404: lost}, lifespan=lifespan)


def _kept_safe(answer: Response) -> Response:
    missing: Mapping[str, str] = {
        name: value for name, value in HEADERS.items() if name not in answer.headers
    }
    answer.headers.update(missing)
    return answer
