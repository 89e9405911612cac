"""Residents in people's own words: 张三搬走了, 张三搬到4栋502, 更正 张三 电话 ..., of people one serves."""

import re

from bot.forms import Turn, begin
from bot.scene import Scene, command_named
from bot.talk import Talk
from handbook.doors import names_in
from handbook.phrases import Heard
from handlers.residents.scope import PEOPLE, RECORD, residents

WORDS = frozenset({"move_out", "move_to", "died", "mark", "unmark", "segment", "household", "doubles"})
"""Commands of workers: anybody else who says such words reports something."""
_MOVES_OUT = re.compile(r"^(.{2,12}?)(?:一家|已经?|昨天|今天)?(?:搬走|搬出去?|迁出|搬离)了?[.。!！]?$")
_MOVES_TO = re.compile(
    r"^(.{2,12}?)(?:已经?|昨天|今天)?(?:搬到|搬进|搬入|搬去|迁到)了?(.{2,30}?)(?:了|去了)?[.。!！]?$"
)
_DIED = re.compile(r"^(.{2,12}?)(?:已经?|昨天|今天)?(?:去世|过世|病故)了?[.。!！]?$")
_CORRECTS = re.compile(r"^(?:更正|修改|改一下)\s*(\S{2,6})\s*的?\s*((?:电话|手机|名字|姓名|户主).*)$")


def dwelling(scene: Scene, talk: Talk, text: str, heard: Heard) -> Turn | None:
    """What a worker says of somebody who lives in their area; None where it is about anything else.

    In a group as well: there it leads to the hint to say it in private.
    """
    if not scene.may(command_named("move_out")):
        return None
    if heard.command not in (None, "amend", "relocate"):
        return None
    found = _CORRECTS.match(text)
    if found and _lives_here(scene, found[1]):
        return begin(scene, talk, "correct_resident", {"who": f"{found[1]} {found[2]}"})
    for pattern, name in ((_MOVES_OUT, "move_out"), (_DIED, "died"), (_MOVES_TO, "move_to")):
        found = pattern.match(text)
        if found and _lives_here(scene, found[1]):
            known = {"who": found[1].strip()} | ({"to": found[2].strip()} if name == "move_to" else {})
            return begin(scene, talk, name, known)
    return None


def _lives_here(scene: Scene, words: str) -> bool:
    """Whether the words end with the name of somebody within reach; a report names things and places."""
    names = [name for name in names_in(words) if words.rstrip().endswith(name)]
    return bool(names and residents(scene.work, RECORD, PEOPLE.c.name.in_(names), limit=1))
