"""A worker's own words about their work: it is done, it was done on the spot, or it is beyond them."""

import re
from typing import Any

from bot.forms import Turn, begin
from bot.message import Choice, Inbound
from bot.questions import CASE_NUMBER
from bot.reports import brought, file_text, is_report
from bot.scene import Scene, command_named, say
from bot.talk import Talk
from handbook.spans import SPOKEN_SPAN, spoken_span

_DONE = re.compile(
    r"(?:修|换|弄|搞|清|扫|理|疏?通|劝|拆|撤|移|拖|补|填|装|关|扶|送|调解|处理|打扫|清理|清运|解决|安抚|恢复|加固|处置)"
    r"(?:好了?|完了?|干净了?|走了?|开了?|掉了?|回去?了?|了)"
    r"|(?:说|谈|沟通|劝|提醒|批评|教育)过了|焊(?:好|上)了?|抽干净了?|冲洗过了?|贴好了|封好了"
    r"|(?:搞定|没事了|可以用了|能用了|亮了|正常了|不漏了|不堵了|办妥|和好了|散了|以后(?:会|不))"
)
_NOT_DONE = re.compile(
    r"没(?!事|问题)|未|不了|不掉|不动|怎么|什么时候|吗|[?？]|请|帮忙|需要|希望|得要|又|被|还是|谁"
    r"|明天|后天|下周|下礼拜|等|再说|同意|答应|约好|准备|打算|一半|好像|快要|差不多|就能|才能|就(?=修|换|弄|清|办)"
)
"""Words of somebody who asks, complains, waits or plans."""
_UNDER_WAY = re.compile(
    r"(?:去|找|跟|问|打了|约|报给?|通知|买|贴|商量|协调|联系|沟通|叫|垫|绑|拉|上报|看|查|换|修|试|弄|清)(?:了|过|好)"
    r"|答应|同意|不肯|不配合|不让|明天|后天|下周|下礼拜|改天|要花|经费|费用|没人接|双方|业主|物业|施工队|师傅|材料|配件|先"
)
"""Words of somebody who is at it."""
_TO = re.compile(r"(?:转给|转到|移交给?|交给|派给)\s*(.{2,8})$")
_BEYOND = re.compile(
    r"(?:修|办|弄|搞|管|做|处理|解决|协调|处置)不[了好动]|搞不定|(?:没法|没办法|无法|没能力|无权|没权)(?:修|办|弄|搞|管|做|处理|解决|协调|处置)"
    r"|超出.{0,6}(?:能力|权限|范围)"
)
_TO_SOMEBODY = re.compile(
    r"(?:叫|让|请|由|派|换|喊|给)(.{2,6}?)(?:去|来|处理|办|负责|跟进|看看|看一下|接手|顶|代)"
)
_LATER = re.compile(r"(?:才能|才可以|要等|得等|等着?.{1,8}(?:到货|回来|来了|批)|来不及|赶不上)")
_ROUNDS = re.compile(r"走访|巡查|巡逻|入户|探访|敲门|看望|转了一圈")
_ALL_WELL = re.compile(r"都好|正常|平安|没(?:有)?(?:事|异常|发现|问题|情况)|无异常|挺好|还好")
_WHO = re.compile(r"谁(?:报|反映|说)的|(?:他|她|上报人|报事人|居民|对方).{0,3}(?:电话|号码)|联系方式")
_A_FEW = 3
"""Letters: fewer are a word that was meant as a command."""
_MOST = 4
"""Cases that are offered by name."""


