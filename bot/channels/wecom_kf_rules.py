"""What 微信客服 takes and what it refuses: for the stand-in server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.channels.wecom_rules import Trouble

LONGEST_TEXT: Final = 2048
WINDOW: Final = timedelta(hours=48)
MOST: Final = 5
CODE_LASTS: Final = timedelta(seconds=20)
TOKEN_LASTS: Final = timedelta(minutes=10)
KEPT: Final = timedelta(days=3)
WITHOUT_TOKEN: Final = 3
"""How often a minute messages may be asked for without the token of a callback."""


@dataclass
class Customer:
    """One person's chat with the account."""

    wrote_at: datetime | None = None
    told: int = 0
    """Messages since they wrote."""
    shown: list[str] = field(default_factory=list)
    menus: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    """Lines to tap on: label and id."""
    pictures: list[bytes] = field(default_factory=list, repr=False)

    def must_be_open(self, now: datetime) -> None:
        """Count one message. Raises Trouble."""
        if self.wrote_at is None or now >= self.wrote_at + WINDOW:
            raise Trouble(95002, "send msg time out of limit")
        if self.told >= MOST:
            raise Trouble(95001, "send msg count out of limit")
        self.told += 1


@dataclass
class Greeting:
    """A welcome_code: for one person, good for one use."""

    user: str
    at: datetime
    used: bool = False


def check_message(fields: Mapping[str, Any]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Kind, words and lines to tap on. Raises Trouble."""
    kind = str(fields.get("msgtype"))
    content = fields.get(kind)
    if kind not in ("text", "msgmenu", "image") or not isinstance(content, dict):
        raise Trouble(40008, "invalid message type")
    if kind == "image":
        return kind, "", ()
    if kind == "msgmenu":
        return kind, *_check_menu(content)
    words = str(content.get("content", ""))
    if not words.strip() or len(words.encode()) > LONGEST_TEXT:
        raise Trouble(40058, "text.content is empty or too long")
    return kind, words, ()


def _check_menu(content: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    words = str(content.get("head_content", ""))
    if len(words.encode()) > 1024:
        raise Trouble(40058, "msgmenu.head_content is too long")
    lines = content.get("list")
    if not isinstance(lines, list) or len(lines) > 10:
        raise Trouble(95008, "too many menu items")
    return words, tuple(_check_line(line) for line in lines)


def _check_line(line: Mapping[str, Any]) -> tuple[str, str]:
    click = line.get("click")
    if line.get("type") != "click" or not isinstance(click, dict):
        raise Trouble(95009, "invalid menu item type")
    label, name = str(click.get("content", "")), str(click.get("id", ""))
    if not 1 <= len(label.encode()) <= 128 or len(name.encode()) > 128:
        raise Trouble(40058, "msgmenu.list: content or id is missing or too long")
    return label, name
