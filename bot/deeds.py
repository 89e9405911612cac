"""A worker's own words about their work: it is done, it was done on the spot, or it is beyond them."""

import re
from typing import Any

from bot.forms import Turn, begin
from bot.message import Choice, Inbound
from bot.reports import brought, file_text, is_report
from bot.scene import Scene, command_named, say
from bot.talk import Talk
from handbook.spans import SPOKEN_SPAN, spoken_span

_DONE = re.compile(
    r"(?:修|换|弄|搞|清|扫|理|疏?通|劝|拆|撤|移|拖|补|填|装|关|扶|送|调解|处理|打扫|清理|清运|解决|安抚|恢复|加固|处置)"
    r"(?:好了?|完了?|干净了?|走了?|开了?|掉了?|回去?了?|了)"
    r"|(?:说|谈|沟通|协调|联系|通知|告知|提醒|批评|教育|登记|上门|去|看|查|核实)过了"
    r"|(?:搞定|没事了|可以用了|能用了|亮了|正常了|不漏了|不堵了|办妥|和好了|散了|以后(?:会|不))"
)
_NOT_DONE = re.compile(
    r"没(?!事|问题)|未|不了|不掉|不动|怎么|什么时候|吗|[?？]|请|帮忙|需要|希望|得要|又|被|还是|谁"
)
"""Words of somebody who asks, complains or waits."""
_BEYOND = re.compile(
    r"(?:修|办|弄|搞|管|做|处理|解决|协调|处置)不了|(?:没法|没办法|无法|没能力|无权|没权)(?:修|办|弄|搞|管|做|处理|解决|协调|处置)"
    r"|超出.{0,6}(?:能力|权限|范围)"
)
_TO_SOMEBODY = re.compile(
    r"(?:叫|让|请|由|派|换|喊|给)(.{2,6}?)(?:去|来|处理|办|负责|跟进|看看|看一下|接手|顶|代)"
)
_LATER = re.compile(r"(?:才能|才可以|要等|得等|等着?.{1,8}(?:到货|回来|来了|批)|来不及|赶不上)")
_MOST = 4
"""Cases that are offered by name."""


def told(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """What free words of a worker say about a case in hand, or about a job done on the way; else None.

    70.8 % of one town's cases were dealt with by whoever saw them: nobody must learn a form for it.
    """
    if inbound.group or not scene.may(command_named("finish")):
        return None
    if _BEYOND.search(text):
        return _beyond(scene, talk, text)
    if _DONE.search(text) and not _NOT_DONE.search(text):
        return _done(scene, talk, text, inbound)
    return _handed_on(scene, talk, text) or _later(scene, talk, text)


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
    found = _TO_SOMEBODY.search(text)
    mine = _in_hand(scene, talk)
    if found is None or not mine:
        return None
    named = [o for o in scene.options("colleagues") if o.label.endswith(found[1]) or found[1] in o.label]
    if len(named) != 1:
        return None
    known: dict[str, Any] = {"to": named[0].value, "reason": text}
    if len(mine) == 1:
        known["incident"] = next(iter(mine))
    return begin(scene, talk, "transfer", known)


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
        Choice(label="是另一件事，要上报", do="report", known={"what": text}),
    )
    return Turn(talk, (say("deed.beyond", *ways, what=label),))
