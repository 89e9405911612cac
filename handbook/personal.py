"""Finds the numbers by which a person can be found, however they are typed, and takes out what tells.

Numbers are read from *groups*: runs of digits of one script. A number is one or more whole groups side by
side, so a house number before a phone or a name that ends in a digit (张三) does not hide it, and half a
longer number is none.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from handbook.personal_kinds import GAP, MOST_SIGNS, Personal, Run, kinds_of
from handbook.signs import ARABIC, BETWEEN, CHINESE, FOLD, UNSEEN, plain_number


@dataclass(frozen=True, slots=True)
class Found:
    """One number in a text: `text[start:end]` as typed, `value` as the rules write it (kept out of reprs)."""

    kind: Personal
    start: int
    end: int
    value: str = field(repr=False)

    @property
    def masked(self) -> str:
        """The value with its telling part taken out."""
        return _MASKS[self.kind](self.value)


_DIGIT = f"[0-9{CHINESE}]"
_CHAIN = re.compile(rf"{_DIGIT}(?:[{BETWEEN}]{{0,3}}{_DIGIT}){{6,}}(?:[{BETWEEN}]{{0,3}}X(?![A-Z]))?")
_GROUP = re.compile(rf"[0-9]+X?|[{CHINESE}]+X?|X")
_LONG = re.compile(r"[0-9]{11}")
_LONG_BEFORE = re.compile(r"[0-9]{11}$|[0-9]{14,17}X$")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SIGN = "[0-9A-HJ-NP-Z]"
_LOOSE = "[ .-]{0,2}"
_HEAD = rf"([{_PROVINCES}]){_LOOSE}([A-HJ-NP-Z])"
# GA 36-2018: six signs with a letter for the new energy first or last, or five; never I or O.
_PLATES = (
    re.compile(
        rf"{_HEAD}({_LOOSE}[A-HJK]{_LOOSE}{_SIGN}(?:{_LOOSE}\d){{4}}|(?:{_LOOSE}\d){{5}}{_LOOSE}[A-HJK])"
    ),
    re.compile(rf"{_HEAD}((?:{_LOOSE}{_SIGN}){{4}}{_LOOSE}[0-9A-HJ-NP-Z挂学警港澳领])"),
)
_PLATE_HEAD = re.compile(rf"[{_PROVINCES}]{_LOOSE}[A-Z]")
_MORE = re.compile("[0-9A-Z]")
_LOOSELY = re.compile("[ .-]+")


def find_personal(text: str) -> tuple[Found, ...]:
    """Find what must not be passed on as it is: in a group, a log, a notice, a list, an export.

    Args:
        text: as typed; spaces, dashes, dots, full width and Chinese digits are read.

    Returns:
        In the order of the text, none overlapping another.
    """
    folded = text.translate(FOLD)
    if UNSEEN not in folded:
        return _find(folded)
    kept = [at for at, sign in enumerate(folded) if sign != UNSEEN]
    found = _find("".join(folded[at] for at in kept))
    return tuple(replace(number, start=kept[number.start], end=kept[number.end - 1] + 1) for number in found)


def _find(folded: str) -> tuple[Found, ...]:
    numbers = [number for chain in _CHAIN.finditer(folded) for number in _in_chain(folded, *chain.span())]
    for plate in _plates(folded):
        if all(plate.end <= other.start or other.end <= plate.start for other in numbers):
            numbers.append(plate)
    return tuple(sorted(numbers, key=lambda number: number.start))


def _plates(folded: str) -> Iterator[Found]:
    """First as written, so that 一 after a plate is no part of it; then with Chinese digits read."""
    if not _PLATE_HEAD.search(folded):
        return
    for text in (folded, folded.translate(ARABIC)):
        for found in (found for pattern in _PLATES for found in pattern.finditer(text)):
            signs = _LOOSELY.sub("", found[3])
            if any(map(str.isdecimal, signs)) and not _MORE.match(folded, found.end()):
                yield Found(Personal.PLATE, found.start(), found.end(), found[1] + found[2] + signs)


def _in_chain(text: str, start: int, end: int) -> Iterator[Found]:
    spans = [group.span() for group in _GROUP.finditer(text, start, end)]
    spans = [span for span in spans if not _is_word(text, *span)]
    at = 0
    while at < len(spans):
        found, taken = _beginning_at(text, spans, at)
        if found:
            yield found
        at += taken


def _is_word(text: str, start: int, end: int) -> bool:
    """A Chinese digit that touches a number of the other kind belongs to a word: 张三13800000001."""
    return text[start] in CHINESE and bool(
        _LONG_BEFORE.search(text, max(0, start - 18), start) or _LONG.match(text, end)
    )


def _beginning_at(text: str, spans: list[tuple[int, int]], at: int) -> tuple[Found | None, int]:
    """The number that begins with a group and how many groups it takes: one if one will do, or the most."""
    best: tuple[Found | None, int] = None, 1
    signs = 0
    for last in range(at, min(len(spans), at + MOST_SIGNS + 1)):
        signs += spans[last][1] - spans[last][0]
        if (best[0] and last == at + 1) or signs > MOST_SIGNS + 2 or _breaks(text, spans, at, last):
            break
        found = _between(text, spans[at], spans[last], signs)
        if found:
            best = found, last - at + 1
    return best


def _breaks(text: str, spans: list[tuple[int, int]], at: int, last: int) -> bool:
    """Groups apart from each other are of one number only in one script: 1502 六二二六 is two."""
    before, start = spans[last - 1][1], spans[last][0]
    changed = (text[before - 1] in CHINESE) is not (text[start] in CHINESE) and text[start] != "X"
    return last > at and before < start and changed


def _between(text: str, first: tuple[int, int], last: tuple[int, int], signs: int) -> Found | None:
    """A number in whole groups; one of Chinese digits may touch a word that ends so: 张三一三八…."""
    start, end = first[0], last[1]
    more_before = first[1] - start > 1 and text[start] in CHINESE
    more_after = end - last[0] > 1 and text[end - 1] in CHINESE
    named = start > 0 and text[start - 1].isalpha()
    trims = ((0, 0), (1, 0), (0, 1), (1, 1)) if named else ((0, 0), (0, 1), (1, 0), (1, 1))
    tries = (
        _read(text, start + before, end - after, signs - before - after)
        for before, after in trims
        if before <= more_before and after <= more_after
    )
    return next(filter(None, tries), None)


def _read(text: str, start: int, end: int, signs: int) -> Found | None:
    kinds = kinds_of(signs)
    if not kinds:
        return None
    written = text[start:end].translate(ARABIC)
    run = Run(text, start, end, tuple(GAP.split(written)))
    for kind, read in kinds:
        value = read(run)
        if value:
            return Found(kind, _opening(text, start, end), end, value)
    return None


def _opening(text: str, start: int, end: int) -> int:
    """Take the plus sign and the bracket before it into the number."""
    if text[start - 1 : start] == "+":
        start -= 1
    closed = ")" in text[start:end] and "(" not in text[start:end]
    return start - 1 if closed and text[start - 1 : start] == "(" else start


# -- masking -------------------------------------------------------------------------------------------


def masked(text: str) -> str:
    """Return a text with every personal number in it masked; masking twice changes nothing more."""
    for number in reversed(find_personal(text)):
        text = f"{text[: number.start]}{number.masked}{text[number.end :]}"
    return text


def mask_name(name: str) -> str:
    """The family name alone, so that a neighbour reading along learns little: 王*."""
    return name[:1] + "*" * (len(name) - 1)


def mask_phone(phone: str) -> str:
    """The ends alone, so that who knows it recognises it: 138****0001; nothing of less than 7 digits."""
    digits = plain_number(phone)
    if len(digits) < 7:
        return ""
    head = _AREA.match(digits)
    return f"{head[0] if head else digits[:3]}****{digits[-4:]}"


def mask_id_card(number: str) -> str:
    """The county and the last two signs: a whole county shares the one, and no birthday shows."""
    signs = plain_number(number)
    return f"{signs[:6]}{'*' * (len(signs) - 8)}{signs[-2:]}" if len(signs) > 8 else "*" * len(signs)


def mask_bank_card(number: str) -> str:
    """The last four digits, which the bank itself prints on receipts."""
    return f"**** {plain_number(number)[-4:]}"


def mask_plate(plate: str) -> str:
    """The province and the last two signs, enough to tell two cars in one yard apart: 闽*****45."""
    return f"{plate[0]}{'*' * (len(plate) - 3)}{plate[-2:]}"


_AREA = re.compile(r"0(?:10|2\d|[3-9]\d\d)")
_MASKS: Mapping[Personal, Callable[[str], str]] = {
    Personal.ID_CARD: mask_id_card,
    Personal.PHONE: mask_phone,
    Personal.LANDLINE: mask_phone,
    Personal.BANK_CARD: mask_bank_card,
    Personal.PLATE: mask_plate,
}
