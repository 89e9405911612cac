"""What WeCom takes and what it refuses, as far as an application can run into it: for the stand-in server."""

import json
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.channels.loopback import Reply

Json = dict[str, Any]

LONGEST_TEXT: Final = 2048
MOST_TOGETHER: Final = 1000
MEDIA_DAYS: Final = timedelta(days=3)
CODE_HOURS: Final = timedelta(hours=72)
RECALL_HOURS: Final = timedelta(hours=24)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
_TASK: Final = re.compile(r"[A-Za-z0-9_@-]{1,128}")
_SIZES: Final = {
    "image": 10 * 1024 * 1024,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "file": 20 * 1024 * 1024,
}
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class Trouble(Exception):
    """A call that WeCom refuses, with its own number and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.words = words

    def reply(self) -> Reply:
        """Write the answer as WeCom does: always 200."""
        body = {
            "errcode": self.code,
            "errmsg": f"{self.words}, hint: [1700000000_0], more info at the centre",
        }
        return Reply(200, json.dumps(body).encode())


class Counter:
    """So many in so much time, by name; tells when it is more."""

    def __init__(self, most: int, within: timedelta) -> None:
        self.most = most
        self._within = within
        self._times: dict[str, deque[datetime]] = {}

    def full(self, name: str, now: datetime) -> bool:
        """Count one, and say whether it is one too many. What is too much is not counted."""
        times = self._times.setdefault(name, deque())
        while times and times[0] <= now - self._within:
            times.popleft()
        if len(times) >= self.most:
            return True
        times.append(now)
        return False


@dataclass
class Shown:
    """One message as it reached one member, or a group."""

    id: str
    to: str
    kind: str
    text: str
    at: datetime
    buttons: tuple[tuple[str, str], ...] = ()
    task: str = ""
    data: bytes = field(default=b"", repr=False)
    rested: str = ""
    """What a card's button says since it was put to rest."""
    recalled: bool = False


@dataclass
class Code:
    """A response_code: of one card, good for one use."""

    task: str
    at: datetime
    used: bool = False


def truncated(text: str, longest: int = LONGEST_TEXT) -> str:
    """What is shown of a text that is too long: WeCom cuts it off without a word."""
    return text.encode()[:longest].decode(errors="ignore")


def check_content(body: Json) -> str:
    """The message's kind. Raises Trouble."""
    kind = body.get("msgtype")
    if kind not in ("text", "markdown", "image", "file", "voice", "video", "template_card"):
        raise Trouble(40008, "invalid message type")
    content = body.get(str(kind))
    if not isinstance(content, dict):
        raise Trouble(40058, f"param missing: {kind}")
    if kind in ("text", "markdown") and not str(content.get("content", "")).strip():
        raise Trouble(44004, "empty content")
    return str(kind)


def check_card(card: Json, tasks: set[str]) -> tuple[tuple[str, str], ...]:
    """The buttons of a card, as (label, key). Raises Trouble.

    Args:
        card: template_card.
        tasks: those that were used before.
    """
    if card.get("card_type") != "button_interaction":
        raise Trouble(40058, "template_card.card_type is not played here")
    if not (card.get("main_title", {}).get("title") or card.get("sub_title_text")):
        raise Trouble(40058, "template_card.main_title.title and sub_title_text are both missing")
    task = str(card.get("task_id", ""))
    if not _TASK.fullmatch(task) or task in tasks:
        raise Trouble(40058, "template_card.task_id is invalid or was used before")
    buttons = card.get("button_list")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 6:
        raise Trouble(40058, "template_card.button_list takes 1 to 6 buttons")
    return tuple(_check_button(button) for button in buttons)


def _check_button(button: Json) -> tuple[str, str]:
    label, key = str(button.get("text", "")), str(button.get("key", ""))
    if not label or not 1 <= len(key.encode()) <= 1024:
        raise Trouble(40058, "template_card.button_list: text or key is missing or too long")
    return label, key


def check_upload(kind: str, data: bytes) -> bytes:
    """The bytes of an uploaded file. Raises Trouble."""
    if kind not in _SIZES:
        raise Trouble(40004, "invalid media type")
    if not 5 < len(data) <= _SIZES[kind]:
        raise Trouble(40006, "invalid media size")
    if kind == "image" and not data.startswith(_PICTURES):
        raise Trouble(40005, "invalid file type")
    return data


def check_chat(body: Json, members: Sequence[str]) -> tuple[str, ...]:
    """Those who are in a new group. Raises Trouble."""
    people = body.get("userlist")
    if not isinstance(people, list) or not 2 <= len(people) <= 2000:
        raise Trouble(86006, "userlist takes 2 to 2000 members")
    known = {name.casefold() for name in members}
    if any(str(name).casefold() not in known for name in people):
        raise Trouble(86007, "invalid chat member")
    if body.get("owner") and body["owner"] not in people:
        raise Trouble(86005, "invalid chat owner")
    return tuple(str(name) for name in people)
