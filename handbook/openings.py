"""How a Chinese sentence opens, and where a word of it ends: the small grammar commands are heard with.

Every text here is `plain` and in lower case.
"""

import re
from collections.abc import Iterator

from handbook.pointing import Pointed, pointed_at

_SIGN = r"\s,。.!?;:、~…()\"'“”‘’《》/+*#|—=\-\[\]【】"
_EDGE = re.compile(f"[{_SIGN}]|$")
_BETWEEN = re.compile(f"[{_SIGN}]*")
_ENDS = re.compile(f"^[{_SIGN}]+|[{_SIGN}]+$")
_CLAUSE = re.compile(f"[^{_SIGN}]*")
_WORD = re.compile(rf"[^{_SIGN}\d]*")
_PARTICLES = re.compile("(?:一下子|一下|下|了|吧|啊|呀|哈|哦|噢|呢|咯|喽|啦|嘛|呗|哟|哒|先)*")
_LAST_PARTICLES = re.compile("(?:一下子|一下|吧|啊|呀|哈|哦|噢|呢|咯|喽|啦|嘛|呗|哟|哒)+$")
_NOUN = re.compile("任务|工单|单子|案件|事件|编号|单号|序号|案号")
_OPENER = re.compile(
    rf"(?:@\S+\s|请问|请|麻烦您?|劳驾|帮我|帮忙|帮|给我|替我|我要|我想要?|我需要|需要|要|想|能不能|可不可以|可以|能|小格|"
    rf"把|将|这个|那个|这件事?|那件事?|此件|这单|这条|那条|本单|{_NOUN.pattern}|先|我来|我的|我这个?|我|现在|就|全部|都|的|"
    rf"(?:查询|查|看|问|了解|办理)(?:一下|一查|一看|一问|下|看|查|问)|一下)[{_SIGN}]*"
)
_NOT = re.compile(
    "(?:先|还|暂时|暂|都|也|就|已经|再|现在)*"
    "(?:不需要|不想要?|不能|不必|不要|不用|不会|不再|不|别|没有|没|未|勿|莫|甭|无需|无须|用不着|取消|停止|禁止)"
    "(?:再|给我|帮我|要|想|急着|忙着|把|现在|先)*"
)


def openings(text: str) -> Iterator[tuple[int, Pointed | None]]:
    """Go through every place where a command may begin: at once, after please, after a number.

    Yields:
        the index of the letter, and what was pointed at before it.
    """
    at, pointed = past_signs(text, 0), None
    yield at, pointed
    while True:
        if pointed is None and (pointed := pointed_at(text, at)):
            at = past_signs(text, pointed.end)
        elif match := _OPENER.match(text, at):
            at = match.end()
        else:
            return
        yield at, pointed


def past_signs(text: str, at: int) -> int:
    """Skip spaces and signs."""
    return _past(_BETWEEN, text, at)


def past_particles(text: str, at: int) -> int:
    """Skip the particles a command may carry: 接单了吧, 催一下."""
    return _past(_PARTICLES, text, at)


def past_denial(text: str, at: int) -> int:
    """Skip a denial such as 先别 or 不用再; gives `at` back when none stands there."""
    return _past(_NOT, text, at)


def past_noun(text: str, at: int) -> int:
    """Skip a word for a case before its number (工单1017); gives `at` back when none stands there."""
    return _past(_NOUN, text, at)


def clause(text: str, at: int = 0) -> str:
    """Take what is said up to the next sign."""
    return text[at : _past(_CLAUSE, text, at)]


def word(text: str, at: int) -> str:
    """Take what is said up to the next sign or digit."""
    return text[at : _past(_WORD, text, at)]


def ends_at(text: str, at: int) -> bool:
    """Tell whether a word may end here: the text's end, a space or a sign."""
    return _EDGE.match(text, at) is not None


def bare(text: str) -> str:
    """Take away spaces and signs at both ends."""
    return _ENDS.sub("", text)


def without_last_particles(said: str) -> str:
    """Take away what only colours an order: 上报一下吧 is 上报."""
    return _LAST_PARTICLES.sub("", said)


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
