"""After an alarm: what its reporter says next belongs to it, unless it is plainly something else."""

import re

from bot import menu
from bot.following import follow
from bot.forms import Turn, begin
from bot.scene import Scene, command_named
from bot.talk import Alarm, Talk
from handbook.phrases import Heard
from handlers.catalogue import COMMANDS
from handlers.option import Option

_PRESSING = frozenset({"urge", "human", "unsolved"})
"""Commands whose words, said after an alarm, are a cry for whoever is on the way."""
_TAKEN_BACK = frozenset({"undo", "withdraw", "void"})
_SMALL_TALK = frozenset({"thanks", "hello", "ack", "yes", "no", "skip"})
_TOO_SHORT = 6
"""Fewer letters tell of nothing else than the alarm."""
_SHORT = 14
"""A place without anything else is short."""
_ASKS = re.compile(r"怎么(?:办|申请)|如何|能不能办|[?？]$|吗$")


def after_alarm(scene: Scene, talk: Talk, heard: Heard, text: str) -> Turn | None:
    """What words mean to the danger told of before; None where they have nothing to do with it."""
    alarm, case = talk.alarm, _standing(scene, talk)
    if alarm is None or case is None:
        return None
    if _calls_off(scene, alarm, heard, text):
        over = talk.model_copy(update={"alarm": alarm.model_copy(update={"over": True})})
        return _tell(scene, over, alarm, text, over=True)
    if _is_command(scene, heard) or text in {choice.label for choice in talk.choices}:
        return None
    return _further(scene, talk, alarm, case, text)


def _further(scene: Scene, talk: Talk, alarm: Alarm, case: Option, text: str) -> Turn | None:
    """Where it is, that it grows, or whatever else is said of it; None for another matter."""
    danger = scene.work.book.danger
    worse = danger.worse(text) is not None
    if not worse and _belongs_elsewhere(scene, talk, alarm):
        return None
    placed = _placed(scene, talk, alarm, text, alarms=danger.find(text) is not None)
    if placed is not None:
        return placed
    if _is_other_place(scene, case, text):
        return None
    if worse:
        again = talk.model_copy(update={"alarm": alarm.model_copy(update={"over": False})})
        return _tell(scene, again, alarm, text)
    if _is_other_report(scene, case, text):
        return None
    filed = talk.model_copy(update={"last_filed": alarm.case})
    return follow(scene, filed, text) or _tell(scene, talk, alarm, text)


def _standing(scene: Scene, talk: Talk) -> Option | None:
    """The case of this talk's alarm, as long as it is open and the speaker's own."""
    if talk.alarm is None:
        return None
    return next((option for option in scene.options("reported") if option.value == talk.alarm.case), None)


def _calls_off(scene: Scene, alarm: Alarm, heard: Heard, text: str) -> bool:
    """An all-clear, or 撤回 without a number; a worker who has the case says so by what was done."""
    if scene.may(command_named("finish")):
        mine = alarm.case in {option.value for option in scene.options("to_finish")}
        return not mine and scene.work.book.danger.is_over(text)
    if heard.command in _TAKEN_BACK and heard.certainty == "exact" and not heard.negated:
        return not heard.numbers and scene.work.book.danger.find(text) is None
    return scene.work.book.danger.is_over(text)


def _is_command(scene: Scene, heard: Heard) -> bool:
    """Words of a command the speaker may give; a bare 谢谢 or 好的 is answered as ever."""
    name = heard.command
    if name is None or heard.certainty != "exact" or heard.negated or name in _PRESSING:
        return False
    if name in menu.WORDS or name in _SMALL_TALK:
        return not heard.rest.strip()
    return name in COMMANDS and scene.may(COMMANDS[name])


def _belongs_elsewhere(scene: Scene, talk: Talk, alarm: Alarm) -> bool:
    """A worker's words are about work, an open question comes first, an alarm called off is past."""
    asked = talk.form is not None and not talk.form.optional
    return alarm.over or asked or scene.may(command_named("finish"))


def _placed(scene: Scene, talk: Talk, alarm: Alarm, text: str, *, alarms: bool) -> Turn | None:
    """The first place named after an alarm without one is its place, whatever else is said."""
    guess = scene.find_place(text)
    if alarm.placed or guess.best is None or not guess.sure or not scene.is_fine(guess.best):
        return None
    known = {"incident": alarm.case, "grid": guess.best, "spot": guess.detail}
    put = talk.model_copy(update={"alarm": alarm.model_copy(update={"placed": True})})
    turn = begin(scene, put.with_form(None), "relocate", known)
    if turn.command is None or (len(text) <= _SHORT and not alarms):
        return turn
    more = begin(scene, turn.talk, "tell_more", {"incident": alarm.case, "note": text}).command
    return Turn(turn.talk, turn.says, turn.command, (more,) if more is not None else ())


def _is_other_place(scene: Scene, case: Option, text: str) -> bool:
    """A clear place on another branch, with a matter of its own: another case."""
    guess = scene.find_place(text)
    if guess.best is None or not guess.sure or not scene.is_fine(guess.best):
        return False
    book, tree = scene.work.book, scene.work.tree
    if book.danger.find(text) is None and book.kinds.propose(text).category is None:
        return False
    mine = case.grid or tree.root.id
    there, here = ([node.id for node in tree.upward(grid)] for grid in (guess.best, mine))
    return there[0] not in here and here[0] not in there


def _is_other_report(scene: Scene, case: Option, text: str) -> bool:
    """Another kind of matter told at some length, or a question about something else."""
    if len(text) < _TOO_SHORT:
        return False
    proposal = scene.work.book.kinds.propose(text)
    if proposal.category is None or not proposal.sure:
        return False
    return proposal.category != case.category or _ASKS.search(text) is not None


def _tell(scene: Scene, talk: Talk, alarm: Alarm, text: str, *, over: bool = False) -> Turn:
    known = {"incident": alarm.case, "note": text, "over": over}
    return begin(scene, talk.with_form(None), "tell_more", known)
