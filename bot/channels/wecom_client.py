"""WeCom's API as all its channels call it: one shared token, one retry, and errors that hold no secret."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar

import httpx

from bot.channel import Broken, Gone, Later, Outcome, Refused
from bot.tokens import EARLY, Fetched, Tokens

Json = dict[str, Any]
T = TypeVar("T")

BASE_URL: Final = "https://qyapi.weixin.qq.com"
LONGEST_WAIT: Final = 3600.0
FIRST_WAIT: Final = 60.0
"""Seconds: a minute's limit is over by then; where it was an hour's, the wait doubles (channels.md 2.2)."""
_STALE: Final = frozenset({40001, 40014, 42001})
_TOO_MUCH: Final = frozenset({45009, 45011, 45033})
_GONE: Final = frozenset({40003, 40031, 46004, 60111, 81013})
"""No such member, or none of them may see the application."""
_MENDABLE: Final = frozenset({-1, 40013, 40056, 41001, 41004, 42009, 60011, 60020, 301002}) | _STALE
"""A setting is wrong or WeCom is busy: the message itself may be right, and is tried again."""
_PLAIN: Final = {
    48002: "这个应用没有调用该接口的权限：应用群要求可见范围是根部门",
    60020: "这台服务器的出口 IP 不在应用的“企业可信IP”里",
    81013: "没有一个接收人在应用的可见范围内",
    86003: "没有这个群，或者群不是本应用建的",
}

# The library logs addresses, and WeCom's addresses hold the access token.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class WeComError(Exception):
    """WeCom refused a call.

    Args:
        code: its `errcode`.
        words: its `errmsg`, without secrets.
        wait: seconds to wait, where it was asked too often.
    """

    def __init__(self, code: int, words: str, wait: float = 0.0) -> None:
        super().__init__(f"{code} {_PLAIN.get(code, words)}"[:300])
        self.code = code
        self.words = words
        self.wait = wait


@dataclass(frozen=True)
class Downloaded:
    """A file that WeCom keeps for three days."""

    data: bytes = field(repr=False)
    ending: str = ""


class WeComClient:
    """Calls WeCom in the name of one application (or of 微信客服, 客户联系: each has a secret of its own).

    Args:
        corp_id: of the organisation.
        secret: of the application.
        tokens: where the access token is shared with the other processes.
        base_url: another server than WeCom's own (政务微信, a private deployment).
        patience: seconds until a call that is not answered is given up.
        name: tells tokens of several applications of one organisation apart.
    """

    def __init__(
        self,
        corp_id: str,
        secret: str,
        tokens: Tokens,
        *,
        base_url: str = BASE_URL,
        patience: float = 10.0,
        name: str = "wecom",
    ) -> None:
        self.corp_id = corp_id
        self._secret = secret
        self._tokens = tokens
        self._name = f"{name}:{corp_id}"
        self._wait = FIRST_WAIT
        self._base_url = base_url.rstrip("/")
        self._patience = patience
        self._line: httpx.AsyncClient | None = None
        self.server_time: datetime | None = None
        """What WeCom's clock said at its last answer."""

    @property
    def _http(self) -> httpx.AsyncClient:
        """Connections are made when there is something to ask, and again after a stop."""
        if self._line is None:
            self._line = httpx.AsyncClient(base_url=self._base_url, timeout=self._patience)
        return self._line

    async def close(self) -> None:
        """Release the connections."""
        line, self._line = self._line, None
        if line is not None:
            await line.aclose()

    async def get(self, path: str, **query: str | int) -> Json:
        """Ask by GET. See `post`."""
        return await self._insist("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any], **query: str | int) -> Json:
        """Call by POST.

        Args:
            path: behind /cgi-bin/, such as "message/send".
            body: as WeCom's documents give it.
            query: what stands in the address beside the token.

        Returns:
            The answer, whose errcode is 0.

        Raises:
            WeComError: refused.
            ConnectionError: not reached, or what answered is not WeCom.
        """
        return await self._insist("POST", path, params=query, json=dict(body))

    async def upload(self, kind: str, data: bytes, filename: str) -> str:
        """Lay a file down at WeCom for three days. Returns its media id; raises as `post`.

        `kind`: image (at most 10 MB), voice, video or file (20 MB).
        """
        files = {"media": (filename, data, "application/octet-stream")}
        answer = await self._insist("POST", "media/upload", params={"type": kind}, files=files)
        return field_of(answer, "media_id")

    async def download(self, media_id: str, most: int) -> Downloaded | None:
        """Fetch a file; None when it is gone for good or larger than `most` bytes.

        Raises WeComError and ConnectionError as `post`.
        """
        try:
            return await self._with_token(lambda token: self._download(media_id, most, token))
        except WeComError as error:
            if error.code in (40007, 40058, 41006):  # no such media, or its three days are over
                return None
            raise

    # -- one call -----------------------------------------------------------------------------------------

    async def token(self, stale: str | None = None) -> str:
        """The access token; `stale` is one that was just refused. Raises as `post`."""
        return await self._tokens.get(self._name, self._fetch, stale=stale)

    async def _fetch(self) -> Fetched:
        asked = {"corpid": self.corp_id, "corpsecret": self._secret}
        answer = self._read(await self._send("GET", "gettoken", params=asked))
        seconds = float(answer.get("expires_in", 7200))
        # WeCom gives the same token again until it ends: asked for early, it would be asked for all the time.
        return Fetched(field_of(answer, "access_token"), seconds + EARLY.total_seconds())

    async def _insist(self, verb: str, path: str, **more: Any) -> Json:
        query = more.pop("params", {})

        async def call(token: str) -> Json:
            params = {**query, "access_token": token}
            return self._read(await self._send(verb, path, params=params, **more), token)

        return await self._with_token(call)

    async def _with_token(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Call, and once more with a new token where this one is no longer good."""
        token = await self.token()
        try:
            return await call(token)
        except WeComError as error:
            if error.code not in _STALE:
                raise
        return await call(await self.token(stale=token))

    async def _send(self, verb: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = await self._http.request(verb, f"/cgi-bin/{path}", **more)
        except httpx.HTTPError as error:  # its request holds the token: it goes no further
            raise ConnectionError(f"{path}: {type(error).__name__}") from None
        if not answer.is_success:
            raise ConnectionError(f"{path}: HTTP {answer.status_code}")
        with contextlib.suppress(ValueError, TypeError):
            self.server_time = parsedate_to_datetime(answer.headers.get("date", ""))
        return answer

    def _read(self, answer: httpx.Response, token: str = "") -> Json:
        try:
            found = answer.json()
            code = int(found.get("errcode", 0))
        except (ValueError, AttributeError, TypeError):
            raise ConnectionError("the answer is not WeCom's: is the base address right?") from None
        self._check(code, str(found.get("errmsg", "")), token)
        return dict(found)

    def _check(self, code: int, words: str, token: str) -> None:
        """Raise WeComError unless the call went well."""
        if code in _TOO_MUCH:
            wait, self._wait = self._wait, min(2 * self._wait, LONGEST_WAIT)
            raise WeComError(code, self._plain(words, token), wait)
        self._wait = FIRST_WAIT
        if code != 0:
            raise WeComError(code, self._plain(words, token))

    def _plain(self, words: str, token: str) -> str:
        for secret in (self._secret, token):
            words = words.replace(secret, "***") if secret else words
        return words

    async def _download(self, media_id: str, most: int, token: str) -> Downloaded | None:
        asked = {"media_id": media_id, "access_token": token}
        try:
            async with self._http.stream("GET", "/cgi-bin/media/get", params=asked) as answer:
                if not answer.is_success:
                    raise ConnectionError(f"media/get: HTTP {answer.status_code}")
                data = await at_most(answer, most)
        except httpx.HTTPError as error:
            raise ConnectionError(f"media/get: {type(error).__name__}") from None
        if data is not None and "json" in answer.headers.get("content-type", "") + _kind_of(answer, data):
            return await self._elsewhere(self._read(httpx.Response(200, content=data), token), most)
        return None if data is None else Downloaded(data, _ending(answer))

    async def _elsewhere(self, answer: Json, most: int) -> Downloaded | None:
        """An answer in JSON that is no error is no file either; 公众号 names another address in it."""
        return None


def field_of(answer: Json, name: str) -> str:
    """A field that an answer must have. Raises ConnectionError: what answered is another server."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise ConnectionError(f"the answer holds no {name}: is the base address right?")
    return value


async def at_most(answer: httpx.Response, most: int) -> bytes | None:
    """The bytes of an answer; None when there are more than `most`."""
    data = bytearray()
    async for piece in answer.aiter_bytes():
        data += piece
        if len(data) > most:
            return None
    return bytes(data)


def _kind_of(answer: httpx.Response, data: bytes) -> str:
    """WeCom tells an error in plain text as well; a file comes with its name."""
    named = "content-disposition" in answer.headers
    return "json" if not named and data[:1] == b"{" and b'"errcode"' in data[:200] else ""


def _ending(answer: httpx.Response) -> str:
    """Of the name that comes with a file; what it really is, the media store sees."""
    name = answer.headers.get("content-disposition", "").partition("filename=")[2].strip('"; ')
    ending = PurePosixPath(name).suffix.lstrip(".")
    return ending if ending.isalnum() and len(ending) <= 5 else ""


def outcome_of(error: Exception) -> Outcome:
    """What a failed call means for the message it carried."""
    if not isinstance(error, WeComError):
        return Broken(str(error) if isinstance(error, ConnectionError) else type(error).__name__)
    if error.code in _TOO_MUCH:
        return Later(error.wait)
    if error.code in _GONE:
        return Gone(str(error))
    return Broken(str(error)) if error.code in _MENDABLE else Refused(str(error))
