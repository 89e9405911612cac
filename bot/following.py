"""Words that follow a report: the place after an alarm, a correction, the all-clear."""

import re

from bot.forms import Turn, begin
from bot.message import Inbound
from bot.scene import Scene, say
from bot.slots import place_choices
from bot.spoken import corrected
from bot.talk import Form, Talk
from handbook.places import Guess
from handbook.words import plain

_CORRECTS = re.compile(r"不对|不是|说错|写错|搞错|弄错|报错|打错|应该是|改成|更正|记错")
_SHORT = 14
"""A place without anything else is short."""


def follow(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """What words mean to the case that was just filed; None when they have nothing to do with it."""
    case = talk.last_filed
    if case is None:
        return None
    if scene.work.book.danger.is_over(text):
        return begin(scene, talk.with_form(None), "explain", {"incident": case, "note": text})
    if scene.work.book.danger.find(text) is not None:
        return None
    return _corrected(scene, talk, case, text)


def _corrected(scene: Scene, talk: Talk, case: int, text: str) -> Turn | None:
    """A place puts the place right, a kind the kind; only after a word of correction where it says more."""
    said = corrected(text)
    corrects = said is not None or _CORRECTS.search(text) is not None
    right = said.right if said is not None else text
    waits = talk.form is not None and talk.form.command == "relocate"
    kind = scene.work.book.kinds.propose(right)
    if not corrects and not waits and (len(text) > _SHORT or kind.category is not None):
        return None
    guess = scene.find_place(right)
    if said is not None and said.wrong and _same_place(scene, guess, said.wrong):
        return _told(scene, talk, case, text)
    if guess.best is not None and (guess.sure or (waits and len(guess.candidates) == 1)):
        fields = {"incident": case, "grid": guess.best, "spot": guess.detail}
        return begin(scene, talk.with_form(None), "relocate", fields)
    if (waits or said is not None) and guess.candidates:
        return _which(scene, talk, case, [candidate.id for candidate in guess.candidates])
    if corrects and kind.category is not None and kind.sure:
        fields = {"incident": case, "category": kind.category}
        return begin(scene, talk.with_form(None), "recategorise", fields)
    return _told(scene, talk, case, text) if said is not None else None


def _same_place(scene: Scene, right: Guess, wrong: str) -> bool:
    """Whether what is right would be sent to where it is said not to be: then only its words tell it."""
    negated = scene.find_place(wrong)
    return right.best is not None and right.best == negated.best


def _told(scene: Scene, talk: Talk, case: int, text: str) -> Turn:
    """A correction that names neither place nor kind goes to the case in its own words."""
    return begin(scene, talk.with_form(None), "explain", {"incident": case, "note": text})


def _which(scene: Scene, talk: Talk, case: int, grids: list[int]) -> Turn:
    """Several places could be meant after an alarm: ask, and go on listening for the all-clear."""
    options = place_choices(scene, grids[:6])
    form = Form(command="relocate", known={"incident": case}, asking="grid", options=options, optional=True)
    return Turn(talk.with_form(form), (say("slot.place_which", *options),))


def edited(scene: Scene, talk: Talk, inbound: Inbound) -> Turn:
    """An edited message corrects the report it was; it never files a second one."""
    text = plain(inbound.text)
    if talk.last_filed is None or not text:
        return Turn(talk, (say("edited.how"),))
    return begin(scene, talk, "reword", {"incident": talk.last_filed, "what": text})
