"""Stands before every route: no foreign page may post for our people, no answer goes out without headers."""

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_TO_MACHINES: Final = ("/hooks/", "/api/")
"""Neither trusts a cookie, so a foreign page gains nothing by posting there."""

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "SAMEORIGIN",
    "permissions-policy": "geolocation=(self), camera=(self), microphone=()",
    "cache-control": "no-store",
}
"""Sent with every answer, unless the answer brings its own."""


class Guard:
    """ASGI middleware: refuses cross-site posts, adds the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), HEADERS.items())
            await send(message)

        if _is_foreign(scope):
            answer = PlainTextResponse("不能从别的网站提交。", 403)
            await answer(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


def _add(headers: MutableHeaders, wanted: Iterable[tuple[str, str]]) -> None:
    for name, value in wanted:
        headers.setdefault(name, value)


def _is_foreign(scope: Scope) -> bool:
    """Say whether another site's page made the browser send this; SameSite cookies are the first guard."""
    if scope["method"] in _READS or scope["path"].startswith(_OPEN_TO_MACHINES):
        return False
    return Headers(scope=scope).get("sec-fetch-site") == "cross-site"
