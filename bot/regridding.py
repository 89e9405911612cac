"""Grids in people's own words: split, merged, renamed, moved."""

import re
from dataclasses import dataclass
from typing import Any

from bot.forms import Turn, begin
from bot.scene import Scene, command_named, say
from bot.slots import grids_called, place_choices
from bot.talk import Form, Talk
from handbook.phrases import Heard

_HEAD = r"^(?:请|帮我|麻烦)?(?:把|将)?\s*"
_SPLIT = re.compile(
    _HEAD + r"(?:(?:拆分|分拆|拆格|拆)(?:网格)?\s*(?P<a>.+?)|(?P<b>.+?)\s*(?:拆分|分拆|拆))"
    r"\s*(?:为|成|到)\s*(?P<parts>.+)$"
)
_MERGE_TWO = re.compile(
    _HEAD + r"(?:合并(?:网格)?\s*(?P<a>.+?)(?:、|,|，|和|与|跟)(?P<b>.+?)"
    r"|(?P<c>.+?)(?:、|,|，|和|与|跟)(?P<d>.+?)\s*合并(?:起来|在一起|到一起)?)"
    r"(?:\s*(?:为|成|叫|后叫|改叫|,叫|，叫)\s*(?P<called>.+))?$"
)
_MERGE_INTO = re.compile(
    _HEAD + r"(?:合并(?:网格)?\s*(?P<a>.+?)\s*到|(?P<b>.+?)\s*(?:合并到|合并进|并入|并到|并进))"
    r"\s*(?P<into>.+)$"
)
_RENAME = re.compile(
    _HEAD + r"(?:(?:网格)?(?:改名|更名)\s*(?P<a>.+?)\s*(?:为|成|叫)"
    r"|(?P<b>.+?)\s*(?:(?:改名|更名)(?:为|成|叫)?|改叫))\s*(?P<called>.+)$"
)
_MOVE = re.compile(
    _HEAD + r"(?:(?:移动|划转)(?:网格)?\s*(?P<a>.+?)\s*到"
    r"|(?P<b>.+?)\s*(?:移到|移至|划到|划归|划给|调整到|归到|转到))"
    r"\s*(?P<to>.+?)\s*(?:下面|名下|管|管理)?$"
)
_END = " 。.!！"
_OPENS = frozenset(
    {"split_grid", "merge_grids", "rename_grid", "move_grid", "merge", "change_name", "transfer"}
)
"""What a sentence about grids may have been heard as; 合并 is also said of cases, 改名 of oneself."""


@dataclass(frozen=True)
class _Said:
    """A command about grids: the words for each grid, and what else is known."""

    command: str
    grids: dict[str, str]
    known: dict[str, Any]


def regridding(scene: Scene, talk: Talk, text: str, heard: Heard) -> Turn | None:
    """What somebody says who may change grids; None where no grid of theirs is named so.

    In a group as well: there it leads to the hint to say it in private.
    Who only reports something (第一网格的路灯拆成两半了) names no grid where one would stand.
    """
    if not scene.may(command_named("split_grid")):
        return None
    if heard.command is not None and heard.command not in _OPENS:
        return None
    said = _said(text.strip(_END))
    if said is None:
        return None
    found = {field: grids_called(scene, words) for field, words in said.grids.items()}
    if not all(found.values()):
        clearly = found["grid"] or heard.command == said.command
        wrong = "group.private" if scene.group else "slot.no_such_grid"
        return Turn(talk, (say(wrong),)) if clearly else None
    known = dict(said.known)
    for field, grids in found.items():
        if len(grids) > 1:
            return _which(scene, talk, said, known, field, grids, found)
        known[field] = grids[0]
    return begin(scene, talk, said.command, known)


def _which(
    scene: Scene,
    talk: Talk,
    said: _Said,
    known: dict[str, Any],
    field: str,
    grids: list[int],
    found: dict[str, list[int]],
) -> Turn:
    sure = {name: its[0] for name, its in found.items() if len(its) == 1}
    options = place_choices(scene, grids[:8])
    form = Form(command=said.command, known={**known, **sure}, asking=field, asked=(field,), options=options)
    return Turn(talk.with_form(form), (say("slot.place_which", *options),))


def _said(text: str) -> _Said | None:
    if found := _SPLIT.match(text):
        return _Said("split_grid", {"grid": _first(found, "a", "b")}, {"parts": found["parts"]})
    if found := _MERGE_TWO.match(text):
        into, grid = _first(found, "a", "c"), _first(found, "b", "d")
        called = (found["called"] or "").strip()
        return _Said("merge_grids", {"into": into, "grid": grid}, {"called": called} if called else {})
    if found := _MERGE_INTO.match(text):
        return _Said("merge_grids", {"grid": _first(found, "a", "b"), "into": found["into"].strip()}, {})
    if found := _RENAME.match(text):
        return _Said("rename_grid", {"grid": _first(found, "a", "b")}, {"called": found["called"].strip()})
    if found := _MOVE.match(text):
        return _Said("move_grid", {"grid": _first(found, "a", "b"), "to": found["to"].strip()}, {})
    return None


def _first(found: re.Match[str], *names: str) -> str:
    return next(found[name] for name in names if found[name]).strip()
