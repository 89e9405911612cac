"""Several facts in one sentence: all words are filed at once, the further facts when the reporter says so."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.forms import Turn, begin
from bot.message import Choice
from bot.scene import Scene, say
from bot.talk import Talk

SPLIT = "split!"
"""What the choices of the question do: file each further fact on its own."""
_BETWEEN = re.compile(r"[,，。;；!！\n]+")
_COUNTS = re.compile(r"[两二三四五几\d](?:个|件|样)(?:事|问题|情况)|一个是|一是|第一")
"""Somebody says that there are several matters: then a mere space may stand between them."""
_ITEM = r"(?:[一二三四再]个?(?:就)?是|第[一二三四][个件是,、]?|还有(?:一[个件])?|另外)"
_COUNTED = re.compile(rf"[,，。;；!！\n]+|\s+(?={_ITEM})|(?={_ITEM})")
_FURTHER = re.compile(r"另外|还有|此外|再有|再就是")
"""A fact that begins so and names no place is taken to be where the one before it is."""
_SHARED = ("media", "privacy")
"""Fields of the whole sentence that each of its facts has."""


@dataclass(frozen=True)
class Fact:
    """One of the things that are the matter, and where."""

    what: str
    category: str
    grid: int
    spot: str = ""


def facts(scene: Scene, text: str) -> tuple[Fact, ...]:
    """The facts of a sentence; none unless at least two differ in kind and in place beyond doubt.

    Who tells one thing at length must not be asked whether it is two: a clause without a sure kind or without
    a sure place belongs to the one before it. Danger is never taken apart.
    """
    between = _COUNTED if _COUNTS.search(text) else _BETWEEN
    clauses = [clause for clause in between.split(text) if clause.strip()]
    kinds = [_sure_kind(scene, clause) for clause in clauses] if len(clauses) > 1 else []
    if len({kind for kind in kinds if kind}) < 2 or scene.work.book.danger.find(text) is not None:
        return ()
    found: list[Fact] = []
    for clause, kind in zip(clauses, kinds, strict=True):
        fact = _fact(scene, clause, kind, found)
        if fact is not None:
            found.append(fact)
        elif found:
            found[-1] = replace(found[-1], what=f"{found[-1].what}，{clause}")
    return tuple(found) if len({fact.grid for fact in found}) > 1 else ()


def _sure_kind(scene: Scene, clause: str) -> str | None:
    proposal = scene.work.book.kinds.propose(clause)
    return proposal.category if proposal.sure else None


def _fact(scene: Scene, clause: str, kind: str | None, before: Sequence[Fact]) -> Fact | None:
    if kind is None or kind in [fact.category for fact in before]:
        return None
    place = scene.find_place(clause)
    if place.best is None and before and _FURTHER.match(clause):
        return Fact(clause, kind, before[-1].grid)
    if place.best is None or not place.sure or not scene.is_fine(place.best):
        return None
    if place.best in [fact.grid for fact in before]:
        return None
    return Fact(clause, kind, place.best, place.detail)


def offer(turn: Turn, found: Sequence[Fact], fields: Mapping[str, Any]) -> Turn:
    """Ask once, after the whole sentence is filed, whether its further facts are cases of their own."""
    shared = {name: fields[name] for name in _SHARED if name in fields}
    further = [
        {"what": fact.what, "category": fact.category, "grid": fact.grid, "spot": fact.spot, **shared}
        for fact in found[1:]
    ]
    apart = Choice(label="分开登记", do=SPLIT, known={"further": further})
    one = Choice(label="就一件", do=SPLIT, known={"further": []})
    words = "；".join(fact.what for fact in found)
    asked = say("split.offer", apart, one, count=len(found), facts=words)
    return Turn(turn.talk, (*turn.says, asked), turn.command, turn.more)


def separate(scene: Scene, talk: Talk, choice: Choice) -> Turn:
    """File the further facts, each with what came with the sentence; the question is answered once."""
    if choice not in talk.choices:
        return Turn(talk, (say("choice.old"),))
    talk = talk.model_copy(update={"choices": (), "offered_at": None, "form": None})
    turns = [begin(scene, talk, "report", dict(known)) for known in choice.known["further"]]
    commands = [turn.command for turn in turns if turn.command is not None]
    if not commands:
        return Turn(talk, (say("split.kept"),))
    return Turn(talk, (), commands[0], tuple(commands[1:]))
