"""What residents' words after a report come to, told by their shape alone: no case is looked at here."""

import re
from typing import Literal, NamedTuple

Verdict = Literal["no", "solved", "satisfied", "unsolved", "displeased", "partly", "later"]

_TAIL = (
    r"(?:[\s,。.!~、]|啊|呀|呢|吧|哦|噢|喔|的|了|啦|喽|咯|嘛|哈|哒|滴|哟|耶|谢+|多谢|感谢|辛苦|"
    r"您|你们?|们)*"
)
_YES = re.compile(
    rf"(?:嗯+|恩+|嗯呐|好+|ok+|okay|yes|y|可以|行|中|是|对|对头|是滴|没错|有|解决|已?经?解决|"
    rf"搞定|好使|要得|得|👍+|👌+|🙏+|💯|✅){_TAIL}$",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:没有?|冇|未|不是?|否|不对|不行|不可以|不好|哪有|哪里|no|nope|n|👎+|❌)(?:[\s,。.!]|啊|"
    r"呀|呢|的|嘛|哦|嘞)*$",
    re.IGNORECASE,
)
_MENDED = re.compile(
    r"没问题|没事了|不(?:漏|堵|臭|吵|响|渗|冒|滴|闪|黑|晃|停|卡|掉|积水|乱|挡)了"
    r"|(?:修|弄|搞|整|办|换|装|补|填|清|扫|拖|移|搬|疏|打扫|清理|处理|收拾|恢复|解决|"
    r"疏通)(?:得)?(?:好|完|妥|干净|走|开|通|掉|正常|定)"
    r"|(?:亮|通|好|解决|恢复|干净|正常|能用|可以用|有水|有电|来水|来电|有气|来气|搞掂|"
    r"搞定)(?:了|啦|咯|喽|嘞|咗|哒|$)"
)
_NOT_MENDED = re.compile(
    r"个(?:屁|鬼|毛|头|锤子|球)|骗|假的|胡说|瞎说|瞎扯|鬼话|放屁|敷衍|糊弄|忽悠|扯淡|应付|白(?:修|弄|搞)"
    r"|没(?:人|见|看到|看见|来|修|弄|搞|整|解决|好|处理|办|清|通|亮|用|动|变|换|效果)|"
    r"未(?:解决|修|处理)|冇(?:人|来|修|搞)|哪有"
    r"|根本|压根|还是|还在|依然|依旧|仍|照样|照旧|老样子|一样|又(?:坏|漏|堵|臭|停|不|黑|来|断|掉|开始|吵)"
    r"|不(?:亮|通|行|灵|好使|能用|管用|制冷|出水|干净|来|算|得行|解决)|更(?:坏|臭|严重|吵|差)|白来"
)
_PARTLY = re.compile(
    r"还?差(?:一|点|那么)|(?:好|强)(?:了|点|一)*(?:点|些|一点|一些)|但|不过|可是|就是|只(?:修|"
    r"弄|清|换|来|做)|一半|部分|半边|有点|勉强|凑合"
    r"|不太|不怎么|不大|不够|太(?!感谢|谢|好|满意)|^(?:一般|一般般|马马虎虎)"
)
_BETTER = re.compile(r"(?:好|强|亮|干净|通)(?:了|一)?(?:一点|一些|点(?!赞)|些)")
_AWAY = re.compile(
    r"不知道|不晓得|不清楚|不在家|没在家|还?没(?:去)?(?:看|回|注意|留意|到家|下班)(?!到|见)|"
    r"在外[地面头]|在(?:单位|上班|老家)|晚点|回头|等我|等会|明天看|回去看|"
    r"有空看"
)
_PLEASED = re.compile(r"(?<!不)(?<!不太)(?<!不怎么)满意|好评|点赞|五星|太好了|真快|很快|效率高")
_DISPLEASED = re.compile(r"不(?:太|怎么|咋|是很|够)?满意|唔满意|冇满意|差评|太差|差劲|满意(?:个|什么|啥)")
_ASKS = re.compile(r"[?？]|吗(?:$|[\s,。!])|(?<!不)怎么|为什么|为啥|是不是|有没有|什么时候|啥时候|多久")


def verdict(text: str) -> Verdict | None:
    """What an answer to 解决了吗? says; none where it says something else.

    Args:
        text: already `plain`; nobody else has understood it as a report of another kind.

    Returns:
        no: without a word of why; later: they could not look yet; partly: one has to ask;
        displeased: unsatisfied without a word of why.
    """
    if _ASKS.search(text):
        return None
    bare = _MENDED.sub("", text)
    if _NO.match(text):
        return "no"
    if _NOT_MENDED.search(bare) and not _AWAY.search(text):
        return "unsolved"
    if _AWAY.search(text):
        return "later"
    if _DISPLEASED.search(text):
        return "displeased"
    if _PARTLY.search(bare) or _BETTER.search(text):
        return "partly"
    if _MENDED.search(text) or _YES.match(text):
        return "satisfied" if _PLEASED.search(text) else "solved"
    return None


