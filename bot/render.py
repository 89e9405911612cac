"""From a text key to what a channel can show: words, numbers or buttons, split on line borders."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from string import Formatter
from typing import Any

from bot.channel import Can
from bot.message import Choice
from handbook import Book
from handlers.sealed_words import sealed_words

A_DAY = timedelta(days=1)
_WEEKDAYS = "一二三四五六日"
_GAPS = re.compile(r"\n{2,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Words(Formatter):
    """Fills a text: moments in the place's time, lists as numbered lines, nothing for what is absent.

    A value may be a text of the book itself, with what that needs: {"text": "due.by", "due": ...}; or it lies
    sealed until it is shown: {"sealed": ...}.
    """

    def __init__(self, book: Book, key: str) -> None:
        self.book = book
        self.key = key

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self._shown(str(key), kwargs.get(str(key), ""))

    def _shown(self, name: str, value: Any) -> str:
        if isinstance(value, dict) and "moment" in value:
            return when(self.book, value)
        if isinstance(value, dict) and "text" in value:
            return words(self.book, value["text"], value)
        if isinstance(value, dict) and "sealed" in value:
            return clean(sealed_words(value["sealed"]))
        if isinstance(value, list):
            return self._lines(name, value)
        return clean(str(value))

    def _lines(self, name: str, items: list[dict[str, Any]]) -> str:
        key = f"{self.key}.{name}"
        lines: list[str] = []
        section = ""
        for number, item in enumerate(items, start=1):
            if item.get("section") and item["section"] != section:
                section = item["section"]
                lines.append(f"【{section}】")
            lines.append(_Words(self.book, key).vformat(self.book.text(key), (), {**item, "n": number}))
        return "\n".join(lines)


def when(book: Book, value: Mapping[str, Any]) -> str:
    """A moment as people say it: 11月22日(周日)15:00; marked where the calendar of that year is not known
    yet. Midnight ends a day (24:00): 27日00:00前 would be read as the evening of the 27th.
    """
    local = datetime.fromisoformat(str(value["moment"])).astimezone(book.zone)
    clock = f"{local:%H:%M}"
    if clock == "00:00":
        local, clock = local - A_DAY, "24:00"
    words = f"{local.month}月{local.day}日(周{_WEEKDAYS[local.weekday()]}){clock}"
    return words + ("（节假日安排未公布，可能调整）" if value.get("uncertain") else "")


def clean(text: str) -> str:
    """Words safe to show: no control or direction marks, no lone surrogates."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", text))


def words(book: Book, key: str, args: Mapping[str, Any]) -> str:
    """A text of the book with its arguments; a line left empty by an absent argument is dropped."""
    filled = _Words(book, key).vformat(book.text(key), (), args)
    lines = [line.rstrip() for line in filled.split("\n")]
    return _GAPS.sub("\n", "\n".join(lines)).strip()


def parts(
    book: Book,
    key: str,
    args: Mapping[str, Any],
    choices: Sequence[Choice],
    can: Can,
    mail_id: int,
    shield: Callable[[str], str] = str,
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """What to send: text parts no longer than the channel allows, and buttons where it can show them.

    `shield` has the last word on everything that is shown. Returns (parts, ((label, payload), ...)). Numbers
    stand in the text even beside buttons, so that both work.
    """
    text = words(book, key, args)
    shown = [(place, choice) for place, choice in enumerate(choices) if not choice.listed]
    lines = [f"{0 if choice.zero else place + 1} {clean(choice.label)}" for place, choice in shown]
    if lines:
        text = f"{text}\n{_joined(lines)}"
    buttons = (
        tuple((shield(clean(choice.label)), f"{mail_id}:{place}") for place, choice in shown)
        if can.buttons
        else ()
    )
    return split(shield(text), can.longest), buttons


def _joined(lines: list[str]) -> str:
    """Few short choices on one line, many or long ones below each other."""
    line = "  ".join(lines)
    return line if len(lines) <= 4 and len(line) <= 40 else "\n".join(lines)


def split(text: str, longest: int) -> tuple[str, ...]:
    """Cut a text into parts of at most `longest` bytes of UTF-8, on line borders where it can."""
    found: list[str] = []
    part = ""
    for line in text.split("\n"):
        for piece in _pieces(line, longest):
            longer = f"{part}\n{piece}" if part else piece
            if len(longer.encode()) > longest:
                found.append(part)
                part = piece
            else:
                part = longer
    return (*found, part) if part or not found else tuple(found)


def _pieces(line: str, longest: int) -> list[str]:
    if len(line.encode()) <= longest:
        return [line]
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > longest:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]
