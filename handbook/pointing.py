"""How people point at an entry of a list or at a case: 1, ①, 第二个, 3号, 1、2、3, 1-3, 1017, 0301-0001.

A number which counts or measures something (3栋, 2单元, 3天, 5盏) points at nothing.
"""

import re
from typing import NamedTuple

from handbook.words import CHINESE_DIGITS, chinese_number


class Pointed(NamedTuple):
    """The entries pointed at."""

    numbers: tuple[int, ...]
    codes: tuple[str, ...]
    """The same as written, and whole case numbers such as 0301-0001, which are not numbers."""
    end: int
    """Where in the text the pointing ends."""


_MEASURED = (
    r"(?![\d%])(?!\.\d)(?!/\d)(?!-\d)(?![a-z]\b)"
    r"(?!\s?(?:栋|幢|座|号|单元|室|层|楼|户|组|队|盏|天|日|小时|分钟|个|周|年|元|块钱|次|米|公里|岁|度|月|路|街|巷|微?网格|党?小组|党?支部|社区|小区|弄(?![好完干得成])))"
    r"(?![分点时人位名只根台辆棵条件级期线门房院格社片村区旁边万千百多几余斤吨平口])"
)
_AFTER_HAO = r"(?![楼线院门房井灯杆车路街桥])"
_ONE = re.compile(
    rf"(?:编号|单号|案号|no\.?|\#|e-(?=\d))?\s?"
    rf"(?:(?P<code>\d{{3,12}}-\d{{3,6}})"
    rf"|第(?P<nth>\d{{1,3}}|[{CHINESE_DIGITS}]{{1,3}})(?:个|条|件|项|单|起|号|宗)?"
    rf"|(?P<number>\d{{1,7}})(?:号(?:工单|单|案件|事件)?{_AFTER_HAO}|工单|案件)?"
    rf"|(?P<chinese>[{CHINESE_DIGITS}]{{1,3}})(?:号{_AFTER_HAO}|(?=[\s、,.])|$)"
    rf"){_MEASURED}"
)
_RANGE = re.compile(rf"(\d{{1,2}})号?\s?[-~到至]\s?(\d{{1,2}})号?{_MEASURED}")
_BETWEEN = re.compile(r"\s*[、,和及与\s]\s*")


def pointed_at(text: str, at: int = 0) -> Pointed | None:
    """Read which entries a message points at from a given place on.

    Args:
        text: `plain` and in lower case.
        at: index of the letter where the pointing would begin.

    Returns:
        what is pointed at, or None when no such number stands there.
    """
    codes: list[str] = []
    end = start = at
    while found := _range_at(text, start) or _one_at(text, start):
        codes.extend(found[0])
        end = found[1]
        between = _BETWEEN.match(text, end)
        if not between:
            break
        start = between.end()
    if not codes:
        return None
    unique = tuple(dict.fromkeys(codes))
    return Pointed(tuple(int(code) for code in unique if code.isdigit()), unique, end)


def _range_at(text: str, at: int) -> tuple[list[str], int] | None:
    match = _RANGE.match(text, at)
    if not match or not 0 < int(match[2]) - int(match[1]) < 20:
        return None
    return [str(number) for number in range(int(match[1]), int(match[2]) + 1)], match.end()


def _one_at(text: str, at: int) -> tuple[list[str], int] | None:
    match = _ONE.match(text, at)
    if not match:
        return None
    if match["code"]:
        return [match["code"]], match.end()
    number = chinese_number(match["nth"] or match["number"] or match["chinese"])
    return None if number is None else ([str(number)], match.end())