_NEEDLESS = re.compile(
    r"(?:不用|不要|不需要|不必|不消|用不着|莫)(?:再|你们|麻烦|派人)*(?:修|来|管|处理|弄|换|派|"
    r"麻烦|报|办|查|看|跑|人)*(?:人)?(?:了|啦|喽|咯|嘞|哒|$|[\s,。!])"
    r"|不(?:修|报|办|弄|搞|投诉|追究|举报|反映|麻烦)(?:了|啦|咯)|[改变]主意|不消(?:来|管|修)"
)
_BY_ITSELF = re.compile(
    r"自己(?:已经|就|又|给|找人)*(?:修|弄|搞|换|清|解决|处理|装|通|扶|拖|搬|恢复)?(?:好|完|掉|"
    r"走|开|干净|妥|通|起来|了)"
    r"|(?:已经|都)?有?人?(?:来|给|把它)?(?:修|弄|搞|换|清|处理|解决|扶|抬|拖|挪|移|搬|疏通|捞|"
    r"救|接|送)(?:好|走|完|通|起来|干净|掉|回来|回去)+(?:了|啦|咯|喽|嘞)"
    r"|来(?:电|水|气|网)(?:了|啦|咯|喽)|(?:灯|又|都|已经|现在|自己)亮(?:了|啦)|^(?:亮|通|"
    r"好)(?:了|啦|咯|喽)|有(?:水|电|气|网)了"
    r"|没事了|和好了|不(?:漏|堵|臭|吵|响|叫|闹|冒|闪)(?:了|啦)|找(?:到|回来)了"
)
_STILL = re.compile(
    r"[?？]|吗|怎么|为什么|为啥|没(?:人|有|来|修|好)|还(?:是|没|在)|(?<!自己)又|谁|什么时候|"
    r"刚修|才修|但|可是|不过|以后|如果|要是|能不能|一直|"
    r"根本|再不|被|不让|请|希望|尽快|赶紧|快点|上次|几天|只修|谢谢"
)


def needless(text: str) -> bool:
    """Whether somebody says outright that nobody need come any more (不修了, 我改主意了).

    Args:
        text: already `plain`.
    """
    return _NEEDLESS.search(text) is not None and _STILL.search(_NEEDLESS.sub("", text)) is None


def mended(text: str) -> bool:
    """Whether somebody says that it has come right by itself (来电了, 已经有人扶起来了).

    Args:
        text: already `plain`.
    """
    return _BY_ITSELF.search(text) is not None and _STILL.search(text) is None


_REFERS = re.compile(
    r"那个|那件|那事|那盏|那里的|上次|上回|前面(?:说|报|反映)|我?前面反映|之前|前几天|(?:昨天|"
    r"昨晚|今天|刚刚?|现在)又|刚才|我(?:反映|报|说|投诉|提)的?|动静|没反应|没消息|没下文|"
    r"没见人|"
    r"没人(?:来|管|理|答)|还没(?:来|修|人|弄|处理|好)|一直没|(?:越来)?越.{0,3}越?(?:多|大|臭|"
    r"严重)|又(?:坏|漏|堵|臭|吵|不|停|开始)|再不(?:来|修|管|处理)|等了"
)
_URGES = re.compile(
    r"动静|没反应|没消息|没下文|没见.{0,4}人|没人(?:来|管|理|修|答)|还没(?:来|修|人|弄|处理|"
    r"好)|怎么还|再不|快点|多久|几天了|投诉你|(?:打|找)12345|一直没|等了|不管"
)
_THREAT = re.compile(r"再不|投诉你|(?:打|找)12345|(?:找|告诉?)(?:记者|媒体|领导|上面)")
_DETAIL = re.compile(
    r"(?<!\d)1[3-9]\d{9}(?!\d)|(?:打|加)我?(?:的)?(?:电话|手机|微信)|(?:联系|找)我|(?:我|家里?|"
    r"白天|晚上|上午|下午|早上|中午|周末|星期.|周.|点)[^,。]{0,4}(?:后|前)?(?:都|才|"
    r"不)?(?:在家|有空|有人|没人|方便)"
    r"|(?:每天|天天|每晚|整晚|整天|从.{1,6}到|一直到)|^\d{3,4}(?:室|房|号房)?$|"
    r"^\d{1,2}单元\d{0,4}室?$|没(?:有)?电梯|(?:不是|就是|是)(?:这家|这户|这里|本小区|业主|租客|"
    r"租户|住户)"
    r"|路过(?:的|看)|我是(?:租|业主|路过|邻居|老人|帮)|^(?:在)?[\d一二三四五六七八九十]{1,3}(?:楼|层)$"
)


