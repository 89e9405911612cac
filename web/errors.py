"""What goes wrong, said plainly: a page for people, JSON for programs, and no more than they need to know."""

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from jinja2 import Environment
from starlette.exceptions import HTTPException

from bot.channels.edge import writable
from web.guard import Say
from web.show import page

_WORDS: Final = {
    400: "没有看懂这次提交。",
    401: "请先登录。",
    403: "没有权限。",
    404: "没有这个页面。",
    405: "不能这样访问这个地址。",
    413: "内容太大了。",
    422: "提交的内容不对。",
    500: "小格出了点问题，已经记下来了，请稍后再试。",
    503: "现在很忙，请稍后再试。",
}


def speak_plainly(app: FastAPI, templates: Environment) -> Say:
    """Answer every error of the app in plain words; returns how, for what stands before the app."""

    async def refused(request: Request, trouble: Exception) -> Response:
        assert isinstance(trouble, HTTPException)
        return _answer(templates, request, trouble.status_code, _words(trouble), trouble.headers)

    async def unfit(request: Request, trouble: Exception) -> Response:
        assert isinstance(trouble, RequestValidationError)
        return _answer(templates, request, 422, _WORDS[422], errors=_places(trouble))

    async def broken(request: Request, _: Exception) -> Response:
        return _answer(templates, request, 500, _WORDS[500])

    def say(request: Request, status: int, said: str | None = None) -> Response:
        return _answer(templates, request, status, said or _WORDS[status])

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(Exception, broken)
    return say


def _words(trouble: HTTPException) -> str:
    """Our own words for it; the framework's English ones are nobody's here."""
    said = str(trouble.detail or "")
    return _WORDS.get(trouble.status_code, "没有办成。") if said.isascii() else said


def _places(trouble: RequestValidationError) -> list[dict[str, Any]]:
    """Where and what is wrong, without repeating what was sent."""
    return [
        {"where": [writable(part) for part in error["loc"]], "what": str(writable(error["msg"]))}
        for error in list(trouble.errors())[:20]
    ]


def _answer(
    templates: Environment, request: Request, status: int, said: str, headers: Any = None, **more: Any
) -> Response:
    if _wants_page(request):
        answer: Response = page(templates, "error.html", status, said=said)
    else:
        answer = JSONResponse({"error": _NAMES.get(status, "refused"), "message": said, **more}, status)
    answer.headers.update(headers or {})
    return answer


_NAMES: Final = {400: "malformed", 401: "unknown", 403: "not_allowed", 404: "not_found", 413: "too_large",
                 422: "invalid", 500: "broken", 503: "busy"}  # fmt: skip


def _wants_page(request: Request) -> bool:
    """Say whether a person's browser asks for something to look at."""
    if request.url.path.startswith(("/api/", "/hooks/")):
        return False
    return "text/html" in request.headers.get("accept", "")
