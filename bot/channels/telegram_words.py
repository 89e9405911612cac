"""What a Telegram text means before any dialogue: slash commands, mentions, who is spoken to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

COMMANDS = {
    "menu": ("菜单", "打开菜单"),
    "todo": ("待办", "看我的待办"),
    "progress": ("进度", "查办理进度"),
    "undo": ("撤回", "撤回上一步"),
    "cancel": ("取消", "取消正在填的内容"),
    "help": ("帮助", "怎么用"),
}
"""Slash command -> the word it stands for, and what Telegram's own menu says of it."""

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Mark:
    """A stretch of a text that Telegram marks; offset and length count UTF-16 units, as Telegram does."""

    kind: str
    offset: int
    length: int
    user: int | None = None


@dataclass(frozen=True)
class Me:
    """The bot itself."""

    id: int
    username: str


@dataclass(frozen=True)
class Heard:
    """A text as the bot should hear it."""

    text: str
    addressed: bool = False
    """By mention or command; a private chat needs neither."""
    start: str | None = None


def hear(text: str, marks: Sequence[Mark], me: Me) -> Heard:
    """Turn commands into words and take the bot's own name out, so that talks need not know of Telegram."""
    command = next((mark for mark in marks if mark.kind == "bot_command" and mark.offset == 0), None)
    if command is not None:
        return _command(text, command, me)
    mentions = [mark for mark in marks if _is_me(text, mark, me)]
    for mark in sorted(mentions, key=lambda mark: mark.offset, reverse=True):
        text = _before(text, mark) + _after(text, mark)
    if mentions:
        text = re.sub(r" {2,}", " ", text).strip() or COMMANDS["menu"][0]
    return Heard(text, addressed=bool(mentions))


def _command(text: str, mark: Mark, me: Me) -> Heard:
    name, _, whom = _marked(text, mark).removeprefix("/").partition("@")
    if whom and whom.lower() != me.username.lower():
        return Heard(text)
    rest = _after(text, mark).strip()
    if name.lower() == "start":
        if _PAYLOAD.fullmatch(rest):
            return Heard("", addressed=True, start=rest)
        return Heard(COMMANDS["menu"][0], addressed=True)
    word, _ = COMMANDS.get(name.lower(), (f"/{name}", ""))
    return Heard(f"{word} {rest}".strip(), addressed=True)


def _is_me(text: str, mark: Mark, me: Me) -> bool:
    if mark.kind == "text_mention":
        return mark.user == me.id
    return mark.kind == "mention" and _marked(text, mark).lower() == f"@{me.username}".lower()


def _marked(text: str, mark: Mark) -> str:
    return _units(text, mark.offset, mark.offset + mark.length)


def _before(text: str, mark: Mark) -> str:
    return _units(text, 0, mark.offset)


def _after(text: str, mark: Mark) -> str:
    return _units(text, mark.offset + mark.length, None)


def _units(text: str, start: int, end: int | None) -> str:
    """Cut a text by UTF-16 units: an emoji counts two."""
    raw = text.encode("utf-16-le")
    return raw[2 * start : None if end is None else 2 * end].decode("utf-16-le", "replace")
