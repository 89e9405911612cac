"""What WeChat takes of an official account and what it refuses: for the stand-in server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.channels.wecom_rules import Json, Trouble

LONGEST_TEXT: Final = 2048
MEDIA_DAYS: Final = timedelta(days=3)
TOKEN_SECONDS: Final = 7200
LONGEST_SCENE: Final = 2_592_000
OUT_OF_ORDER: Final = "该公众号暂时无法提供服务，请稍后再试"
SPOKEN: Final = timedelta(hours=48), 5
"""After somebody's message: for so long, and so many messages (channels.md 2.6)."""
CAME: Final = timedelta(minutes=1), 3
"""After they chose from the menu, scanned a code or began to follow."""
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_LARGEST: Final = {"image": 10 * 1024 * 1024, "voice": 2 * 1024 * 1024, "video": 10 * 1024 * 1024}


@dataclass
class Window:
    """How long, and how often, somebody may still be written to."""

    until: datetime
    left: int


@dataclass
class Follower:
    """One person's phone, as far as it has to do with the account."""

    follows: bool = True
    windows: list[Window] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """Every text in the chat, oldest first."""
    passive: list[str] = field(default_factory=list)
    """Those of them that came as the answer to a message."""
    pictures: list[bytes] = field(default_factory=list, repr=False)
    knocks: list[Json] = field(default_factory=list)
    """Data of templates."""

    def open_for(self, now: datetime, span: timedelta, most: int) -> None:
        """They did something: they may be written to."""
        self.windows.append(Window(now + span, most))

    def spoke(self, now: datetime) -> None:
        """They wrote: whatever was open before is over."""
        self.windows.clear()
        self.open_for(now, *SPOKEN)

    def must_be_open(self, now: datetime) -> Window:
        """The window a message is counted in. Raises Trouble."""
        live = [window for window in self.windows if now < window.until]
        if not live:
            raise Trouble(45015, "response out of time limit or subscription is canceled")
        window = next((window for window in live if window.left), None)
        if window is None:
            raise Trouble(45047, "out of response count limit")
        return window


def check_message(fields: Mapping[str, Any]) -> str:
    """The kind of a customer-service message. Raises Trouble."""
    kind = str(fields.get("msgtype"))
    content = fields.get(kind)
    if kind not in ("text", "image") or not isinstance(content, dict):
        raise Trouble(40008, "invalid message type")
    if kind == "text":
        words = str(content.get("content", ""))
        if not words.strip():
            raise Trouble(44004, "empty content")
        if len(words.encode()) > LONGEST_TEXT:
            raise Trouble(45002, "content size out of limit")
    return kind


def check_picture(kind: str, data: bytes) -> bytes:
    """The bytes of a temporary file. Raises Trouble."""
    if kind not in _LARGEST:
        raise Trouble(40004, "invalid media type")
    if not 5 < len(data) <= _LARGEST[kind]:
        raise Trouble(40006, "invalid media size")
    if kind == "image" and not data.startswith(_PICTURES):
        raise Trouble(40005, "invalid file type")
    return data


def check_scene(fields: Mapping[str, Any]) -> tuple[str, int]:
    """The scene of a temporary code, and how many seconds it is good for. Raises Trouble."""
    seconds = fields.get("expire_seconds", 60)
    if not isinstance(seconds, int) or not 0 < seconds <= LONGEST_SCENE:
        raise Trouble(40053, "invalid action info: expire_seconds")
    if fields.get("action_name") != "QR_STR_SCENE":
        raise Trouble(40052, "invalid action name")
    scene = fields.get("action_info", {}).get("scene", {}).get("scene_str")
    if not isinstance(scene, str) or not 1 <= len(scene) <= 64:
        raise Trouble(40053, "invalid action info")
    return scene, seconds


def check_menu(fields: Mapping[str, Any]) -> dict[str, str]:
    """What each entry of a menu says, by its label. Raises Trouble."""
    buttons = fields.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise Trouble(40016, "invalid button size")
    for button in buttons:
        if not 1 <= len(str(button.get("name", "")).encode()) <= 16:
            raise Trouble(40018, "invalid button name size")
        if button.get("type") != "click" or not button.get("key"):
            raise Trouble(40017, "invalid button type")
    return {str(button["name"]): str(button["key"]) for button in buttons}
