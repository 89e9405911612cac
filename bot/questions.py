"""What those who oversee ask and order in their own words: a list, or one case; it is never a report."""

import re

from bot.forms import Turn, begin
from bot.scene import Scene, command_named
from bot.talk import Talk

CASE_NUMBER = re.compile(r"(?<!\d)(?!12[13]\d\d(?!\d)|100\d\d(?!\d)|95\d{3}(?!\d))([1-9]\d{3,8})(?!\d)")
"""A case's number as it stands in a sentence; 12345 and its like are telephones."""
_ASKS = re.compile(
    r"多少|几[件个条起]|哪[个里些条家]|谁|[怎咋]么?样|怎么回事|咋回事|为什么|为啥|什么(?:大|新|急)?[事情]|啥(?:大|新|急)?[事情]"
    r"|有没有?|超[时期]|逾期|拖|最[急久差慢多]|红灯|排名|率|没办|未办|列(?:一下|出)|给我|给个|说说|看看|情况|汇总|还没人|啥时候"
    r"|什么时候|[吗?？]$"
)
_ABOUT_ONE = re.compile(r"怎|咋|谁|哪|情况|进展|说说|看看|什么|啥|吗|多久|[?？]")
_PRESSES = re.compile(
    r"抓紧|马上|尽快|赶紧|立[刻即]|今天(?:之内|必须|一定)|(?:明天|今天|今晚|下班|天黑|周.)之?前|限.{1,4}内|催一?下?"
)


def asked(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """A question about one case shows it, an order presses it, any other question opens the board.

    Returns None for whoever oversees nothing, and for words that neither ask nor order.
    """
    if not scene.may(command_named("board")):
        return None
    found = CASE_NUMBER.search(text)
    number = int(found[1]) if found else None
    if _PRESSES.search(text):
        return _pressed(scene, talk, number, text)
    if number is not None and _ABOUT_ONE.search(text):
        return begin(scene, talk, "show", {"incident": number})
    return begin(scene, talk, "board", {}) if _ASKS.search(text) and not _is_told(scene, text) else None


def _is_told(scene: Scene, text: str) -> bool:
    """3栋怎么又漏水了 names what and where: whoever oversees may report as well."""
    kind = scene.work.book.kinds.propose(text)
    return kind.category is not None and scene.find_place(text).sure


def _pressed(scene: Scene, talk: Talk, number: int | None, text: str) -> Turn | None:
    case = number or talk.last_case
    if case is None or not scene.may(command_named("supervise")):
        return None
    return begin(scene, talk, "supervise", {"incident": case, "words": text})
