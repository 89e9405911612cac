"""What is meant in a group alone: the code that binds it, its board, and words that answer somebody's."""

import re

from bot.forms import Turn, begin
from bot.message import Inbound
from bot.scene import Scene, say
from bot.talk import Talk

_CODE = re.compile(r"^绑定(?:群|本群|这个群)?(?:码)?[:：\s]*(\d{6})$")
_BOARD = re.compile(r"^(?:进展|本月进展|群进展|办得怎么样|公示|进度公示|公告板)[?？。!！]*$")
_REPORT = re.compile(r"^(?:上报|报一下|报上去|登记|登记一下|帮(?:我|忙)?(?:上?报|登记)(?:一下)?)[。!！]*$")


def in_group(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """A turn for what only a group says; None for what is said anywhere."""
    if not scene.group:
        return None
    if code := _CODE.match(text):
        return begin(scene, talk, "bind_here", {"code": code[1]})
    if _BOARD.match(text):
        return begin(scene, talk, "group_progress", {})
    if inbound.quoted is not None and not inbound.quoted.by_us and _REPORT.match(text):
        return _quoted(scene, talk, inbound)
    return None


def _quoted(scene: Scene, talk: Talk, inbound: Inbound) -> Turn | None:
    """One's own words become a report; somebody else's are theirs to report (PIPL: with their consent)."""
    assert inbound.quoted is not None
    if inbound.quoted.handle != inbound.handle:
        return Turn(talk, (say("group.not_yours"),))
    from bot.reports import file_text

    words = inbound.model_copy(
        update={"text": inbound.quoted.text, "attachments": inbound.quoted.attachments, "quoted": None}
    )
    return file_text(scene, talk, inbound.quoted.text, words) if inbound.quoted.text else None
