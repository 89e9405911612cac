"""Asked afterwards not to be named: said of the case just filed, never of a new one."""

import re

from bot.forms import Turn, begin, question
from bot.reports import is_report
from bot.scene import Scene, say
from bot.talk import Talk

_ANONYMOUS = re.compile(
    r"匿名|(?:不要?|别|能不能不|可以不|可不可以不)(?:写|留|登|透露|公开|显示|暴露|泄露)(?:出|了)?(?:我的?)?(?:名字?|姓名|电话|信息|身份)"
    r"|不实名|不署名|别写我|不要写我|名字去掉|去掉(?:我的?)?名字"
)
_SECRET = re.compile(
    r"(?:别|不要|不能|不许|千万|莫|勿).{0,6}(?:说|讲|告诉|透露|让|晓得).{0,8}(?:是我|我说|我报|我讲|我是谁|知道|晓得|我的?名)"
    r"|保密|怕.{0,6}(?:报复|得罪|找我|找上门|记仇|穿小鞋)|打击报复|不公开|别公开"
)
_NEW = re.compile(r"举报|上报|投诉|反映|报一")
_FILLING = re.compile(
    r"[\s,，。.!！?？、~]|请|麻烦|谢谢|帮我|我要|我想|可以|能不能|一下|吗|吧|哦|啊|呀|哈|要"
)
_REST = 8
"""More letters besides say something else."""


def quietly(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """不要写我名字 after filing makes that case anonymous, and in the middle of a report that report."""
    secret = _SECRET.search(text) is not None
    if not secret and _ANONYMOUS.search(text) is None:
        return None
    rest = _FILLING.sub("", _SECRET.sub("", _ANONYMOUS.sub("", text)))
    if len(rest) > _REST or _NEW.search(text) or is_report(scene, rest):
        return None
    privacy = "secret" if secret else "anonymous"
    form = talk.form
    if form is not None and form.command == "report" and "what" in form.known and not form.optional:
        kept = form.model_copy(update={"known": {**form.known, "privacy": privacy}})
        return Turn(talk.with_form(kept), (say("hush.form"), question(kept)))
    case = _just_filed(scene, talk)
    if case is None:
        return None
    return begin(scene, talk.with_form(None), "hush", {"incident": case, "privacy": privacy})


def _just_filed(scene: Scene, talk: Talk) -> int | None:
    """The case last filed or spoken of in this talk, where it is the speaker's own and open."""
    alarm = talk.alarm.case if talk.alarm is not None else None
    mine = {option.value for option in scene.options("reported")}
    return next((case for case in (talk.last_filed, talk.last_case, alarm) if case in mine), None)
