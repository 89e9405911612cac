"""A stand-in for WeCom on this machine, which keeps WeCom's rules: for tests, trials and measuring."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Final

from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.wecom_delivery import PATIENCE, Courier
from bot.channels.wecom_rules import MINUTE, Counter, Json, Trouble
from bot.channels.wecom_speaking import Speaking

BEGAN: Final = datetime(2026, 12, 1, 9, tzinfo=UTC)
"""When the stand-in's own clock begins, where none is handed in."""
TOKEN_SECONDS: Final = 7200


@dataclass
class _Script:
    """What the next calls of a path end with."""

    code: int | None
    left: int
    done: bool


class WeComServer(Speaking):
    """Plays WeCom: members write, the application is told and answers. Use it with `async with`.

    Args:
        corp_id: of the organisation.
        agent_id: of its one application.
        secret: the application's.
        callback_token: signs what is delivered.
        callback_key: encrypts it.
        now: gives aware UTC; by it limits are counted and things grow old.
        patience: seconds until a delivery is cut.
        rest: seconds between two tries of a delivery.
    """

    def __init__(
        self,
        corp_id: str = "ww0000000000loopback",
        agent_id: int = 1000002,
        secret: str = "loopback-secret-of-the-application",  # noqa: S107 - it opens nothing
        callback_token: str = "loopback",  # noqa: S107
        callback_key: str = "loopback1loopback2loopback3loopback4loopbac",
        now: Callable[[], datetime] | None = None,
        patience: float = PATIENCE,
        rest: float = 0.02,
    ) -> None:
        self.now = now or _since_the_start
        super().__init__(
            Courier(callback_token, callback_key, corp_id, self.now, patience, rest),
            corp_id,
            agent_id,
            self.now,
        )
        self.corp_id, self.agent_id, self.secret = corp_id, agent_id, secret
        self.callback_token, self.callback_key = callback_token, callback_key
        self.calls: list[tuple[str, Json]] = []
        """Every call: path behind /cgi-bin/ and fields, oldest first."""
        self.untrusted_ip = ""
        """Set: whoever calls has this address, and it is not in 企业可信IP."""
        self.menu: Json = {}
        self._tokens: dict[str, datetime] = {}
        self._per_minute = Counter(10_000, MINUTE)
        self._blocked_until: datetime | None = None
        self._scripts: dict[str, _Script] = {}
        self._http = LoopbackServer(self._answer)

    async def __aenter__(self) -> "WeComServer":
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.courier.close()
        await self._http.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        """What an application is to take for WeCom's address."""
        return self._http.url

    async def connect(self, url: str) -> None:
        """Set the application's callback address; it is asked first. Raises ConnectionError."""
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
        fields, files = form_of(call)
        self.calls.append((path, fields))
        self._count()
        script = self._scripts.get(path)
        if script is not None and script.left:
            script.left -= 1
            if script.code is not None:
                raise Trouble(script.code, "as it was told")
            if script.done:
                await self._do(path, fields, files)
            return Reply(None)
        return await self._do(path, fields, files)

    def _count(self) -> None:
        """Ten thousand calls a minute, then nothing for sixty seconds."""
        now = self.now()
        if self._blocked_until is not None and now < self._blocked_until:
            raise Trouble(45009, "api freq out of limit")
        if self._per_minute.full("", now):
            self._blocked_until = now + MINUTE
            raise Trouble(45009, "api freq out of limit")

    async def _do(self, path: str, fields: Json, files: dict[str, bytes]) -> Reply:
        if path == "gettoken":
            return _ok(self._get_token(fields))
        self._must_be_let_in(fields)
        if path == "media/get":
            return self._get_media(fields)
        calls: dict[str, Callable[[], Json]] = {
            "agent/get": lambda: self._get_agent(fields),
            "menu/create": lambda: self._create_menu(fields),
            "message/send": lambda: self._send(fields),
            "message/recall": lambda: self._recall(fields),
            "message/update_template_card": lambda: self._update_card(fields),
            "media/upload": lambda: self._upload(fields, files),
            "appchat/create": lambda: self._create_chat(fields),
            "appchat/send": lambda: self._send_to_chat(fields),
        }
        if path not in calls:
            raise Trouble(40066, "invalid url")
        return _ok(calls[path]())

    def _get_token(self, fields: Json) -> Json:
        """The same token while it is good: a new one makes none void."""
        if fields.get("corpid") != self.corp_id:
            raise Trouble(40013, "invalid corpid")
        if fields.get("corpsecret") != self.secret:
            raise Trouble(40001, "invalid credential")
        now = self.now()
        token = next((token for token, until in self._tokens.items() if now < until), None)
        if token is None:
            token = f"token-{self._next()}"
            self._tokens[token] = now + timedelta(seconds=TOKEN_SECONDS)
        return {"access_token": token, "expires_in": int((self._tokens[token] - now).total_seconds())}

    def _must_be_let_in(self, fields: Json) -> None:
        token = fields.get("access_token")
        if not token:
            raise Trouble(41001, "access_token missing")
        if token not in self._tokens:
            raise Trouble(40014, "invalid access_token")
        if self._tokens[token] <= self.now():
            raise Trouble(42001, "access_token expired")
        if self.untrusted_ip:
            raise Trouble(60020, f"not allow to access from your ip, from ip: {self.untrusted_ip}")

    def _get_agent(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        users = [{"userid": name} for name in self.members.values()]
        return {"agentid": self.agent_id, "close": 0, "allow_userinfos": {"user": users}}

    def _create_menu(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        buttons = fields.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
            raise Trouble(40016, "invalid button size")
        if any(len(button.get("sub_button", ())) > 5 for button in buttons):
            raise Trouble(40023, "invalid sub button size")
        self.menu = {"button": buttons}
        return {}


def _ok(found: Json) -> Reply:
    return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok", **found}).encode())


def _since_the_start() -> datetime:
    return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())
