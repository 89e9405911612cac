"""Doors as people write them: 3栋501, 3号楼2单元501室 and 三栋五零一 are numbers in an order, and words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from handbook.words import CHINESE_DIGITS, chinese_number, lowered, plain

_UNITS = "号楼|单元|[栋幢座号楼室户房层门弄组队#]"
_COUNTED = re.compile(rf"(?<!第)([{CHINESE_DIGITS}]+)(?=(?:{_UNITS}))")
_SPOKEN = re.compile("(?<=[栋幢座号楼元0-9 ])[〇零一二两三四五六七八九]{2,4}(?=[室号户]|$)")
_NUMBER = re.compile(rf"(\d+[a-z]?|[a-z]\d*(?=(?:{_UNITS})|\d|$))(?:\s*(?:{_UNITS}))?", re.IGNORECASE)
_WORD = re.compile("[\u4e00-\u9fff·]+")
_FILLER = re.compile("^[的在住了是到从往搬]+|[的在住了是到]+$")
_DASHED = re.compile(r"(?<=\d)\s*[-—－/]\s*(?=\d)")
_SIGNS = " ,，、:：。.;；"
_LEAD = re.compile(rf"^(?:[{_SIGNS}]|改成|改为|[是为到])+")
_BEHIND = re.compile(r"([\u4e00-\u9fff·]+)[\s,，、:：]*(\d(?:[\d -]*\d)?)\s*$")
_PLACES = re.compile("[栋幢座号楼室户房层门弄组队元路街巷道园区里村苑庭场]")
LONG = 5
"""Digits that are no door."""
NAME = (2, 4)
"""Letters of a name as most people bear it."""


@dataclass(frozen=True)
class DoorWords:
    """An address taken apart."""

    numbers: tuple[str, ...]
    """3栋2单元501 -> 3, 2, 501."""
    words: tuple[str, ...]
    """What stands between: names of a place, a street, or of somebody."""


def door_words(text: str) -> DoorWords:
    """Take an address apart, however it was typed."""
    said = lowered(_readable(text))
    numbers = tuple(found[1].lstrip("0") or "0" for found in _NUMBER.finditer(said))
    left = _NUMBER.sub(" ", said)
    words = (_FILLER.sub("", word) for word in _WORD.findall(left))
    return DoorWords(numbers, tuple(word for word in words if word))


def _readable(text: str) -> str:
    """The text with its numbers in digits; a dash between two of them only parts them."""
    said = _COUNTED.sub(_as_digits, _DASHED.sub(" ", plain(text)))
    return _SPOKEN.sub(_as_digits, said)


def _as_digits(found: re.Match[str]) -> str:
    number = chinese_number(found[0])
    return found[0] if number is None else str(number)


def follows(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the numbers said stand in an address in this order, the last being its last."""
    if not part or not whole or part[-1] != whole[-1]:
        return False
    rest = iter(whole)
    return all(number in rest for number in part)


def names_in(text: str) -> list[str]:
    """What may be somebody's name in a text: each run of letters and its beginnings, as they come."""
    least, most = NAME
    found: list[str] = []
    for run in _WORD.findall(_NUMBER.sub(" ", _readable(text))):
        if len(run) <= most + 6:
            found.append(run)
        found += [run[:size] for size in range(min(most, len(run)), least - 1, -1)]
    return list(dict.fromkeys(name for name in found if len(name) >= least))


def lead_off(text: str) -> str:
    """Words without the signs around them and the particles that link them to what stood before."""
    return _LEAD.sub("", text).strip(_SIGNS)


def number_behind_name(text: str) -> str:
    """A number that follows somebody's name behind a door, as it was typed: a phone that is none, no door.

    Returns:
        12345 of 6栋602 孙八 12345; empty where it may well be a part of the address (3号 阳光花园 5栋501).
    """
    found = _BEHIND.search(plain(text))
    if found is None:
        return ""
    name, before = (
        re.sub(f"^{_PLACES.pattern}+", "", found[1]),
        door_words(found.string[: found.start()]).numbers,
    )
    if len(name) < NAME[0] or not before:
        return ""
    if sum(map(str.isdigit, found[2])) >= LONG:
        return found[2]
    is_name = len(name) <= NAME[1] and len(before) > 1 and not _PLACES.search(name)
    return found[2] if is_name else ""


def split_door(text: str) -> tuple[str, str]:
    """The address at the beginning of a text, up to its last number, and what stands behind it."""
    said = _readable(text)
    ends = [found.end() for found in _NUMBER.finditer(said)]
    if not ends:
        return "", said
    return said[: ends[-1]].strip(), said[ends[-1] :].strip(_SIGNS)
