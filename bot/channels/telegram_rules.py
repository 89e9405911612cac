"""What Telegram takes and what it refuses, as far as a bot can run into it: for the stand-in server."""

import json
import math
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from bot.channels.loopback import Reply

Json = dict[str, Any]

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LARGEST_PHOTO = 10 * 1024 * 1024
LARGEST_FETCH = 20 * 1024 * 1024
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
_MARKED = re.compile(r"(?P<bot_command>(?<![\w/])/\w+(?:@\w+)?)|(?P<mention>(?<!\w)@\w{4,32})", re.ASCII)
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")


class Trouble(Exception):
    """A call that Telegram refuses, with its own words."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def reply(self) -> Reply:
        """Write the answer as Telegram does."""
        body: Json = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return Reply(self.status, json.dumps(body).encode())


def bad(description: str) -> Trouble:
    """Name what is wrong with a request."""
    return Trouble(400, f"Bad Request: {description}")


def check_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text that is shown, or raise Trouble; length counts UTF-16 units."""
    if not text.strip() and longest == LONGEST_TEXT:
        raise bad("message text is empty")
    if len(text.encode("utf-16-le")) // 2 > longest:
        raise bad("message is too long" if longest == LONGEST_TEXT else "message caption is too long")
    return text.strip()


def check_buttons(markup: str | None) -> tuple[tuple[str, str], ...]:
    """(label, payload) pairs of an inline keyboard, or Trouble."""
    if not markup:
        return ()
    rows = json.loads(markup).get("inline_keyboard", [])
    return tuple(_check_button(button) for row in rows for button in row)


def _check_button(button: Json) -> tuple[str, str]:
    label = str(button.get("text", ""))
    if not label:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "url" in button:
        raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    payload = str(button.get("callback_data", ""))
    if not 1 <= len(payload.encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    return label, payload


def check_photo(data: bytes) -> bytes:
    """Return an uploaded photo, or raise Trouble."""
    if len(data) > LARGEST_PHOTO:
        raise Trouble(413, "Request Entity Too Large")
    if not data.startswith(_PICTURES):
        raise bad("IMAGE_PROCESS_FAILED")
    return data


def check_commands(commands: list[Mapping[str, str]]) -> None:
    """Raise Trouble unless every command may stand in the menu."""
    for one in commands:
        if not _COMMAND.fullmatch(one["command"]) or not 1 <= len(one["description"]) <= 256:
            raise bad("BOT_COMMAND_INVALID")


def check_secret(secret: str) -> str:
    """Return a webhook's secret, or raise Trouble for signs that no header may carry."""
    if not _SECRET.fullmatch(secret):
        raise bad("secret token contains unallowed characters")
    return secret


class Rate:
    """Messages a second to one chat, counted as Telegram counts them: what is too much is told to wait."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._times: dict[int, deque[float]] = {}

    def count(self, chat: int, now: float) -> None:
        """Count one message, or raise Trouble 429; `now` is in seconds that only grow."""
        times = self._times.setdefault(chat, deque())
        while times and times[0] <= now - 1:
            times.popleft()
        if len(times) >= self._per_second:
            wait = max(1, math.ceil(times[0] + 1 - now))
            raise Trouble(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        times.append(now)


def marks_of(text: str) -> list[Json]:
    """Commands and mentions in a text, where a client would mark them; offsets in UTF-16 units."""
    return [
        {
            "type": str(found.lastgroup),
            "offset": len(text[: found.start()].encode("utf-16-le")) // 2,
            "length": len(found[0]),
        }
        for found in _MARKED.finditer(text)
    ]
