"""A worker's own words about their work: it is done, it was done on the spot, or it is beyond them."""

import re
from typing import Any

from bot.forms import Turn, begin
from bot.message import Choice, Inbound
from bot.reports import brought, file_text, is_report
from bot.scene import Scene, command_named, say
from bot.talk import Talk

_DONE = re.compile(
    r"(?:修|换|弄|搞|清|扫|理|疏?通|劝|拆|撤|移|拖|补|填|装|关|扶|送|调解|处理|打扫|清理|清运|解决|安抚|恢复|加固|处置)"
    r"(?:好了?|完了?|干净了?|走了?|开了?|掉了?|回去?了?|了)"
    r"|(?:搞定|没事了|可以用了|能用了|亮了|正常了|不漏了|不堵了|办妥|和好了|散了)"
)
_NOT_DONE = re.compile(
    r"没(?!事|问题)|未|不了|不掉|不动|怎么|什么时候|吗|[?？]|请|帮忙|需要|希望|得要|又|被|还是|谁"
)
"""Words of somebody who asks, complains or waits."""
_BEYOND = re.compile(
    r"(?:修|办|弄|搞|管|做|处理|解决|协调|处置)不了|(?:没法|没办法|无法|没能力|无权|没权)(?:修|办|弄|搞|管|做|处理|解决|协调|处置)"
    r"|超出.{0,6}(?:能力|权限|范围)"
)
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
    return None


def _done(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """The result of the case last spoken of; a whole report of its own is a job done on the way."""
    in_hand = {int(option.value): option.label for option in scene.options("to_finish")}
    whole = scene.work.book.kinds.propose(text).category is not None and scene.find_place(text).sure
    if whole or not in_hand:
        return file_text(scene, talk, text, inbound, name="self_handle") if is_report(scene, text) else None
    result: dict[str, Any] = {"result": text}
    result.update((name, value) for name, value in brought(talk, inbound).items() if name == "media")
    if talk.last_case in in_hand:
        return begin(scene, talk, "finish", {"incident": talk.last_case, **result})
    offered = [
        Choice(label=f"办结 {label}", do="finish", known={"incident": case, **result})
        for case, label in list(in_hand.items())[:_MOST]
    ]
    other = Choice(label="另一件事，当场办好了", do="self_handle", known={"what": text})
    return Turn(talk, (say("deed.which", *offered, other),))


def _beyond(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """It stays the worker's decision what becomes of a case they cannot deal with."""
    mine = {int(option.value): option.label for option in scene.options("mine")}
    case = talk.last_case if talk.last_case in mine else next(iter(mine)) if len(mine) == 1 else None
    if case is None:
        return begin(scene, talk, "return_case", {"reason": text}) if mine else None
    ways = (
        Choice(label="退回", do="return_case", known={"incident": case, "reason": text}),
        Choice(label="转派给别人", do="transfer", known={"incident": case, "reason": text}),
        Choice(label="请人协办", do="join", known={"incident": case}),
        Choice(label="是另一件事，要上报", do="report", known={"what": text}),
    )
    return Turn(talk, (say("deed.beyond", *ways, what=mine[case]),))
