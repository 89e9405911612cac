"""What understanding Chinese words without a model stands on: clean text, sounds, numbers and near matches.

All functions are pure. Sounds are toneless pinyin read letter by letter, so that a letter sounds the same
wherever it stands. That is wrong for a few readings, and right for comparing what two people typed.
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # readings of whole phrases would take 45 MB of memory
from pypinyin import lazy_pinyin

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# Circled numbers, the mark which closes a keycap digit, and variation selectors.
_DRESSED = re.compile(
    "[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf\u20e3\ufe00-\ufe0f]"
)
_SIGNS = tuple(zip("，？！：；（）", ",?!:;()", strict=True))  # as NFKC does, at a tenth of its time
_SPACE = re.compile(r"\s+")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)

_WRITTEN = ("〇零", "一壹", "二两贰貳", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
_DIGITS = {letter: value for value, letters in enumerate(_WRITTEN) for letter in letters}
_TENS = {"廿": 20, "卅": 30}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
CHINESE_DIGITS = "".join((*_DIGITS, *_TENS, *_UNITS))
"""Every letter a number may be written with, ready to stand in a pattern's brackets."""

# Readings which names and alarms use oftener than the dictionary's first one.
_READINGS = {"着": "zhao", "长": "chang", "曾": "zeng", "都": "du", "咗": "zuo"}
_LETTER = re.compile(r"\d+|[a-z]+|[\u3007\u3400-\u9fff\U00020000-\U000323af]")
_PINYIN = (
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    r"(?:iang|iong|uang|ueng|ang|eng|ing|ong|iao|ian|uai|uan|ai|ei|ao|ou|an|en|in|un|er|ia|ie|iu|ua|uo|ui|ve|ue|[aoeiuv])"
)
_TYPED = re.compile(f"(?:{_PINYIN})+")
_ONE_TYPED = re.compile(_PINYIN)
_SOFT = (
    (re.compile("^zh"), "z"),
    (re.compile("^ch"), "c"),
    (re.compile("^sh"), "s"),
    (re.compile("^[nr](?=.)"), "l"),
    (re.compile("^h(?=u)"), "f"),
    (re.compile("^fu(?=.)"), "f"),
    (re.compile("(?<=[aei]n)g$"), ""),
)


class Syllable(NamedTuple):
    """One heard unit of a text: a Chinese letter, a run of digits, or one syllable of typed pinyin."""

    text: str
    sound: str
    soft: str
    """The sound as speakers hear it who do not tell z from zh, n from l, or in from ing."""
    start: int
    end: int


class Near(NamedTuple):
    """Where a text comes closest to a name: the price of the differences, and the span in syllables."""

    cost: float
    start: int
    end: int


def plain(text: str) -> str:
    """Clean a message of everything a person did not mean to type, so that all that follows compares alike.

    Full width becomes half width, ① becomes 1, unseen marks and lone surrogates go, any white space is one
    space.
    """
    if not text.isprintable():
        text = _UNSEEN.sub("", text)
    text = _DRESSED.sub(_bare, text)
    for wide, narrow in _SIGNS:
        text = text.replace(wide, narrow)
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def lowered(text: str) -> str:
    """Make Latin capitals small and nothing else, so that every letter keeps its place in the text."""
    return text.translate(_LOWER)


def _bare(match: re.Match[str]) -> str:
    if match[0] == "\u20e3":
        return " "
    number = unicodedata.numeric(match[0], None)
    return "" if number is None else f"{int(number)} "


def chinese_number(text: str) -> int | None:
    """Read a number as people write it in an address or a list, for 三号楼 and 3号楼 are one house.

    Args:
        text: 12, １２, 十二, 一百零三, 廿三, 二〇三 or 壹拾贰; 第 may stand before it.

    Returns:
        the number, or None when the text is not one (or is of more than nine digits).
    """
    text = unicodedata.normalize("NFKC", text).strip().removeprefix("第")
    if not text or len(text) > 9:
        return None
    if text.isascii():
        return int(text) if text.isdigit() else None
    if all(letter in _DIGITS for letter in text):
        return int("".join(str(_DIGITS[letter]) for letter in text))
    return _counted(text)


