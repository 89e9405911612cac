"""Which sentences complain of the conduct of somebody who serves: of a worker, a secretary, an official."""

import re
from collections.abc import Iterable

_BAD = (
    r"态度.{0,4}(?:差|恶劣|不好|坏|凶|不行|蛮横)|不办事|不做事|不干事|不作为|乱作为|不管事|不理人|不理我|不接电话|不负责"
    r"|收(?:了|我|他|她|人家?|别人)*(?:的)?(?:钱|礼|好处|红包|烟)|(?:要|拿|吃)(?:了|我|的)*(?:好处|红包|回扣|钱)"
    r"|吃拿卡要|乱收费|推诿|推三阻四|踢皮球|敷衍|糊弄|偏心|徇私|受贿|索贿|贪污|贪钱|克扣|走后门|滥用"
    r"|骂(?:人|我|老人)|凶(?:我|人|巴巴)|欺负|打(?:人|我)|威胁|刁难|为难|骗|失职|玩忽|摸鱼|不像话|耍流氓"
)
_ROLES = (
    "网格员|网格长|楼栋?长|片长|村?组长|村?支?书记|村?主任|村长|村干部|社区干部|村委会?|居委会?"
    "|工作人员|办事员|镇领导|干部"
)
_AGAINST = "投诉|举报|告(?!诉)|检举|控告"
_PLAIN = re.compile(
    "收(?:了|我|我们|人家)*(?:的)?(?:钱|礼|红包)(?:了|却|还|又|也|就是)*不(?:办事|干事|做事)|吃拿卡要|索贿|受贿"
)
"""Nobody but an official can be meant."""

SECRETARY = "书记"
"""What the keeper of a village or a community is called everywhere."""


def blames(text: str, names: Iterable[str] = ()) -> bool:
    """Tell whether a sentence blames somebody who serves, so that it does not go through their hands.

    Args:
        text: the report as typed.
        names: the names of people with a post that may stand in it.

    Returns:
        True for 投诉网格员 and 李强态度太差, never for words which only say who was told before.
    """
    if is_plain(text):
        return True
    whom = f"(?:{_ROLES}{''.join(f'|{re.escape(name)}' for name in names)})"
    return re.search(f"(?:{_AGAINST}).{{0,6}}{whom}(?!说|反映|讲)|{whom}.{{0,8}}(?:{_BAD})", text) is not None


def is_plain(text: str) -> bool:
    """Tell whether a sentence can be about nothing else: 收钱不办事."""
    return _PLAIN.search(text) is not None
