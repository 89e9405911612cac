"""A stand-in for WeCom on this machine, which keeps WeCom's rules: for tests, trials and measuring."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Final

from bot.channels.edge import fingerprint
from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.wecom_delivery import PATIENCE, Courier
from bot.channels.wecom_people import People
from bot.channels.wecom_rules import (
    CODE_HOURS,
    HOUR,
    MEDIA_DAYS,
    MINUTE,
    MOST_TOGETHER,
    RECALL_HOURS,
    Code,
    Counter,
    Json,
    Shown,
    Trouble,
    check_card,
    check_chat,
    check_content,
    check_upload,
    truncated,
)

BEGAN: Final = datetime(2026, 12, 1, 9, tzinfo=UTC)
"""When the stand-in's own clock begins, where none is handed in."""
TOKEN_SECONDS: Final = 7200


@dataclass
class _Script:
    """What the next calls of a path end with."""

    code: int | None
    left: int
    done: bool


class WeComServer(People):
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
        self.visible_to_all = True
        """The application's visible range is the whole organisation."""
        self.menu: Json = {}
        self.chats: dict[str, tuple[str, ...]] = {}
        self.dropped: list[Shown] = []
        """What was dropped without a word."""
        self._tokens: dict[str, datetime] = {}
        self._per_minute = Counter(10_000, MINUTE)
        self._member_minute, self._member_hour = Counter(30, MINUTE), Counter(1000, HOUR)
        self._chat_minute = Counter(200, MINUTE)
        self._blocked_until: datetime | None = None
        self._said: dict[tuple[str, str], datetime] = {}
        self._tasks: set[str] = set()
        self._scripts: dict[str, _Script] = {}
        self._number = 0
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

    def _must_be_ours(self, fields: Json) -> None:
        if str(fields.get("agentid")) != str(self.agent_id):
            raise Trouble(40056, "invalid agentid")

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

    # -- messages -----------------------------------------------------------------------------------------

    def _send(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        kind = check_content(fields)
        buttons = self._card(fields) if kind == "template_card" else ()
        asked = [name for name in str(fields.get("touser", "")).split("|") if name][:MOST_TOGETHER]
        lost = [name for name in asked if name.casefold() not in self.members]
        unlicensed = [name for name in asked if name.casefold() in self.unlicensed]
        reached = [name for name in asked if name not in lost and name not in unlicensed]
        if not asked or len(lost) == len(asked):
            raise Trouble(81013, "user & party & tag all invalid")
        message = self._shown("", kind, fields, buttons)
        for name in reached:
            self._arrive(name.casefold(), message, fields)
        found: Json = {"msgid": message.id}
        found |= {"invaliduser": "|".join(lost).lower()} if lost else {}
        found |= {"unlicenseduser": "|".join(unlicensed).lower()} if unlicensed else {}
        if message.task:
            code = f"code-{self._next()}"
            self.codes[code] = Code(message.task, self.now())
            found["response_code"] = code
        return found

    def _card(self, fields: Json) -> tuple[tuple[str, str], ...]:
        if not self.courier.url:
            raise Trouble(40058, "the application has no callback address, so nobody could press")
        card = fields["template_card"]
        buttons = check_card(card, self._tasks)
        self._tasks.add(str(card["task_id"]))
        return buttons

    def _shown(self, to: str, kind: str, fields: Json, buttons: tuple[tuple[str, str], ...]) -> Shown:
        content = fields[kind]
        text, data = truncated(str(content.get("content", ""))), b""
        if kind == "template_card":
            title = content.get("main_title", {}).get("title", "")
            text = "\n".join(part for part in (title, content.get("sub_title_text", "")) if part)
        elif "media_id" in content:
            data = self._media_of(str(content["media_id"]))[0]
        task = str(content.get("task_id", ""))
        return Shown(f"msg-{self._next()}", to, kind, text, self.now(), buttons, task, data)

    def _arrive(self, to: str, message: Shown, fields: Json) -> None:
        """Reach one member; what is too much, or was said already, is dropped without a word."""
        arrived = Shown(**{**vars(message), "to": to})
        again = fields.get("enable_duplicate_check") and self._is_double(to, fields)
        now = self.now()
        if again or self._member_minute.full(to, now) or self._member_hour.full(to, now):
            self.dropped.append(arrived)
        else:
            self.shown.append(arrived)

    def _is_double(self, to: str, fields: Json) -> bool:
        interval = timedelta(seconds=min(int(fields.get("duplicate_check_interval", 1800)), 4 * 3600))
        kind = fields["msgtype"]
        said = to, fingerprint(json.dumps(fields[kind], sort_keys=True).encode())
        last = self._said.get(said)
        double = last is not None and self.now() < last + interval
        if not double:
            self._said[said] = self.now()
        return double

    def _recall(self, fields: Json) -> Json:
        told = [shown for shown in self.shown if shown.id == fields.get("msgid")]
        if not told or self.now() > told[0].at + RECALL_HOURS:
            raise Trouble(40058, "invalid msgid, or it is too late")
        for shown in told:
            shown.recalled = True
        return {}

    def _update_card(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        if not isinstance(fields.get("userids"), list):
            raise Trouble(40058, "userids is an array here")
        code = self.codes.get(str(fields.get("response_code")))
        if code is None or code.used or self.now() > code.at + CODE_HOURS:
            raise Trouble(40058, "invalid response_code")
        code.used = True
        names = {str(name).casefold() for name in fields["userids"]}
        for shown in self.shown:
            if shown.task == code.task and shown.to in names:
                shown.rested = str(fields.get("button", {}).get("replace_name", ""))
        return {"invaliduser": []}

    # -- files --------------------------------------------------------------------------------------------

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

    # -- groups of the application's own ------------------------------------------------------------------

    def _create_chat(self, fields: Json) -> Json:
        if not self.visible_to_all:
            raise Trouble(48002, "api forbidden")
        people = check_chat(fields, list(self.members.values()))
        chat = str(fields.get("chatid") or f"chat-{self._next()}")
        if chat in self.chats:
            raise Trouble(86215, "chatid already exists")
        self.chats[chat] = people
        return {"chatid": chat}

    def _send_to_chat(self, fields: Json) -> Json:
        if not self.visible_to_all:
            raise Trouble(48002, "api forbidden")
        chat = str(fields.get("chatid"))
        if chat not in self.chats:
            raise Trouble(86003, "chatid not exist")
        message = self._shown(f"chat:{chat}", check_content(fields), fields, ())
        (self.dropped if self._chat_minute.full(chat, self.now()) else self.shown).append(message)
        return {}

    def _next(self) -> int:
        self._number += 1
        return self._number


def _ok(found: Json) -> Reply:
    return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok", **found}).encode())


def _since_the_start() -> datetime:
    return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())
