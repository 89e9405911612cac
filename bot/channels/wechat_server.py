"""A stand-in for official accounts of WeChat, which keeps WeChat's rules: for tests and trials."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Final

from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.wechat_delivery import WeChatCourier
from bot.channels.wechat_people import People
from bot.channels.wechat_rules import (
    MEDIA_DAYS,
    TOKEN_SECONDS,
    Follower,
    check_menu,
    check_message,
    check_picture,
    check_scene,
)
from bot.channels.wecom_delivery import PATIENCE
from bot.channels.wecom_rules import Json, Trouble

BEGAN: Final = datetime(2026, 12, 1, 9, tzinfo=UTC)
"""When the stand-in's own clock begins, where none is handed in."""
_VERIFIED_ONLY: Final = frozenset(
    {
        "message/custom/send",
        "message/template/send",
        "message/subscribe/bizsend",
        "qrcode/create",
        "menu/create",
    }
)


@dataclass
class _Script:
    """What the next calls of a path end with."""

    code: int | None
    left: int
    done: bool


class WeChatServer(People):
    """Plays WeChat: people write, the account is told and answers. Use it with `async with`.

    Args:
        app_id: of the account.
        secret: the account's.
        callback_token: signs what is delivered.
        callback_key: encrypts it; empty: 明文模式.
        verified: the account is one with 认证; without, it can answer and do nothing else.
        now: gives aware UTC; by it windows close and things grow old.
        patience: seconds until a delivery is cut.
        rest: seconds between two tries of a delivery.
    """

    def __init__(
        self,
        app_id: str = "wx0000000000loopback",
        secret: str = "loopback00000000000000000account",  # noqa: S107 - it opens nothing
        callback_token: str = "loopback",  # noqa: S107
        callback_key: str = "loopback1loopback2loopback3loopback4loopbac",
        *,
        verified: bool = True,
        now: Callable[[], datetime] | None = None,
        patience: float = PATIENCE,
        rest: float = 0.02,
    ) -> None:
        self.now = now or _since_the_start
        courier = WeChatCourier(callback_token, callback_key, app_id, self.now, patience, rest)
        super().__init__(courier, self.now)
        self.app_id, self.secret = app_id, secret
        self.callback_token, self.callback_key = callback_token, callback_key
        self.verified = verified
        self.calls: list[tuple[str, Json]] = []
        """Every call: path behind /cgi-bin/ and fields, oldest first."""
        self.untrusted_ip = ""
        """Set: whoever calls has this address, and it is not in the IP白名单."""
        self.templates: set[str] = set()
        self._tokens: dict[str, datetime] = {}
        self._refused: set[str] = set()
        self._stable = ""
        self._plain = ""
        self._number = 0
        self._scripts: dict[str, _Script] = {}
        self._server = LoopbackServer(self._answer)

    async def __aenter__(self) -> "WeChatServer":
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.courier.close()
        await self._server.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        """What an account is to take for WeChat's address."""
        return self._server.url

    async def connect(self, url: str) -> None:
        """Set the account's server address; it is asked first. Raises ConnectionError."""
        await self.courier.connect(url)

    def fail(self, path: str, code: int | None, times: int = 1, done: bool = False) -> None:
        """Let the next calls of a path go wrong.

        Args:
            path: behind /cgi-bin/.
            code: what is answered; None cuts the line instead.
            times: how many calls go wrong.
            done: the call takes effect before its line is cut.
        """
        self._scripts[path] = _Script(code, times, done)

    def expire_tokens(self) -> None:
        """Let every access token grow old."""
        self._tokens = dict.fromkeys(self._tokens, self.now() - timedelta(seconds=1))

    # -- the API ------------------------------------------------------------------------------------------

    async def _answer(self, call: Call) -> Reply:
        date = (("Date", format_datetime(self.now().astimezone(UTC), usegmt=True)),)
        try:
            reply = await self._called(call)
        except Trouble as trouble:
            reply = trouble.reply()
        return Reply(reply.status, reply.body, reply.kind, (*reply.headers, *date))

    async def _called(self, call: Call) -> Reply:
        path = call.path.removeprefix("/cgi-bin/")
        if b"\\u" in call.body:
            raise Trouble(47001, "what is escaped would be shown as it is escaped")
        fields, files = form_of(call)
        self.calls.append((path, fields))
        script = self._scripts.get(path)
        if script is None or not script.left:
            return self._do(path, fields, files)
        script.left -= 1
        if script.code is not None:
            raise Trouble(script.code, "as it was told")
        if script.done:
            self._do(path, fields, files)
        return Reply(None)

    def _do(self, path: str, fields: Json, files: dict[str, bytes]) -> Reply:
        if path in ("stable_token", "token"):
            return _ok(self._give_token(fields, stable=path == "stable_token"))
        self._must_be_let_in(path, fields)
        if path == "media/get":
            return self._get_media(fields)
        calls: dict[str, Callable[[], Json]] = {
            "callback/check": self._check_address,
            "menu/create": lambda: self._create_menu(fields),
            "message/custom/send": lambda: self._send(fields),
            "message/template/send": lambda: self._knock(fields),
            "message/subscribe/bizsend": lambda: self._knock(fields),
            "media/upload": lambda: self._upload(fields, files),
            "qrcode/create": lambda: self._create_code(fields),
        }
        if path not in calls:
            raise Trouble(40066, "invalid url")
        return _ok(calls[path]())

    def _give_token(self, fields: Json, *, stable: bool) -> Json:
        """`stable_token` gives the same one again; each new one of `token` makes the last one void."""
        if fields.get("appid") != self.app_id:
            raise Trouble(40013, "invalid appid")
        if fields.get("secret") != self.secret:
            raise Trouble(40125, "invalid appsecret")
        if self.untrusted_ip:
            raise Trouble(
                40164, f"invalid ip {self.untrusted_ip} ipv6 ::ffff:{self.untrusted_ip}, not in whitelist"
            )
        token = self._stable_token(forced=bool(fields.get("force_refresh"))) if stable else self._new_plain()
        return {"access_token": token, "expires_in": int((self._tokens[token] - self.now()).total_seconds())}

    def _stable_token(self, *, forced: bool) -> str:
        good = self._stable in self._tokens and self.now() < self._tokens[self._stable]
        if forced or not good:
            self._tokens.pop(self._stable, None)
            self._stable = self._make_token("stable")
        return self._stable

    def _new_plain(self) -> str:
        self._tokens.pop(self._plain, None)
        self._plain = self._make_token("plain")
        return self._plain

    def _make_token(self, kind: str) -> str:
        token = f"{kind}-{self._next()}"
        self._tokens[token] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        return token

    def void_tokens(self) -> None:
        """Refuse every token before its time, the one among them that `stable_token` goes on giving."""
        self._refused |= self._tokens.keys()

    def _must_be_let_in(self, path: str, fields: Json) -> None:
        token = fields.get("access_token")
        if not token:
            raise Trouble(41001, "access_token missing")
        if token not in self._tokens or token in self._refused:
            raise Trouble(40001, "invalid credential, access_token is invalid or not latest")
        if self._tokens[str(token)] <= self.now():
            raise Trouble(42001, "access_token expired")
        if path in _VERIFIED_ONLY and not self.verified:
            raise Trouble(48001, "api unauthorized")

    def _check_address(self) -> Json:
        if not self.courier.url:
            raise Trouble(40201, "invalid url")
        return {"dns": [{"ip": "127.0.0.1", "real_operator": "DEFAULT"}]}

    def _create_menu(self, fields: Json) -> Json:
        self.menu = check_menu(fields)
        return {}

    def _create_code(self, fields: Json) -> Json:
        scene, seconds = check_scene(fields)
        url = f"http://weixin.qq.com/q/{self._next():06}"
        self.scenes[url] = scene, self.now() + timedelta(seconds=seconds)
        return {"ticket": f"ticket-{self._next()}", "expire_seconds": seconds, "url": url}

    # -- saying -------------------------------------------------------------------------------------------

    def _send(self, fields: Json) -> Json:
        reader = self._reader(fields)
        kind = check_message(fields)
        data = self._media_of(str(fields["image"].get("media_id")))[0] if kind == "image" else b""
        reader.must_be_open(self.now()).left -= 1
        if kind == "image":
            reader.pictures.append(data)
        else:
            reader.shown.append(str(fields["text"]["content"]))
        return {}

    def _knock(self, fields: Json) -> Json:
        reader = self._reader(fields)
        if fields.get("template_id") not in self.templates:
            raise Trouble(40037, "invalid template_id")
        for name, one in fields.get("data", {}).items():
            if name.startswith("thing") and len(one["value"]) > 20:
                raise Trouble(47003, f"argument invalid! data.{name}.value is too long")
        reader.knocks.append(fields["data"])
        return {"msgid": self._next()}

    def _reader(self, fields: Json) -> Follower:
        reader = self.followers.get(str(fields.get("touser")))
        if reader is None:
            raise Trouble(40003, "invalid openid")
        if not reader.follows:
            raise Trouble(43004, "require subscribe")
        return reader

    def _upload(self, fields: Json, files: dict[str, bytes]) -> Json:
        kind = str(fields.get("type", ""))
        if "media" not in files:
            raise Trouble(41005, "media data missing")
        media_id = self.keep_file(check_picture(kind, files["media"]), kind)
        return {"type": kind, "media_id": media_id, "created_at": int(self.now().timestamp())}

    def _media_of(self, media_id: str) -> tuple[bytes, str]:
        data, name, at = self.media.get(media_id, (b"", "", None))
        if at is None or self.now() > at + MEDIA_DAYS:
            raise Trouble(40007, "invalid media_id")
        return data, name

    def _get_media(self, fields: Json) -> Reply:
        data, name = self._media_of(str(fields.get("media_id")))
        head = (("Content-Disposition", f'attachment; filename="{name}"'),)
        return Reply(200, data, "application/octet-stream", head)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _ok(found: Json) -> Reply:
    return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok", **found}).encode())


def _since_the_start() -> datetime:
    return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())
