"""Digits and signs however they are typed: one sign becomes one sign, so places in a text stay."""

import re
import unicodedata
from collections.abc import Iterator

CHINESE = "〇一二三四五六七八九"
_SPOKEN = {"零○◯洞": "〇", "幺壹": "一", "两贰": "二", "叁": "三", "肆": "四", "伍": "五", "陆": "六"}
_SPOKEN |= {"柒拐": "七", "捌": "八", "玖勾": "九"}
_SIGNS = {
    "\t\u00a0\u3000\u2002\u2003\u2009\u202f": " ",
    "-‐‑‒–—―−－_＿~～〜": "-",
    "·・•。．・": ".",
    "（": "(",
}
_SIGNS |= {"）": ")", "＋": "+", "×✕ХΧ": "X", "\u200b\u200c\u200d\u2060\ufeff\u00ad": "\u200b"}


def _digits_of_the_world() -> Iterator[tuple[int, str]]:
    """Full width, mathematical and circled digits: everything that Unicode calls a single digit."""
    for code in (
        *range(0x80, 0x3300),
        *range(0xA620, 0xAC00),
        *range(0xFF10, 0xFF1A),
        *range(0x1D7CE, 0x1D800),
    ):
        digit = unicodedata.digit(chr(code), None)
        if digit is not None:
            yield code, str(digit)


def _fold() -> dict[int, str]:
    fold = dict(_digits_of_the_world())
    fold |= {0xFF21 + at: chr(65 + at) for at in range(26)} | {0xFF41 + at: chr(65 + at) for at in range(26)}
    fold |= {97 + at: chr(65 + at) for at in range(26)}
    return fold | {ord(sign): one for signs, one in (_SPOKEN | _SIGNS).items() for sign in signs}


FOLD = _fold()
"""To ASCII digits and capitals, one Chinese sign for each digit, and one sign for each kind of separator."""
ARABIC = {ord(sign): str(at) for at, sign in enumerate(CHINESE)}
"""From a folded text's Chinese digits to 0-9."""
BETWEEN = " .()-"
"""What may stand between the digits of one number, in a folded text."""
UNSEEN = "\u200b"
"""What signs of no width become."""
COUNTRY = re.compile(r"(?:00)?86(?=1)|0(?=1[3-9])")
"""China's country code, or the 0 that was once dialled before a mobile phone far away."""
_NO_SIGN = re.compile(r"[^0-9X]+")


def plain_number(text: str) -> str:
    """One writing for one number, so that it is found again however it was typed.

    Args:
        text: one phone, residents' or card number, not a sentence.

    Returns:
        Its digits (and X), without separators and China's country code.
    """
    digits = _NO_SIGN.sub("", text.translate(FOLD).translate(ARABIC))
    code = COUNTRY.match(digits)
    return digits[code.end() :] if code and len(digits) - code.end() == 11 else digits


_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_NARROW = re.compile(r"([\u4e00-\u9fff])\s?([,;:?!])")


def as_written(text: str) -> str:
    """Words as people read them: signs after a Chinese letter are full width again."""
    return _NARROW.sub(lambda match: match[1] + _WIDE[match[2]], text)
