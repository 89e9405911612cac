"""A stand-in for WeCom's group robots on this machine, which keeps their rules: for tests and trials."""

import base64
import binascii
import hashlib
import json
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final

from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.wecom_rules import MEDIA_DAYS, MINUTE, Json, Trouble

LONGEST: Final = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}
LARGEST_PICTURE: Final = 2 * 1024 * 1024
LARGEST_FILE: Final = 20 * 1024 * 1024
MOST_A_MINUTE: Final = 20
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


@dataclass(frozen=True)
class Said:
    """One message as a group's members see it."""

    group: str
    kind: str
    text: str = ""
    mentions: tuple[str, ...] = ()
    """Userids first, mobiles after them."""
    data: bytes = field(default=b"", repr=False)


@dataclass
class Robot:
    """A robot that people have put into a group."""

    group: str
    stopped: bool = False
    times: deque[datetime] = field(default_factory=deque)
    files: dict[str, tuple[bytes, datetime]] = field(default_factory=dict, repr=False)
    """By media id: only the robot that laid a file down may send it."""

    def count(self, now: datetime) -> None:
        """Count a call, whatever becomes of it. Raises Trouble when it is one too many."""
        while self.times and self.times[0] <= now - MINUTE:
            self.times.popleft()
        self.times.append(now)
        if len(self.times) > MOST_A_MINUTE:
            raise Trouble(45009, "api freq out of limit")


class WeComRobotServer:
    """Plays the robots of some groups. Use it with `async with`.

    Args:
        now: gives aware UTC; by it calls are counted and files grow old.
    """

    channel = "wecom_robot"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._http = LoopbackServer(self._answer)
        self._robots: dict[str, Robot] = {}
        self._troubles: dict[str, list[int | Reply]] = {}
        self.said: list[Said] = []
        """What the groups show, oldest first."""
        self.calls: list[str] = []
        """Which interfaces were called, oldest first."""

    async def __aenter__(self) -> "WeComRobotServer":
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        """What the channel is to take for WeCom's address."""
        return self._http.url

    # -- the people's side --------------------------------------------------------------------------------

    def add_robot(self, group: str) -> str:
        """Put a robot into a group. Returns its webhook address."""
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{group}:{len(self._robots)}"))
        self._robots[key] = Robot(group)
        return f"{self.base_url}/cgi-bin/webhook/send?key={key}"

    def remove_robots(self, group: str) -> None:
        """Take a group's robots out."""
        self._robots = {key: robot for key, robot in self._robots.items() if robot.group != group}

    def stop_robots(self, group: str) -> None:
        """Switch a group's robots off, as an administrator may."""
        for robot in self._robots.values():
            robot.stopped = robot.stopped or robot.group == group

    def heard_in_group(self, group: str) -> Sequence[str]:
        """The words a group shows."""
        return [said.text for said in self.said if said.group == group and said.kind in LONGEST]

    def fail(self, what: str, *endings: int | Reply) -> None:
        """Let the next calls of `send` or `upload_media` end so: with an error number, or another answer."""
        self._troubles[what] = list(endings)

    # -- the interfaces -----------------------------------------------------------------------------------

    async def _answer(self, call: Call) -> Reply:
        what = call.path.removeprefix("/cgi-bin/webhook/")
        self.calls.append(what)
        try:
            fields, files = form_of(call)
            found = self._called(what, call, fields, files)
        except Trouble as trouble:
            return trouble.reply()
        except (ValueError, TypeError, AttributeError):
            return Trouble(40058, "invalid Request Parameter").reply()
        if isinstance(found, Reply):
            return found
        return Reply(200, json.dumps({"errcode": 0, "errmsg": "ok", **found}).encode())

    def _called(self, what: str, call: Call, fields: Json, files: dict[str, bytes]) -> Json | Reply:
        robot = self._robots.get(str(call.query.get("key", "")))
        if robot is None:
            raise Trouble(93000, "invalid webhook url")
        if robot.stopped:
            raise Trouble(93004, "robot is disabled")
        if what not in ("send", "upload_media"):
            raise Trouble(40066, "invalid url")
        if what == "send":
            robot.count(self._now())
        if self._troubles.get(what):
            ending = self._troubles[what].pop(0)
            if isinstance(ending, Reply):
                return ending
            raise Trouble(ending, f"as it was told, of {call.query['key']}")
        if what == "upload_media":
            return self._upload(robot, str(call.query.get("type", "")), files.get("media"))
        self.said.append(self._shown(robot, fields))
        return {}

    def _upload(self, robot: Robot, kind: str, data: bytes | None) -> Json:
        if kind not in ("file", "voice"):
            raise Trouble(40004, "invalid media type")
        if data is None:
            raise Trouble(41005, "media data missing")
        if not 5 < len(data) <= LARGEST_FILE:
            raise Trouble(40006, "invalid media size")
        media_id = f"media-{robot.group}-{len(robot.files)}"
        robot.files[media_id] = data, self._now()
        return {"type": kind, "media_id": media_id, "created_at": str(int(self._now().timestamp()))}

    def _shown(self, robot: Robot, fields: Json) -> Said:
        kind = str(fields.get("msgtype", ""))
        content = fields.get(kind)
        if kind not in (*LONGEST, "image", "file"):
            raise Trouble(40008, "invalid message type")
        if not isinstance(content, dict):
            raise Trouble(40058, f"param missing: {kind}")
        if kind == "image":
            return Said(robot.group, kind, data=_picture(content))
        if kind == "file":
            return Said(robot.group, kind, data=self._laid_down(robot, content))
        return Said(robot.group, kind, _words(kind, content), _mentions(kind, content))

    def _laid_down(self, robot: Robot, content: dict[str, Any]) -> bytes:
        data, at = robot.files.get(str(content.get("media_id", "")), (b"", self._now() - timedelta(days=9)))
        if self._now() >= at + MEDIA_DAYS:
            raise Trouble(40007, "invalid media_id")
        return data


def _words(kind: str, content: dict[str, Any]) -> str:
    words = str(content.get("content", ""))
    if not words.strip():
        raise Trouble(44004, "empty content")
    if len(words.encode("utf-8", "replace")) > LONGEST[kind]:
        raise Trouble(40058, f"{kind}.content exceed max length {LONGEST[kind]}. invalid Request Parameter")
    return words


def _mentions(kind: str, content: dict[str, Any]) -> tuple[str, ...]:
    named = [content.get("mentioned_list", []), content.get("mentioned_mobile_list", [])]
    if kind != "text" or not all(isinstance(one, list) for one in named):
        named = [[], []]
    return tuple(str(name) for some in named for name in some)


def _picture(content: dict[str, Any]) -> bytes:
    try:
        data = base64.b64decode(str(content.get("base64", "")), validate=True)
    except binascii.Error:
        raise Trouble(40058, "image.base64 is invalid") from None
    if not 0 < len(data) <= LARGEST_PICTURE:
        raise Trouble(40009, "invalid image size")
    if not data.startswith(_PICTURES):
        raise Trouble(40005, "invalid file type")
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != content.get("md5"):
        raise Trouble(301019, "invalid image md5")
    return data