class Followed(NamedTuple):
    """What words say about a case that was already told."""

    refers: bool
    """They point back to it."""
    detail: bool
    """They tell a detail that means nothing alone."""
    urges: bool
    threatens: bool


def followed(text: str) -> Followed:
    """What words say about an earlier report.

    Args:
        text: already `plain`.
    """
    return Followed(
        _REFERS.search(text) is not None,
        _DETAIL.search(text) is not None,
        _URGES.search(text) is not None,
        _THREAT.search(text) is not None,
    )


_THANKS = re.compile(
    r"(?:谢谢|多谢|感谢|谢了|谢啦|唔该|劳驾|辛苦|麻烦(?:你|您)|给你们点赞|thank|谢)",
    re.IGNORECASE,
)
_FILLS = re.compile(
    r"谢|多|感|辛苦|唔该|晒|劳驾|麻烦|你|您|们|们的|啊|呀|哦|了|啦|咯|哈|小格|师傅|大哥|网格员|"
    r"同志|领导|政府|好|的|太|真|很|非常|十分|万分|嗯|行|知道|收到|那|就|先|这样|ok|"
    r"thanks?|you|[\s,。.!~、👍🙏❤🌹😊]",
    re.IGNORECASE,
)
_BYE = re.compile(r"(?:拜+|再见|回见|bye+|88|下次聊|不打扰|先这样|挂了)", re.IGNORECASE)
_TEMPER = re.compile(
    r"吃干饭|饭桶|废物|白痴|混蛋|混账|王八|他妈|妈的|狗屁|放屁|骗子|不作为|没一个好|"
    r"一群.{0,4}(?:人|猪|东西)|垃圾(?:政府|社区|物业|东西|平台|系统)|没(?:有)?(?:个)?(?:屁)?用|"
    r"什么(?:玩意|态度|东西)|上访|信访|"
    r"(?:告|曝光|投诉)你们|养着你们|拿钱不办事|踢皮球|气死|烦死|懒得理"
)


def small(text: str) -> Literal["thanks", "bye", "temper"] | None:
    """Thanks, a goodbye or a temper, in whatever dress: nothing is to be done about it but to be kind.

    Args:
        text: already `plain`, and no report.
    """
    if len(text) <= 20 and _TEMPER.search(text):
        return "temper"
    if _BYE.match(text) and len(text) <= 8:
        return "bye"
    if _THANKS.search(text) and not _FILLS.sub("", text):
        return "thanks"
    return None


_HOW = re.compile(
    r"(?:怎么|咋|如何|咋个|怎样|啷个|点样)(?:样)?(?:去)?(?:办|交|领|申请|缴|弄|查|补|开|报销|"
    r"买|取|整|算|申领|搞|个弄法)|(?:在|去|到|上)?(?:哪里?|哪儿|哪块|边度|啥地方|"
    r"什么地方)(?:可以|能)?(?:办|交|领|申请|缴|查|补|开|报销|买|取|打)|找(?:谁|哪)"
    r"|(?:要不要|要|需要|用|得)(?:办|交|带|打).{0,6}(?:吗|么|不|$)|(?:丢|掉|没|过期|坏)了(?:咋|"
    r"怎么|如何|要怎)|(?:多少|几)(?:钱|块|岁|$|一)|费(?:用)?(?:是)?多少|几点(?:钟)?(?:上班|"
    r"下班|开门|关门|办公|到几点)|什么(?:材料|手续|条件|证件|时候(?:上班|开门|发))"
    r"|能不能(?:办|领|申请|报)|可以(?:办|领|申请|报)吗|有没有(?:补贴|补助)|有补(?:贴|助)吗|"
    r"上不上班|上班吗|开门吗"
)
_SUBJECT = re.compile(
    r"补贴|补助|低保|五保|医保|社保|养老|退休|高龄|残疾|残联|证|卡|户口|身份|公积金|救助|入学|"
    r"学区|报名|疫苗|上班|下班|办公|开门|政策|手续|材料|费|婚|准生|生育|迁移|宅基地|"
    r"审批|营业执照|公租房|廉租|贷款|保险|报销|档案|社区服务|村委会|居委会|服务中心|大厅"
)
_FAULT = re.compile(
    r"坏|漏|堵|没人|不亮|停(?:水|电|气)|吵|臭|垃圾|占|乱(?!七)|被|打架|不给|不肯|拒|拖欠|克扣|"
    r"没发|不发|投诉|举报|危险|不退|骗|没到账|没有?水|没有?电|断了|刁难|态度"
)


