"""Values: what a cell of an office's list means, however it was typed."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from handbook.feet import is_below_a_list

_WIDE: Final[dict[int, int | str]] = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF10, 0xFF5B)},
    0x3000: " ",
    0xA0: " ",
}
"""Digits and letters of full width, and spaces; the signs between people's words stay as they are."""
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\x00-\x08\x0b-\x1f\x7f]")
_ODD = re.compile(
    "[\x00-\x20\x7f\xa0\u200b-\u200f\u202a-\u202e\u2060\u3000\ufeff\uff10-\uff5a\u2000-\u200a\u2028\u2029\u202f\u205f\x85\x1c-\x1f]"
)
"""Any sign for which there is something to do."""
_SPACES = re.compile(r"\s+")
_BETWEEN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
_LIST = re.compile(r"[、，,;；/|\n]+")
_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】]*(?:[)）\]】]|(?=[、，,;；/|\n]|$))")
_PHONE = re.compile(r"1[3-9]\d{9}")
_PARTS = re.compile(r"[()/、,|]+")
_ALIKE: Final = 80.0


def text(cell: str) -> str:
    """A cell without what cannot be seen, its digits and letters of usual width: 王 芳 is 王芳."""
    if _ODD.search(cell) is None:
        return cell
    seen = _UNSEEN.sub("", cell.translate(_WIDE))
    return _BETWEEN_CHINESE.sub("", _SPACES.sub(" ", seen)).strip()


@lru_cache(maxsize=65536)
def folded(words: str) -> str:
    """Words as they are compared: without spaces, capitals and the width of signs."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", words)).lower()


def phone(cell: str) -> str | None:
    """The eleven digits of a mobile phone; None where it is none."""
    digits = re.sub(r"[\s\-()]|\.0+$", "", unicodedata.normalize("NFKC", text(cell)))
    digits = re.sub(r"^(?:\+86|0086|86(?=1\d{10}$))", "", digits)
    return digits if _PHONE.fullmatch(digits) else None


def listed(cell: str) -> list[str]:
    """The names in one cell, each once."""
    return list(dict.fromkeys(name for part in _LIST.split(cell) if (name := text(part))))


def people_in(cell: str) -> list[str]:
    """The people in one cell, each once and without what they are to each other: 孙小美(妻)、钱小乐（子）."""
    return listed(_BRACKETS.sub("", cell))


def is_foot(cells: Iterable[str]) -> bool:
    """Whether a line only sums a list up or signs it: 合计, 填表人：李强."""
    return is_below_a_list(folded(next((said for cell in cells if (said := text(cell))), "")))


def number(cell: str) -> float | None:
    """A coordinate; None where it is no number."""
    try:
        found = float(text(cell))
    except ValueError:
        return None
    return found if -180 <= found <= 180 else None


def masked(value: str) -> str:
    """A value as it may stand in a report: of what could be a phone only both ends are shown."""
    shown = text(value)[:40]
    return re.sub(r"\d{7,}", lambda run: f"{run[0][:3]}****{run[0][-2:]}", shown)


def pick(words: str, options: Mapping[str, Sequence[str]]) -> str | None:
    """Which of the options is meant by a name typed freely; None where none or several could be.

    Args:
        words: 社区, 网格长, or an option's own key.
        options: key -> its names; 社区（村） may be called 社区 or 村.
    """
    said = folded(words)
    names = {key: [part for name in (key, *its) for part in _parts(name)] for key, its in options.items()}
    for fits in (
        lambda name: name == said,
        lambda name: len(said) > 1 and len(name) > 1 and (said in name or name in said),
        lambda name: fuzz.ratio(said, name) >= _ALIKE,
    ):
        found = [key for key, its in names.items() if any(fits(name) for name in its)]
        if len(found) == 1:
            return found[0]
        if found and fits(said):
            return found[0]
    return None


def _parts(name: str) -> Iterable[str]:
    """社区（村） is 社区（村）, 社区 or 村."""
    whole = folded(name)
    return [whole, *(part for part in _PARTS.split(whole) if part)]
