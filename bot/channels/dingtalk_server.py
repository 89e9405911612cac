"""A stand-in for DingTalk on this machine, which keeps DingTalk's rules: for tests, trials and measuring."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType

from bot.channels.dingtalk_gateway import MESSAGES, Gateway
from bot.channels.dingtalk_people import DingTalkPeople, Said
from bot.channels.dingtalk_rules import (
    LARGEST_UPLOAD,
    MOST_PEOPLE,
    Json,
    OldTrouble,
    Rate,
    Trouble,
    pushed,
    text_of,
)
from bot.channels.loopback import Call, LoopbackServer, Reply, form_of


class DingTalkServer(DingTalkPeople):
    """Plays DingTalk: people write, the robot is told and answers. Use it with `async with`.

    Args:
        now: gives aware UTC; addresses, signatures and rates are counted by it.
        client_id, client_secret, robot_code: the only application that is known.
        retry_seconds: so long the gateway waits for a confirmation.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        client_id: str = "ding-loopback",
        client_secret: str = "a-secret-of-loopback",  # noqa: S107 - it opens nothing
        robot_code: str = "",
        retry_seconds: float = 0.2,
    ) -> None:
        super().__init__(now, Gateway(retry_seconds))
        self.client_id = client_id
        self.client_secret = client_secret
        self.robot_code = robot_code or client_id
        self.calls: list[tuple[str, Json]] = []
        """Every call that was let in: path and fields, oldest first."""
        self.recalled: set[str] = set()
        self.stream_on = True
        self.published = True
        self.allowed = True
        """Whether this machine's address may call."""
        self._http = LoopbackServer(self._answer)
        self._stack = AsyncExitStack()
        self._tokens: list[str] = []
        self._media: dict[str, bytes] = {}
        self._rates: dict[str, Rate] = {}
        self._troubles: dict[str, list[Trouble | None]] = {}

    async def __aenter__(self) -> "DingTalkServer":
        await self._stack.enter_async_context(self._http)
        await self._stack.enter_async_context(self.gateway)
        self.base_url = self._http.url  # what is to be taken for DingTalk's new address, and for its old one
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def tokens_given(self) -> int:
        """How many access tokens were asked for."""
        return len(self._tokens)

    def fail(self, path: str, *troubles: Trouble | None) -> None:
        """Let the next calls of a path go wrong, one trouble each; None cuts the line instead."""
        self._troubles.setdefault(path, []).extend(troubles)

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        self._troubles.clear()

    def void_tokens(self) -> None:
        """Make every token stale before its time."""
        self._tokens = [""] * len(self._tokens)

    # -- the interfaces -----------------------------------------------------------------------------------

    async def _answer(self, call: Call) -> Reply:
        try:
            if (troubles := self._troubles.get(call.path)) is not None and troubles:
                trouble = troubles.pop(0)
                if trouble is None:
                    return Reply(None)
                raise trouble
            if call.path.startswith("/download/"):
                return self._download(call.path.removeprefix("/download/"))
            fields, files = form_of(call)
            return Reply(200, json.dumps(self._route(call, fields, files)).encode())
        except Trouble as trouble:
            return trouble.reply()

    def _route(self, call: Call, fields: Json, files: dict[str, bytes]) -> Json:
        open_to_all: dict[str, Callable[[], Json]] = {
            "/v1.0/oauth2/accessToken": lambda: self._token(fields),
            "/v1.0/gateway/connections/open": lambda: self._line(fields),
            "/robot/send": lambda: self._robot(call, fields),
            "/robot/sendBySession": lambda: self._session(fields),
            "/media/upload": lambda: self._upload(fields, files),
        }
        with_token: dict[str, Callable[[], Json]] = {
            "/v1.0/robot/oToMessages/batchSend": lambda: self._to_people(fields),
            "/v1.0/robot/groupMessages/send": lambda: self._to_group(fields),
            "/v1.0/robot/otoMessages/batchRecall": lambda: self._recall(fields),
            "/v1.0/robot/groupMessages/recall": lambda: self._recall(fields),
            "/v1.0/robot/messageFiles/download": lambda: self._file(fields),
        }
        if call.path in open_to_all:
            self.calls.append((call.path, fields))
            return open_to_all[call.path]()
        if call.path not in with_token:
            raise Trouble(404, "InvalidAction.NotFound")
        self._check_token(call.headers.get("x-acs-dingtalk-access-token", ""))
        self.calls.append((call.path, fields))
        if not self.published or fields.get("robotCode") != self.robot_code:
            raise Trouble(400, "invalidParameter.robotCode.notExsit", "robot 不存在")  # so it is spelt there
        return with_token[call.path]()

    def _token(self, fields: Json) -> Json:
        if (fields.get("appKey"), fields.get("appSecret")) != (self.client_id, self.client_secret):
            raise Trouble(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        self._tokens.append(f"token-{next(self._numbers)}")
        return {"accessToken": self._tokens[-1], "expireIn": 7200}

    def _check_token(self, token: str) -> None:
        if not token or token not in self._tokens:
            raise Trouble(400, "InvalidAuthentication", "不合法的access_token")
        if not self.allowed:
            raise Trouble(403, "Forbidden.AccessDenied.IpNotInWhiteList")

    def _line(self, fields: Json) -> Json:
        if (fields.get("clientId"), fields.get("clientSecret")) != (self.client_id, self.client_secret):
            raise Trouble(401, "authFailed", "鉴权失败")
        if not self.stream_on:
            raise Trouble(400, "streamModeNotEnabled")  # assumed: the real code is not published
        if {"type": "CALLBACK", "topic": MESSAGES} not in fields.get("subscriptions", []):
            raise Trouble(400, "invalidParameter.subscriptions")
        return {"endpoint": self.gateway.url, "ticket": self.gateway.ticket()}

    def _robot(self, call: Call, fields: Json) -> Json:
        robot = self._robots.get(str(call.query.get("access_token", "")))
        if robot is None:
            raise OldTrouble(300005, "token is not exist")
        robot.rate.count()  # what is refused counts as well
        words = text_of(fields)
        robot.check(call, words, self._now())
        at = fields.get("at", {})
        mentions = (*at.get("atMobiles", ()), *at.get("atUserIds", ()))
        self.sent.append(Said(self._number(), robot.group, words, "robot", mentions=mentions))
        return {"errcode": 0, "errmsg": "ok"}

    def _session(self, fields: Json) -> Json:
        chat, until = self._doors.get(str(fields.get("session")), ("", None))
        if until is None or self._now() >= until:
            raise OldTrouble(300001, "session is not exist or expired")
        words = text_of(fields)
        if chat in self.groups:
            self._rate(chat)
        mentions = tuple(fields.get("at", {}).get("atUserIds", ()))
        self.sent.append(Said(self._number(), chat, words, "session", mentions=mentions))
        return {"errcode": 0, "errmsg": "ok"}

    def _rate(self, group: str) -> None:
        self._rates.setdefault(group, Rate(self._now)).count()

    def _to_people(self, fields: Json) -> Json:
        kind, content = pushed(fields)
        people = fields.get("userIds")
        if not people:
            raise Trouble(400, "MissinguserIds")
        if len(people) > MOST_PEOPLE:
            raise Trouble(400, "invalidParameter.userIds.tooMany")
        unknown = [one for one in people if one not in self.people]
        if len(unknown) == len(people):
            raise Trouble(400, "staffId.notExisted")
        slowed = [one for one in people if one in self.slowed]
        key = self._number()
        for one in people:
            if one not in unknown and one not in slowed:
                self.sent.append(Said(key, one, content, "push", kind, data=self._media.get(content)))
        lowered = [one.lower() for one in unknown]
        return {"processQueryKey": key, "invalidStaffIdList": lowered, "flowControlledStaffIdList": slowed}

    def _to_group(self, fields: Json) -> Json:
        kind, content = pushed(fields)
        group = str(fields.get("openConversationId", ""))
        if group not in self.groups:
            raise Trouble(400, "invalidParameter.openConversationId.invalid")
        self._rate(group)
        key = self._number()
        self.sent.append(Said(key, group, content, "push", kind, data=self._media.get(content)))
        return {"processQueryKey": key}

    def _recall(self, fields: Json) -> Json:
        keys = [str(key) for key in fields.get("processQueryKeys") or ()]
        known = {said.id for said in self.sent if said.way == "push"} - self.recalled
        gone = [key for key in keys if key in known]
        self.recalled |= set(gone)
        self.sent = [said for said in self.sent if said.id not in gone]
        return {"successResult": gone, "failedResult": {key: "notExist" for key in keys if key not in gone}}

    def _file(self, fields: Json) -> Json:
        code = str(fields.get("downloadCode"))
        if code not in self._files:
            raise Trouble(400, "invalidParameter.robotCode.downloadCode")  # so DingTalk calls a code too old
        return {"downloadUrl": f"{self.base_url}/download/{code}"}

    def _download(self, code: str) -> Reply:
        data = self._files.get(code)
        if data is None:
            return Reply(404)
        kind = "image/jpeg" if data.startswith(b"\xff\xd8\xff") else "application/octet-stream"
        return Reply(200, data, kind)

    def _upload(self, fields: Json, files: dict[str, bytes]) -> Json:
        if fields.get("access_token") not in self._tokens:
            raise OldTrouble(40014, "不合法的access_token")
        data = files.get("media", b"")
        if not data or len(data) > LARGEST_UPLOAD:
            raise OldTrouble(40005, "不合法的文件大小")
        name = f"@media{next(self._numbers)}"
        self._media[name] = data
        return {"errcode": 0, "errmsg": "ok", "media_id": name, "type": fields.get("type")}

    def _number(self) -> str:
        return f"key{next(self._numbers)}"
