"""A stand-in for 微信客服 on this machine, which keeps its rules: for tests and trials."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Final

from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.wecom_delivery import PATIENCE, Courier
from bot.channels.wecom_kf_people import People
from bot.channels.wecom_kf_rules import CODE_LASTS, KEPT, TOKEN_LASTS, WITHOUT_TOKEN, Customer, check_message
from bot.channels.wecom_rules import MEDIA_DAYS, MINUTE, Counter, Json, Trouble, check_upload

BEGAN: Final = datetime(2026, 12, 1, 9, tzinfo=UTC)
"""When the stand-in's own clock begins, where none is handed in."""
TOKEN_SECONDS: Final = 7200


class WeComKfServer(People):
    """Plays 微信客服: people write, the account is called, pulls and answers. Use it with `async with`.

    Args:
        corp_id: of the organisation.
        kf_id: the account, open_kfid.
        secret: of 微信客服.
        callback_token: signs what is delivered.
        callback_key: encrypts it.
        now: gives aware UTC; by it windows close and things grow old.
        patience: seconds until a delivery is cut.
        rest: seconds between two tries of a delivery.
    """

    def __init__(
        self,
        corp_id: str = "ww0000000000loopback",
        kf_id: str = "wkloopback000000000000000000account",
        secret: str = "loopback-secret-of-the-kf-account",  # noqa: S107 - it opens nothing
        callback_token: str = "loopback",  # noqa: S107
        callback_key: str = "loopback1loopback2loopback3loopback4loopbac",
        now: Callable[[], datetime] | None = None,
        patience: float = PATIENCE,
        rest: float = 0.02,
    ) -> None:
        self.now = now or _since_the_start
        courier = Courier(callback_token, callback_key, corp_id, self.now, patience, rest)
        super().__init__(courier, corp_id, kf_id, self.now)
        self.corp_id, self.secret = corp_id, secret
        self.callback_token, self.callback_key = callback_token, callback_key
        self.calls: list[tuple[str, Json]] = []
        """Every call: path behind /cgi-bin/ and fields, oldest first."""
        self.untrusted_ip = ""
        """Set: whoever calls has this address, and it is not in 企业可信IP."""
        self.managed = True
        """The account was given to the API."""
        self.page = 1000
        """Entries of one page at most."""
        self._access: dict[str, datetime] = {}
        self._without_token = Counter(WITHOUT_TOKEN, MINUTE)
        self._number = 0
        self._failing: dict[str, list[int | None]] = {}
        self._server = LoopbackServer(self._answer)

    async def __aenter__(self) -> "WeComKfServer":
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.courier.close()
        await self._server.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        """What an account is to take for WeCom's address."""
        return self._server.url

    async def connect(self, url: str) -> None:
        """Set the account's callback address; it is asked first. Raises ConnectionError."""
        await self.courier.connect(url)

    def fail(self, path: str, code: int | None, times: int = 1) -> None:
        """Let the next calls of a path behind /cgi-bin/ end with a code; None cuts the line instead."""
        self._failing[path] = [code] * times

    def expire_tokens(self) -> None:
        """Let every access token grow old."""
        self._access = dict.fromkeys(self._access, self.now() - timedelta(seconds=1))

    # -- the API ------------------------------------------------------------------------------------------

    async def _answer(self, call: Call) -> Reply:
        date = (("Date", format_datetime(self.now().astimezone(UTC), usegmt=True)),)
        try:
            reply = self._called(call)
        except Trouble as trouble:
            reply = trouble.reply()
        return Reply(reply.status, reply.body, reply.kind, (*reply.headers, *date))

    def _called(self, call: Call) -> Reply:
        path = call.path.removeprefix("/cgi-bin/")
        fields, files = form_of(call)
        self.calls.append((path, fields))
        failing = self._failing.get(path)
        if failing:
            code = failing.pop()
            if code is None:
                return Reply(None)
            raise Trouble(code, "as it was told")
        if path == "gettoken":
            return _ok(self._get_token(fields))
        self._must_be_let_in(fields)
        if path == "media/get":
            return self._get_media(fields)
        calls: dict[str, Callable[[], Json]] = {
            "kf/account/list": self._list_accounts,
            "kf/add_contact_way": lambda: self._add_way(fields),
            "kf/sync_msg": lambda: self._sync(fields),
            "kf/send_msg": lambda: self._send(fields),
            "kf/send_msg_on_event": lambda: self._greet(fields),
            "media/upload": lambda: self._upload(fields, files),
        }
        if path not in calls:
            raise Trouble(40066, "invalid url")
        return _ok(calls[path]())

    def _get_token(self, fields: Json) -> Json:
        if fields.get("corpid") != self.corp_id:
            raise Trouble(40013, "invalid corpid")
        if fields.get("corpsecret") != self.secret:
            raise Trouble(40001, "invalid credential")
        now = self.now()
        token = next((token for token, until in self._access.items() if now < until), None)
        if token is None:
            token = f"token-{self._next()}"
            self._access[token] = now + timedelta(seconds=TOKEN_SECONDS)
        return {"access_token": token, "expires_in": int((self._access[token] - now).total_seconds())}

    def _must_be_let_in(self, fields: Json) -> None:
        token = fields.get("access_token")
        if token not in self._access:
            raise Trouble(40014, "invalid access_token")
        if self._access[token] <= self.now():
            raise Trouble(42001, "access_token expired")
        if self.untrusted_ip:
            raise Trouble(60020, f"not allow to access from your ip, from ip: {self.untrusted_ip}")

    def _list_accounts(self) -> Json:
        mine = {"open_kfid": self.kf_id, "name": "网格服务", "manage_privilege": self.managed}
        return {"account_list": [mine]}

    def _add_way(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        return {"url": f"https://work.weixin.qq.com/kfid/{self.kf_id}?enc_scene=loopback"}

    # -- pulling ------------------------------------------------------------------------------------------

    def _sync(self, fields: Json) -> Json:
        """A page from a cursor on; without the token of a callback only a few times a minute."""
        self._must_be_ours(fields)
        now, token = self.now(), fields.get("token")
        if token:
            if token not in self.tokens or now > self.tokens[str(token)] + TOKEN_LASTS:
                raise Trouble(95007, "invalid msg token")
        elif self._without_token.full("", now):
            raise Trouble(45009, "api freq out of limit")
        start = self._place_of(str(fields.get("cursor") or ""))
        size = min(int(fields.get("limit") or 1000), self.page)
        since = (now - KEPT).timestamp()
        page = [entry for entry in self.entries[start : start + size] if entry["send_time"] >= since]
        end = min(start + size, len(self.entries))
        return {"next_cursor": f"cursor-{end}", "has_more": int(end < len(self.entries)), "msg_list": page}

    def _place_of(self, cursor: str) -> int:
        place = cursor.removeprefix("cursor-")
        if cursor and not (place.isdecimal() and int(place) <= len(self.entries)):
            raise Trouble(40058, "invalid cursor")
        return int(place) if cursor else 0

    # -- saying -------------------------------------------------------------------------------------------

    def _send(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        customer = self.customers.get(str(fields.get("touser")))
        if customer is None:
            raise Trouble(40096, "invalid external userid")
        kind, words, lines = check_message(fields)
        data = self._media_of(str(fields["image"].get("media_id")))[0] if kind == "image" else b""
        customer.must_be_open(self.now())
        return self._show(customer, kind, words, lines, data)

    def _greet(self, fields: Json) -> Json:
        greeting = self.codes.get(str(fields.get("code")))
        if greeting is None or greeting.used or self.now() > greeting.at + CODE_LASTS:
            raise Trouble(41051, "invalid code, or it is too late")
        kind, words, lines = check_message(fields)
        greeting.used = True
        return self._show(self._of(greeting.user), kind, words, lines)

    def _show(
        self,
        customer: Customer,
        kind: str,
        words: str,
        lines: tuple[tuple[str, str], ...],
        data: bytes = b"",
    ) -> Json:
        if kind == "image":
            customer.pictures.append(data)
        else:
            customer.shown.append(words)
        if lines:
            customer.menus.append(lines)
        return {"msgid": f"sent-{self._next()}"}

    def _must_be_ours(self, fields: Json) -> None:
        if fields.get("open_kfid") != self.kf_id:
            raise Trouble(95000, "invalid open_kfid")
        if not self.managed:
            raise Trouble(48002, "api forbidden")

    def _upload(self, fields: Json, files: dict[str, bytes]) -> Json:
        kind = str(fields.get("type", ""))
        if "media" not in files:
            raise Trouble(41005, "media data missing")
        media_id = self.keep_file(check_upload(kind, files["media"]), kind)
        return {"type": kind, "media_id": media_id, "created_at": str(int(self.now().timestamp()))}

    def _media_of(self, media_id: str) -> tuple[bytes, str]:
        data, name, at = self.media.get(media_id, (b"", "", None))
        if at is None or self.now() > at + MEDIA_DAYS:
            raise Trouble(40007, "invalid media_id")
        return data, name

    def _get_media(self, fields: Json) -> Reply:
        data, name = self._media_of(str(fields.get("media_id")))
        plain = name.encode("ascii", "replace").decode()
        head = (("Content-Disposition", f'attachment; filename="{plain}"'),)
        return Reply(200, data, "application/octet-stream", head)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _ok(found: Json) -> Reply:
    return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok", **found}).encode())


def _since_the_start() -> datetime:
    return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())