def _counted(text: str) -> int | None:
    total, digit, unit = 0, -1, 10_000
    for letter in text:
        if letter in _DIGITS:
            if digit > 0:
                return None
            digit = _DIGITS[letter]
        elif letter in _TENS and digit <= 0:
            total, digit, unit = total + _TENS[letter], -1, 10
        elif letter in _UNITS and _UNITS[letter] < unit:
            unit = _UNITS[letter]
            total, digit = total + unit * (digit if digit > 0 else 1), -1
        else:
            return None
    if digit < 0:
        return total
    shortened = len(text) > 1 and text[-2] in _UNITS and unit > 10  # 一百二 is 120
    return total + digit * (unit // 10 if shortened else 1)


@lru_cache(maxsize=65_536)
def _sound(letter: str) -> str:
    return _READINGS.get(letter) or lazy_pinyin(letter)[0]


@lru_cache(maxsize=4_096)
def softened(sound: str) -> str:
    """Fold a sound to what southern speakers do not tell apart when they type: shi and si, lin and ling."""
    for pattern, kept in _SOFT:
        sound = pattern.sub(kept, sound)
    return sound


@lru_cache(maxsize=8_192)
def heard(text: str) -> tuple[Syllable, ...]:
    """Read a text as sounds which know where in the text they stand.

    Args:
        text: already `plain`.

    Returns:
        one syllable for each Chinese letter, run of digits, and syllable of typed pinyin; signs are left out.
    """
    found: list[Syllable] = []
    for match in _LETTER.finditer(lowered(text)):
        letter = match[0]
        if letter[0].isascii() and letter[0].isalpha():
            found.extend(_typed(letter, match.start()))
        else:
            sound = letter if letter[0].isascii() else _sound(letter)
            found.append(Syllable(letter, sound, softened(sound), match.start(), match.end()))
    return tuple(found)


def _typed(run: str, at: int) -> list[Syllable]:
    pieces = _ONE_TYPED.finditer(run) if _TYPED.fullmatch(run) else re.finditer(".+", run)
    return [Syllable(m[0], m[0], softened(m[0]), at + m.start(), at + m.end()) for m in pieces]


def syllables(text: str) -> tuple[str, ...]:
    """Give the toneless pinyin of a text, in which homophone typos vanish.

    Latin letters and digits stay as they are; typed pinyin is cut, so shangbao equals 上报.
    """
    return tuple(syllable.sound for syllable in heard(text))


def unlikeness(one: Syllable, other: Syllable) -> float:
    """Price the difference of two syllables: 0 the same letter, up to 1 nothing in common."""
    if one.text == other.text:
        return 0.0
    if one.sound == other.sound:
        return 0.1
    return 0.4 if one.soft == other.soft and not one.text.isdigit() else 1.0


def nearest(name: Sequence[Syllable], text: Sequence[Syllable]) -> Near:
    """Find the stretch of a text which comes closest to a name: edit distance to a substring (Sellers 1980).

    Args:
        name: what is looked for.
        text: where it may stand.

    Returns:
        the cheapest stretch, the shortest of equals; its cost is at most len(name): every syllable left out.
    """
    width = len(text) + 1
    costs, starts = [0.0] * width, list(range(width))
    for syllable in name:
        above, above_starts = costs, starts
        cost, start = above[0] + 1.0, 0
        costs, starts = [cost], [0]
        for at, other in enumerate(text):
            change, left_out = above[at] + unlikeness(syllable, other), above[at + 1] + 1.0
            if left_out <= change and left_out <= cost + 1.0:
                cost, start = left_out, above_starts[at + 1]
            elif change <= cost + 1.0:
                cost, start = change, above_starts[at]
            else:
                cost += 1.0
            costs.append(cost)
            starts.append(start)
    end = min(range(width), key=lambda at: (costs[at], at - starts[at]))
    return Near(costs[end], starts[end], end)