def policy_question(text: str) -> bool:
    """Whether somebody wants to know how things are done, and nothing is the matter (医保在哪交).

    Args:
        text: already `plain`.
    """
    if len(text) > 40 or _FAULT.search(text):
        return False
    return _HOW.search(text) is not None and _SUBJECT.search(text) is not None


_PERSON = (
    re.compile(
        r"^(?:我)?(?:要|想|帮我|给我|请)?(?:找|联系)(?:一下)?([\u4e00-\u9fff]{2,4}?)(?:的?(?:电话|"
        r"号码|手机))?(?:一下|吧|啊)?$"
    ),
    re.compile(
        r"^(?:请问)?([\u4e00-\u9fff]{2,4}?)的?(?:电话|手机号?|号码|联系方式)(?:号码)?(?:是?多少|"
        r"是?几多|呢|是什么)?$"
    ),
)
_WHO_IS = re.compile(
    r"(?:我们|这|俺们|咱)[^,。]{0,6}(?:归|由|属)(?:谁|哪个|哪)|谁(?:管|负责)(?:我们|这|咱)|"
    r"(?:我们|咱们)[^,。]{0,6}(?:谁|哪个)(?:管|负责)|归(?:谁|哪个)管"
)
_WHICH = re.compile(
    r"^(?:我的|我那个|请问|这个)?(?:编|单|工单|受理)号(?:是)?(?:多少|几多|什么|几|呢|忘了|忘记了|不记得了)"
)
_MACHINE = re.compile(
    r"(?:你|您).{0,4}(?:真人|机器人|人工|ai\b|电脑|活人)|(?:是人还是|是不是人)",
    re.IGNORECASE,
)


def person_asked(text: str) -> str | None:
    """The name of somebody who is asked for (我要找沈佳, 李队电话), or what stands in its place.

    Args:
        text: already `plain`.
    """
    for pattern in _PERSON:
        found = pattern.match(text)
        if found:
            return found[1]
    return None


def asks_who_answers(text: str) -> bool:
    """Whether somebody asks who is responsible for where they live (我们这归谁管)."""
    return _WHO_IS.search(text) is not None and len(text) <= 16


def asks_number(text: str) -> bool:
    """Whether somebody asks for the number of what they reported (编号多少)."""
    return _WHICH.search(text) is not None


def asks_machine(text: str) -> bool:
    """Whether somebody asks if a human answers them (你是真人吗)."""
    return _MACHINE.search(text) is not None and len(text) <= 14


class Corrected(NamedTuple):
    """What is right, and what was wrong where that was said."""

    right: str
    wrong: str = ""


_SLIP = (
    r"(?:我|刚才|刚|前面|哎呀?|额|呃|啊|不好意思|抱歉|对不起|[\s,。.!])*(?:说|写|搞|弄|报|打|"
    r"记|填|发|地址|地点|位置)?错(?:了|啦|咧)|(?:哎|额|啊|唉|呃|嗯)*[,\s]*(?:也|又)?不对(?:啊|"
    r"呀|哦|的)?|不是的|更正(?:一下)?"
)
_CORRECTIONS = (
    re.compile(r"^(?:应该)?是(?P<right>[^,。]+?)[,。\s]*(?:而|并)?不是(?P<wrong>[^,。]+)$"),
    re.compile(
        rf"^(?:(?:{_SLIP})[,。.!\s]*)?(?:也|又|哎|并)?不(?:是|"
        rf"在)(?P<wrong>[^,。\s]+?)[,。.\s]*(?:应该|而|就|其实)*(?:是|在)(?P<right>.+)$"
    ),
    re.compile(r"^(?:也|又|哎|并)?不(?:是|在)(?P<wrong>[^,。\s]+)[,。.\s]+(?P<right>.+)$"),
    re.compile(
        rf"^(?:{_SLIP}|不是|不)[,。.!\s]+(?:应该|其实|我说|说)?(?:是|在|为|改成)?(?P<right>.+)$|"
        rf"^(?:{_SLIP})(?:应该)?(?:是|在|为|改成)(?P<right2>.+)$"
    ),
    re.compile(r"(?:应该是|改成|更正为|我是说|说的是)(?P<right>.+)$"),
)


def corrected(text: str) -> Corrected | None:
    """What a correction puts right: 不是5栋，是6栋 says 6栋, and 是路边，不是组里 says 路边.

    Args:
        text: already `plain`.
    """
    for pattern in _CORRECTIONS:
        found = pattern.search(text)
        if found:
            told = found.groupdict()
            right = told.get("right") or told.get("right2") or ""
            return Corrected(right.strip(), (told.get("wrong") or "").strip())
    return None
