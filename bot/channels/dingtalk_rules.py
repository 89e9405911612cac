"""What DingTalk takes and what it refuses, as far as a robot can run into it: for the stand-in."""

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.channels.loopback import Call, Reply

Json = dict[str, Any]

LONGEST_WEBHOOK: Final = 20_000
"""Bytes of a whole message to a group's robot."""
LONGEST_PUSHED: Final = 20_000
"""Bytes of `msgParam`; the real number is not published."""
MOST_PEOPLE: Final = 20
MOST_A_MINUTE: Final = 20
BLOCKED: Final = timedelta(minutes=10)
LARGEST_UPLOAD: Final = 20 * 1024 * 1024
_APART: Final = timedelta(hours=1)
_KINDS: Final = {"sampleText": "content", "sampleImageMsg": "photoURL", "sampleFile": "mediaId"}


class Trouble(Exception):
    """A call that a new interface refuses, with DingTalk's own code."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message

    def reply(self) -> Reply:
        """Write the answer as DingTalk does."""
        body = {"code": self.code, "message": self.message or self.code, "requestid": "0"}
        return Reply(self.status, json.dumps(body).encode())


class OldTrouble(Trouble):
    """A call that an old interface refuses: by a number, and all is well as far as HTTP goes."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(200, str(number), message)

    def reply(self) -> Reply:
        """Write the answer as DingTalk does."""
        body = {"errcode": int(self.code), "errmsg": self.message}
        return Reply(200, json.dumps(body).encode())


class Rate:
    """Twenty messages a minute; whoever sends more is not listened to for ten."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._times: deque[datetime] = deque()
        self.blocked_until: datetime | None = None

    def count(self) -> None:
        """Count one message. Raises Trouble."""
        now = self._now()
        if self.blocked_until is not None and now < self.blocked_until:
            raise OldTrouble(130101, "send too fast, exceed 20 times per minute")
        while self._times and self._times[0] <= now - timedelta(minutes=1):
            self._times.popleft()
        if len(self._times) >= MOST_A_MINUTE:
            self.blocked_until = now + BLOCKED
            raise OldTrouble(130101, "send too fast, exceed 20 times per minute")
        self._times.append(now)


@dataclass
class GroupRobot:
    """A robot that people have put into a group, with the safety settings they chose."""

    group: str
    rate: Rate
    secret: str = field(default="", repr=False)
    keywords: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """From where it may be spoken to; none: from everywhere."""

    def check(self, call: Call, words: str, now: datetime) -> None:
        """Hold a message against the safety settings. Raises Trouble."""
        if self.keywords and not any(word in words for word in self.keywords):
            raise OldTrouble(310000, "keywords not in content, more: [https://ding-doc.dingtalk.com/doc]")
        if self.addresses and "127.0.0.1" not in self.addresses:
            raise OldTrouble(
                310000, "ip 127.0.0.1 not in whitelist, more: [https://ding-doc.dingtalk.com/doc]"
            )
        if self.secret:
            check_sign(call.query.get("timestamp", ""), call.query.get("sign", ""), self.secret, now)


def check_sign(timestamp: str, sign: str, secret: str, now: datetime) -> None:
    """Hold a signature against its moment. Raises Trouble."""
    if not timestamp.isdecimal() or abs(int(timestamp) / 1000 - now.timestamp()) > _APART.total_seconds():
        raise OldTrouble(310000, "invalid timestamp, more: [https://ding-doc.dingtalk.com/doc]")
    digest = hmac.digest(secret.encode(), b"\n".join((timestamp.encode(), secret.encode())), hashlib.sha256)
    if base64.standard_b64encode(digest) != sign.encode("utf-8", "replace"):
        raise OldTrouble(310000, "sign not match, more: [https://ding-doc.dingtalk.com/doc]")


def text_of(body: Json, longest: int = LONGEST_WEBHOOK) -> str:
    """The words of a message by an old interface. Raises Trouble."""
    if body.get("msgtype") != "text":
        raise OldTrouble(400105, "unsupported message type")
    content = str(body.get("text", {}).get("content", ""))
    if not content.strip():
        raise OldTrouble(40035, "缺少参数 content")
    if len(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")) > longest:
        raise OldTrouble(460101, "message too long, exceed 20000 bytes")
    return content


def pushed(body: Json) -> tuple[str, str]:
    """Kind and content of what a robot pushes. Raises Trouble."""
    kind, told = str(body.get("msgKey", "")), str(body.get("msgParam", ""))
    if kind not in _KINDS:
        raise Trouble(400, "invalidParameter.msgKey.invalid")
    if len(told.encode("utf-8", "replace")) > LONGEST_PUSHED:
        raise Trouble(400, "invalidParameter.msgParam.tooLong")
    try:
        content = str(json.loads(told)[_KINDS[kind]])
    except (ValueError, KeyError, TypeError):
        raise Trouble(400, "invalidParameter.msgParam.invalid") from None
    if not content.strip():
        raise Trouble(400, "invalidParameter.msgParam.empty")
    return kind, content
