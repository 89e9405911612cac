"""What each kind of personal number looks like: length, check sign, groups, and the words before it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from handbook.signs import BETWEEN, CHINESE, COUNTRY

_DIGIT = f"[0-9{CHINESE}]"
_GOES_ON = re.compile(rf"(?:[{BETWEEN}]{{1,3}}{_DIGIT}){{2}}(?!{_DIGIT})")
GAP = re.compile(rf"[{BETWEEN}]+")


class Personal(StrEnum):
    """What kind of number it is."""

    ID_CARD = "id_card"
    PHONE = "phone"
    LANDLINE = "landline"
    BANK_CARD = "bank_card"
    PLATE = "plate"


# What stands just before a number says what it is.
_PHONE_WORD = re.compile(r"(?:电话|手机|联系|号码|致电|拨打|打给|TEL|PHONE|MOBILE|微信)\D{0,6}$")
_CARD_WORD = re.compile(r"(?:卡号|银行|账号|帐号|账户|工资卡|社保卡|存折)\D{0,6}$")
_ID_WORD = re.compile(r"(?:身份证|证件|证号|公民)\D{0,6}$")
_OTHER_WORD = re.compile(
    r"(?:编码|编号|代码|单号|订单|户号|表号|表底|区划|网格[编代]?[号码]|流水号|案号|读数|[¥￥$])"
    r"号?[ :：为是]{0,3}$"
)
_MONEY = re.compile(r" ?(?:元(?![旦宵])|万|亿|块钱|人民币|\.\d)")


@dataclass(frozen=True, slots=True)
class Run:
    """Groups side by side which may be one number."""

    text: str
    start: int
    end: int
    groups: tuple[str, ...]
    """The digits between what separates them; a change of script separates nothing."""

    @property
    def written(self) -> str:
        """As it stands in the text."""
        return self.text[self.start : self.end]

    @property
    def digits(self) -> str:
        """All of them in a row."""
        return "".join(self.groups)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many digits each group has: 3, 4, 4."""
        return tuple(map(len, self.groups))

    @property
    def one_by_one(self) -> bool:
        """Told digit by digit, to the last one: 1 3 8 …."""
        return all(len(group) == 1 for group in self.groups) and not self.goes_on

    @property
    def goes_on(self) -> bool:
        """Single digits follow: it is the beginning of a longer number told digit by digit."""
        return _GOES_ON.match(self.text, self.end) is not None

    def even(self, count: int) -> bool:
        """Tell whether its last groups are separated in one way; a country's code in front may be apart."""
        gaps = GAP.findall(self.written)
        return len({gap.strip() for gap in gaps[len(gaps) - count + 1 :]}) <= 1

    def after(self, word: re.Pattern[str]) -> bool:
        """Tell whether a word stands just before it."""
        return word.search(self.text, max(0, self.start - 14), self.start) is not None


# -- the kinds: each answers with the value, or nothing ------------------------------------------------

_REGIONS = frozenset(
    str(region)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for region in range(first, last + 1)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE_SHAPES = frozenset(
    {
        (11,),
        (3, 8),
        (7, 4),
        (3, 4, 4),
        (4, 3, 4),
        (4, 4, 3),
        (3, 3, 5),
        (3, 5, 3),
        (3, 4, 2, 2),
        (3, 2, 2, 2, 2),
    }
    | {(3, 2, 2, 4), (3, 2, 3, 3), (1, 2, 2, 2, 2, 2), (2, 2, 2, 2, 2, 1)}
)
_ROOMS = re.compile(r"(?:\d{1,2}(?:0[1-9]|1\d|20)[ -]?){3}")
_MOVED_ON = re.compile(r"[ -]\d{4}(?!\d)")
_LANDLINE = re.compile(
    r"(?:(?:00)?86-?)?(0(?:10|2\d|3[13579]\d|4[1-8]\d|[5-9]\d\d))-?"
    r"([2-8]\d{6,7}|[2-8]\d{3}-\d{4}|[2-8]\d\d-\d{4})"
)
_DAYS = re.compile(r"0[1-9](?:0[1-9]|[12]\d|3[01])2\d{7}|(?:(?:[01]\d|2[0-3])[0-5]\d){3}")
# The first digits that Chinese banks give their cards; 16 digits where a foreign network's card is carried.
_BANKS = re.compile(r"(?:62|60|68|69|9558|9559)\d{14,17}|(?:4\d|5[1-5]|2[2-7]|35|95)\d{14}|(?:4\d|103)\d{16}")
_GRID_CODE = re.compile(r"\d\d[0-79]\d\d\d[0-5]\d\d[0-5]\d\d0\d{2,3}")


def _id_card(run: Run) -> str | None:
    """GB 11643: region, birthday, serial, check sign."""
    digits = run.digits
    if len(digits) != 18 or not _born(digits[:2], digits[6:14]):
        return None
    return digits if digits[17] == check_sign(digits) else None


def check_sign(digits: str) -> str:
    """The last sign of a residents' number, which tells a number from a slip of the pen (ISO 7064, MOD 11-2).

    Args:
        digits: the first 17 digits; more are not looked at.
    """
    return "10X98765432"[
        sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False)) % 11
    ]