def told(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """What free words of a worker say about a case in hand, or about a job done on the way; else None.

    70.8 % of one town's cases were dealt with by whoever saw them: nobody must learn a form for it.
    """
    if inbound.group or not scene.may(command_named("finish")):
        return None
    if _ROUNDS.search(text) and _ALL_WELL.search(text):
        return Turn(talk, (say("small.rounds"),))
    if _WHO.search(text) and (mine := _in_hand(scene, talk)):
        return begin(scene, talk, "show", {"incident": next(iter(mine))})
    if _BEYOND.search(text):
        return _beyond(scene, talk, text)
    if _DONE.search(text) and not _NOT_DONE.search(text):
        return _done(scene, talk, text, inbound)
    return _handed_on(scene, talk, text) or _later(scene, talk, text) or _noted(scene, talk, text, inbound)


def _done(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """The result of the case of this kind, or of the only one; what has its own place was done besides."""
    in_hand = scene.options("to_finish")
    kind = scene.work.book.kinds.propose(text).category
    same = [option for option in in_hand if kind is not None and option.category == kind]
    whole = kind is not None and not same and scene.find_place(text).sure
    if whole or not in_hand:
        return file_text(scene, talk, text, inbound, name="self_handle") if is_report(scene, text) else None
    result: dict[str, Any] = {"result": text}
    result.update((name, value) for name, value in brought(talk, inbound).items() if name == "media")
    meant = same if len(same) == 1 else in_hand
    if len(meant) == 1:
        return begin(scene, talk, "finish", {"incident": meant[0].value, **result})
    offered = [
        Choice(label=f"办结 {option.label}", do="finish", known={"incident": option.value, **result})
        for option in in_hand[:_MOST]
    ]
    other = Choice(label="另一件事，当场办好了", do="self_handle", known={"what": text})
    return Turn(talk, (say("deed.which", *offered, other),))


def _in_hand(scene: Scene, talk: Talk) -> dict[int, str]:
    """The worker's own cases: the one last spoken of alone where it is among them, else all."""
    mine = {int(option.value): option.label for option in scene.options("mine")}
    case = talk.last_case
    return {case: mine[case]} if case is not None and case in mine else mine


def _handed_on(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """叫周丽去: a colleague is named, and the case is passed on with these words as the reason."""
    found = _TO_SOMEBODY.search(text) or _TO.search(text)
    mine, number = _in_hand(scene, talk), CASE_NUMBER.search(text)
    if found is None or not (mine or number):
        return None
    named = [o for o in scene.options("colleagues") if found[1] in o.label]
    if len(named) != 1:
        return None
    known: dict[str, Any] = {"to": named[0].value, "reason": text}
    if number or len(mine) == 1:
        known["incident"] = int(number[1]) if number else next(iter(mine))
    return begin(scene, talk, "transfer", known)


def _noted(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """How far the case in hand has come; where it may be another matter, that is asked and not guessed."""
    mine = {int(option.value): option for option in scene.options("mine")}
    case = talk.last_case if talk.last_case in mine else next(iter(mine)) if len(mine) == 1 else None
    kind, place = scene.work.book.kinds.propose(text).category, scene.find_place(text)
    if not mine or len(text) < _A_FEW or (kind is not None and place.sure):
        return None
    media = {name: value for name, value in brought(talk, inbound).items() if name == "media"}
    if case is not None and not place.sure and _alike(scene, kind, mine[case].category):
        return begin(scene, talk, "add_material", {"incident": case, "note": text, **media})
    if not _UNDER_WAY.search(text):
        return None
    offered = [
        Choice(
            label=f"记到 {option.label}", do="add_material", known={"incident": number, "note": text, **media}
        )
        for number, option in list(mine.items())[:_MOST]
    ]
    other = Choice(label="另一件事，要上报", do="report", known={"what": text, **media})
    return Turn(talk, (say("deed.note_which", *offered, other),))


def _alike(scene: Scene, kind: str | None, other: str | None) -> bool:
    """Whether words are about what a case is about; words that name no kind may be about anything."""
    if kind is None or other is None or kind == other:
        return True
    book = scene.work.book
    return book.category(kind).parent == book.category(other).parent


def _later(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """三天后才能好: more time may be asked for, or the words kept with the case."""
    mine = _in_hand(scene, talk)
    if not _LATER.search(text) or len(mine) != 1:
        return None
    case, label = next(iter(mine.items()))
    ways = (
        Choice(label="申请延期", do="extend", known={"incident": case, "reason": text, **_span_of(text)}),
        Choice(label="只记一笔", do="add_material", known={"incident": case, "note": text}),
        Choice(label="是另一件事，要上报", do="report", known={"what": text}),
    )
    return Turn(talk, (say("deed.beyond", *ways, what=label),))


def _span_of(text: str) -> dict[str, str]:
    found = SPOKEN_SPAN.search(text)
    try:
        return {"span": str(spoken_span(found.group(0)))} if found else {}
    except ValueError:
        return {}


def _beyond(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """It stays the worker's decision what becomes of a case they cannot deal with."""
    mine = _in_hand(scene, talk)
    if len(mine) != 1:
        return begin(scene, talk, "return_case", {"reason": text}) if mine else None
    case, label = next(iter(mine.items()))
    ways = (
        Choice(label="退回", do="return_case", known={"incident": case, "reason": text}),
        Choice(label="转派给别人", do="transfer", known={"incident": case, "reason": text}),
        Choice(label="请人协办", do="join", known={"incident": case}),
        Choice(label="申请无法解决", do="unsolvable", known={"incident": case, "reason": text}),
        Choice(label="是另一件事，要上报", do="report", known={"what": text}),
    )
    return Turn(talk, (say("deed.beyond", *ways, what=label),))
