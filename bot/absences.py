"""Leave in people's own words: who is away, from when to when, and who acts meanwhile."""

import re
from typing import Any

from bot.forms import Turn, begin
from bot.scene import Scene, command_named
from bot.slots import Read, lead_off, named, read
from bot.talk import Talk
from handbook.periods import Spoken, spoken_period
from handbook.phrases import Heard
from handbook.words import plain
from handlers.command import Ask
from handlers.leaves import leaves_of, office
from handlers.option import Option
from handlers.standing import UPWARD, deputies_of

WORDS = frozenset({"take_leave", "end_leave"})
"""Commands of workers: anybody else who says such words reports something."""
_GOES = re.compile(r"请(?:个|了)?([^请假,，。]{0,6}?)[事病年婚产]?假|休[年婚产]?假|续假|[调轮]休")
_RETURNS = re.compile(r"销假")
_NO_ORDER = re.compile(r"[没不别谁吗?？]|假的|假条|怎么")
_NOBODY = re.compile(r"(?:没人|不用人?|不指定|(?:上一?级|领导)来?)代(?:班|办|替|理)?")
_FILLER = re.compile(r"[我要想从由让请代替班办理先就吧啦了的起开始,，。、\s]|登?记|因(?:事|病)")


def absence(scene: Scene, talk: Talk, text: str, heard: Heard) -> Turn | None:
    """What a worker says of leave, their own or that of somebody below; None where it is about other things.

    Where the sentence does not open with such a command every word must have its place in it, for a report
    may also mention that somebody is on leave.
    """
    if scene.group or not scene.may(command_named("take_leave")):
        return None
    sure = heard.command in WORDS
    if not sure and (heard.command is not None or _NO_ORDER.search(text)):
        return None
    found = _RETURNS.search(text)
    if heard.command == "end_leave" or (found and not sure):
        return _returns(scene, talk, text[: found.start()] if found else "", sure=sure)
    found = _GOES.search(text)
    return _goes(scene, talk, text, found, sure=sure) if found else None


def _returns(scene: Scene, talk: Talk, before: str, *, sure: bool) -> Turn | None:
    who, rest = _who(scene, before)
    if not sure and _FILLER.sub("", rest):
        return None
    return begin(scene, talk, "end_leave", {} if who is None else {"who": who})


def _goes(scene: Scene, talk: Talk, text: str, verb: re.Match[str], *, sure: bool) -> Turn | None:
    who, before = _who(scene, text[: verb.start()])
    if not sure and _names_another(scene, before):
        return None
    words = f"{before} {verb[1] or ''} {text[verb.end() :]}".strip()
    known: dict[str, Any] = {} if who is None else {"who": who}
    days = _days(scene, who, words, longer="续" in verb[0])
    if days is not None:
        known["days"], words = str(days.period), days.rest
    words = _deputy(scene, who, words, known)
    if not sure and (_FILLER.sub("", words) or "days" not in known):
        return None
    return begin(scene, talk, "take_leave", known)


def _days(scene: Scene, who: int | None, words: str, *, longer: bool) -> Spoken | None:
    """From when to when; what makes a leave longer begins where that ends."""
    work, now = scene.work, scene.now
    running = leaves_of(work, who or work.actor.id or 0) if longer else []
    start = running[0].until if running and running[0].since <= now else now
    return spoken_period(plain(words), start, office(work), work.book.zone)


def _who(scene: Scene, before: str) -> tuple[int | None, str]:
    """Somebody below whom the words before the verb name, and the rest of them."""
    if not _FILLER.sub("", before):
        return None, before
    got = named(_called(scene.options("below"), before), before, "slot.person")
    return (int(got.value), got.rest) if isinstance(got, Read) else (None, before)


def _names_another(scene: Scene, before: str) -> bool:
    """Whether words before the verb name neither a day, nor somebody below, nor who acts meanwhile."""
    days = read(scene, Ask("period"), before, None)
    rest = days.rest if isinstance(days, Read) else before
    return bool(_FILLER.sub("", rest)) and "代" not in rest


def _called(options: list[Option], words: str) -> list[Option]:
    """People whose name, or whose surname with 小 or 队, stands in the words: nobody is guessed at here."""
    return [option for option in options if option.called[:1] in words]


def _deputy(scene: Scene, who: int | None, words: str, known: dict[str, Any]) -> str:
    """Puts who acts meanwhile into `known`. Returns the words that are left.

    Who speaks for somebody else is not asked: where nobody is named it is the level above, mostly themselves.
    """
    person = who or scene.work.actor.id or 0
    nobody = _NOBODY.search(words)
    options = _called(deputies_of(scene.work, person), words)
    got = named(options, words, "slot.person") if lead_off(words) and not nobody else None
    if nobody is not None:
        known["deputy"] = UPWARD
        return _NOBODY.sub("", words)
    if isinstance(got, Read):
        known["deputy"] = got.value
        return got.rest
    if who is not None or any(leave.deputy_id for leave in leaves_of(scene.work, person)):
        known["deputy"] = None
    return words