def _old_id_card(run: Run) -> str | None:
    """15 digits, as given until 1999. Nothing checks them, and grid codes of 15 digits begin alike."""
    digits = run.digits
    if len(digits) != 15 or not digits.isdecimal() or not _born(digits[:2], "19" + digits[6:12]):
        return None
    if run.after(_ID_WORD):
        return digits
    shaped = run.sizes in ((15,), (6, 6, 3), (6, 2, 2, 2, 3)) or run.one_by_one
    # Who was born before 1930 hardly holds one any more, and towns' codes stop short of 3.
    coded = digits[6] in "012" and _GRID_CODE.fullmatch(digits)
    return digits if shaped and not coded and not run.after(_OTHER_WORD) else None


def _born(region: str, day: str) -> bool:
    if region not in _REGIONS or day[:2] not in ("19", "20"):
        return False
    try:
        date(int(day[:4]), int(day[4:6]), int(day[6:8]))
    except ValueError:
        return False
    return True


def _phone(run: Run) -> str | None:
    groups = _without_country(run)
    digits, sizes = "".join(groups), tuple(map(len, groups))
    if len(digits) != 11 or digits[0] != "1" or digits[1] < "3" or "X" in digits:
        return None
    if run.after(_PHONE_WORD):
        return digits
    money = _MONEY.match(run.text, run.end) or run.after(_OTHER_WORD)
    if money or (sizes[0] == 4 and _only_beside(run)):
        return None
    shaped = sizes in _MOBILE_SHAPES and run.even(len(sizes))
    return digits if shaped or (set(sizes) == {1} and not run.goes_on) else None


def _only_beside(run: Run) -> bool:
    """Three rooms in a row (1502 613 1014), or a room before a phone (1502 138 0000 0001)."""
    return bool(_ROOMS.fullmatch(run.written)) or (
        len(run.sizes) == 3 and run.groups[1][0] == "1" and _MOVED_ON.match(run.text, run.end) is not None
    )


def _without_country(run: Run) -> tuple[str, ...]:
    """Take 86 or an old trunk 0 off; 86 as a group of its own counts only with its plus sign."""
    code = COUNTRY.match(run.digits)
    if not code or len(run.digits) - code.end() != 11:
        return run.groups
    first = run.groups[0]
    if code[0] == "0" and len(first) < 12:
        return run.groups
    if first == "86" and run.text[run.start - 1 : run.start] not in ("+", "("):
        return run.groups
    rest = " ".join(run.groups)
    for digit in code[0]:
        rest = rest.replace(digit, "", 1).lstrip()
    return tuple(rest.split())


def _landline(run: Run) -> str | None:
    """With its area code: without one, eight digits may be anything."""
    found = _LANDLINE.fullmatch("".join(run.groups) if run.one_by_one else "-".join(run.groups))
    if found and run.sizes == (4, 4, 4) and _DAYS.fullmatch(run.digits) and not run.after(_PHONE_WORD):
        return None  # a case and another number (0531-2006 7711), or times of a day (0830 2030 2130)
    return None if not found or run.after(_OTHER_WORD) else f"{found[1]}-{found[2].replace('-', '')}"


def _bank_card(run: Run) -> str | None:
    digits = run.digits
    if not 16 <= len(digits) <= 19 or not digits.isdecimal() or not passes_luhn(digits):
        return None
    if run.after(_CARD_WORD):
        return digits
    coded = (
        len(digits) == 16
        and digits[12:14] == "00"
        and digits[:2] in _REGIONS
        and _GRID_CODE.fullmatch(digits)
    )
    shaped = _card_shape(run.sizes) or run.one_by_one
    return (
        digits if shaped and _BANKS.fullmatch(digits) and not coded and not run.after(_OTHER_WORD) else None
    )


def _card_shape(sizes: tuple[int, ...]) -> bool:
    if len(sizes) <= 2:
        return sizes[0] in (4, 6, 8) or len(sizes) == 1
    return set(sizes[1:-1]) == {4} and sizes[0] in (4, 6) and sizes[-1] <= 4


def passes_luhn(digits: str) -> bool:
    """Tell a card's number from another of its length (ISO/IEC 7812-1)."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


_Kind = tuple[Personal, Callable[[Run], str | None]]
_KINDS: tuple[_Kind, ...] = (
    (Personal.ID_CARD, _id_card),
    (Personal.PHONE, _phone),
    (Personal.BANK_CARD, _bank_card),
    (Personal.LANDLINE, _landline),
    (Personal.ID_CARD, _old_id_card),
)


MOST_SIGNS = 19  # those of the longest card


@cache
def kinds_of(length: int) -> tuple[_Kind, ...]:
    """Which kinds have numbers of so many digits: most runs are none, and cost nothing more."""
    lengths = ((18, 18), (11, 15), (16, 19), (10, 16), (15, 15))
    return tuple(kind for kind, (least, most) in zip(_KINDS, lengths, strict=True) if least <= length <= most)
