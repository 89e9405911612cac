"""Stands before every route: no foreign page may post for our people, no answer goes out without headers."""

import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.forms import LARGEST_TEXT, LARGEST_UPLOAD

log = logging.getLogger("xiaoge.web")

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all our own forms would come from an origin called null
    "x-frame-options": "SAMEORIGIN",
    "permissions-policy": "geolocation=(self), camera=(self), microphone=()",
    "cache-control": "no-store",
}
"""Sent with every answer, unless the answer brings its own."""

_RAW: Final = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_TO_MACHINES: Final = ("/hooks/", "/api/")
"""Neither trusts a cookie, so a foreign page gains nothing by posting there."""
_OWN: Final = frozenset({"same-origin", "none"})
"""What a browser says of our own pages' posts, and of what its user began by hand."""
_UPLOADS: Final = ("/chat/photo", "/chat/file")
_READ_AND_LEFT: Final = 4 * LARGEST_UPLOAD
"""Bytes of a refused body that are read all the same: a browser hears an answer once it has sent all."""

Say = Callable[[Request, int, str | None], Response]
"""Makes the answer that says a status in plain words (its own words where given)."""


class Guard:
    """ASGI middleware: refuses cross-site posts and bodies that are too large, adds the security headers."""

    def __init__(self, app: ASGIApp, say: Say) -> None:
        self._app = app
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                brought = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(own for own in _RAW if own[0] not in brought)]
            await send(message)

        try:
            await self._answer(scope, receive, send_guarded)
        except ClientDisconnect:  # nobody is left to be answered
            log.info("a caller hung up", extra={"path": scope["path"]})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        await _read_and_leave(receive)
        await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if _is_foreign(scope):
            return self._say(Request(scope), 403, "不能从别的网站提交。")
        if _size(scope) > (LARGEST_UPLOAD if scope["path"] in _UPLOADS else LARGEST_TEXT):
            return self._say(Request(scope), 413, None)
        return None


def _is_foreign(scope: Scope) -> bool:
    """Say whether another origin's page made the browser send this; SameSite cookies are the first guard.

    A browser names the site, over plain http only the origin; who names neither is no browser.
    """
    if scope["method"] in _READS or scope["path"].startswith(_OPEN_TO_MACHINES):
        return False
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in _OWN
    return origin is not None and _host_of(origin) != headers.get("host", "").lower()


def _host_of(origin: str) -> str | None:
    """Host and port as a Host header has them; None for an origin that is hidden (`null`) or none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _size(scope: Scope) -> int:
    """Bytes announced; those of a body that announces none are counted as they come, by the framework."""
    announced = Headers(scope=scope).get("content-length", "0")
    return int(announced) if announced.isascii() and announced.isdigit() else 0


async def _read_and_leave(receive: Receive) -> None:
    left = _READ_AND_LEFT
    more = True
    while more and left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        more = message.get("more_body", False)
