"""A fresh sentence: a command in the person's own words, a report, or something to ask back about."""

import re
from dataclasses import replace
from typing import Any

from bot import absences, menu
from bot.absences import absence
from bot.choosing import choose
from bot.deeds import told
from bot.dwelling import WORDS as OF_RESIDENTS
from bot.dwelling import dwelling
from bot.forms import Turn, begin, fill
from bot.meant import LEAST_CASE, case_of, known_of, pointed
from bot.message import Choice, Inbound
from bot.postings import posting
from bot.questions import asked
from bot.regridding import regridding
from bot.reports import MATERIAL, brought, doubtful, file_text, is_report, located
from bot.scene import Scene, command_named, say
from bot.talk import Form, Loose, Talk
from handbook.phrases import Heard
from handbook.words import plain
from handlers.catalogue import COMMANDS

_IMPATIENT = re.compile(r"怎么还|还没|没人[来管理]|什么时候|啥时候|多久|几天了")
"""Words of somebody who waits; they ask after what they reported."""
SURE = ("exact", "likely")
ASKS_AFTER = re.compile(
    r"(?:报|反映|投诉|说|提|登记)(?:过|上去)?的.{0,14}(?:怎么样|怎样|咋样|办到|到哪|了没|没有|进展|结果|有人管|吗|[?？])"
    r"|(?:查|看|问).{0,6}(?:报|反映|投诉|登记)(?:过)?的"
)
"""Words about something that was reported before; to file it once more would be deaf."""
_OF_WORKERS = absences.WORDS | OF_RESIDENTS
_SMALL_TALK = frozenset({"thanks", "hello", "ack", "skip"})
_WRONG = re.compile(r"错|不对")
"""After a report these say that something in it is wrong; the next thing is to ask what."""
A_WORD = 4
"""A yes is one short word; a longer sentence that begins like one says something else."""


def fresh(scene: Scene, talk: Talk, heard: Heard, text: str, inbound: Inbound) -> Turn:
    """A sentence that answers nothing: obeyed, filed, guessed at, or asked back about."""
    heard = _by_leave(scene, heard, text)
    said = (
        _chosen(scene, talk, text)
        or absence(scene, talk, text, heard)
        or posting(scene, talk, text, heard)
        or regridding(scene, talk, text, heard)
        or dwelling(scene, talk, text, heard)
    )
    if said is not None:
        return said
    if heard.command is not None and heard.certainty in SURE:
        return obey(scene, talk, heard, inbound)
    filed = (
        asked(scene, talk, text) or told(scene, talk, text, inbound) or _report_of(scene, talk, text, inbound)
    )
    if filed is not None:
        return filed
    if _IMPATIENT.search(text):
        return begin(scene, talk, "urge", known_of(scene, talk, Heard(command="urge")))
    if heard.suggestions:
        return _suggest(scene, talk, heard)
    if len(text) >= 6:
        return doubtful(talk, text, inbound)
    return lost(scene, talk)


def _chosen(scene: Scene, talk: Talk, text: str) -> Turn | None:
    """A choice of the last prompt may be said in its own words."""
    found = next((choice for choice in talk.choices if choice.label == text), None)
    return choose(scene, talk, found) if found is not None else None


def _by_leave(scene: Scene, heard: Heard, text: str) -> Heard:
    """Words about leave and residents are a worker's; from anybody else they belong to what is reported."""
    if heard.command in _OF_WORKERS and not scene.may(command_named(heard.command)):
        return Heard(rest=text)
    return heard


def _report_of(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    if is_report(scene, text) or _has_material(talk, inbound):
        return file_text(scene, talk, text, inbound)
    return None


def _has_material(talk: Talk, inbound: Inbound) -> bool:
    """Words beside a photo or a place are a report."""
    return bool(talk.loose.media or talk.loose.lat is not None or inbound.attachments or inbound.place)


def obey(scene: Scene, talk: Talk, heard: Heard, inbound: Inbound) -> Turn:
    """Carry out a command that was heard well enough, or ask whether it was meant."""
    heard = _by_role(scene, heard)
    name = heard.command or ""
    said = _said(scene, talk, heard, inbound)
    if said is not None:
        return said
    if name not in COMMANDS:
        return lost(scene, talk)
    if (
        heard.certainty == "likely"
        and not scene.work.book.data.intents[name].harmless
        and pointed(talk, heard) is None
    ):
        return _did_you_mean(scene, talk, name, heard)
    talk, known = _with_material(talk, inbound, name, known_of(scene, talk, heard))
    return _and_the_others(scene, talk, heard, begin(scene, talk, name, known, heard.rest))


def _said(scene: Scene, talk: Talk, heard: Heard, inbound: Inbound) -> Turn | None:
    """What is no command of its own: small talk, yes and no, a rating, a wish for silence, a report."""
    name = heard.command or ""
    if name in _SMALL_TALK:
        return _small_talk(scene, talk, name)
    if name in ("yes", "no"):
        return _yes_no(scene, talk, name, plain(inbound.text))
    if name in menu.RATINGS:
        return begin(scene, talk, "rate", {**known_of(scene, talk, heard), "rating": name}, heard.rest)
    if name in ("secret", "anonymous"):
        return _quietly(scene, talk, name, heard, inbound)
    if name in MATERIAL:
        return _report(scene, talk, name, heard, inbound)
    return told(scene, talk, plain(inbound.text), inbound) if name == "unsolved" else None


def _with_material(
    talk: Talk, inbound: Inbound, name: str, known: dict[str, Any]
) -> tuple[Talk, dict[str, Any]]:
    """What came with the words, or before them, goes into the command that takes it: 办结 and its photo."""
    fields = COMMANDS[name].model_fields
    if "media" not in fields:
        return talk, known
    found = {field: value for field, value in brought(talk, inbound).items() if field in fields}
    return talk.model_copy(update={"loose": Loose()}), {**known, **found}


def _by_role(scene: Scene, heard: Heard) -> Heard:
    """The same words mean another thing to a worker: 修好了 is 办结, and 1002到哪了 asks after a case.

    没修好 of a case that nobody has called done presses its worker.
    """
    staff = scene.work.actor.is_staff
    if heard.command == "unsolved" and not scene.options("to_reopen") and scene.options("reported"):
        return replace(heard, command="urge")
    if heard.command == "solved" and staff and not scene.options("to_confirm"):
        return replace(heard, command="finish", rest=heard.rest or "修好了")
    if heard.command == "urge" and scene.may(command_named("supervise")) and not scene.options("reported"):
        return replace(heard, command="supervise")
    if heard.command == "todo" and not scene.may(command_named("todo")):
        return replace(heard, command="board")
    if heard.command == "progress" and any(number >= LEAST_CASE for number in heard.numbers):
        return replace(heard, command="show")
    if heard.command == "progress" and scene.may(command_named("board")) and not scene.options("reported"):
        return replace(heard, command="board")
    return heard


def _and_the_others(scene: Scene, talk: Talk, heard: Heard, turn: Turn) -> Turn:
    """Several numbers before one verb mean the same for each, as far as nothing has to be asked."""
    if turn.command is None or len(heard.numbers) < 2 or "into" in type(turn.command).model_fields:
        return turn
    more = []
    for number in heard.numbers[1:]:
        known = {"incident": case_of(talk, number, heard.command or "")}
        other = begin(scene, talk, heard.command or "", known, heard.rest)
        if other.command is not None:
            more.append(other.command)
    return Turn(turn.talk, turn.says, turn.command, tuple(more))


def _small_talk(scene: Scene, talk: Talk, name: str) -> Turn:
    """收到 to a case just given is 签收; everything else is answered shortly."""
    if name == "ack":
        accepts = [choice for choice in talk.choices if choice.do == "accept"]
        if len(accepts) == 1:
            return choose(scene, talk, accepts[0])
    return Turn(talk, (menu.welcome(scene) if name == "hello" else say(f"small.{name}"),))


def _yes_no(scene: Scene, talk: Talk, name: str, text: str) -> Turn:
    """是 and 不是, said shortly, answer a prompt of two choices that was the last thing said."""
    if talk.yes_or_no and len(talk.choices) == 2 and len(text) <= A_WORD:
        return choose(scene, talk, talk.choices[0 if name == "yes" else 1])
    if name == "no" and talk.last_filed is not None and _WRONG.search(text):
        return begin(scene, talk, "amend", {"incident": talk.last_filed})
    return Turn(talk, (say("small.ack"),))


def _report(scene: Scene, talk: Talk, name: str, heard: Heard, inbound: Inbound) -> Turn:
    if not scene.may(command_named(name)):
        return Turn(talk, (say("refusal.not_allowed"),))
    rest = heard.rest
    if name == "report" and rest and not is_report(scene, rest):
        rest = plain(inbound.text)  # 投诉网格员 needs its verb to be understood
    form = fill(scene, command_named(name), Form(command=name), rest)
    if "what" not in form.known:
        talk, known = _with_material(talk, inbound, name, dict(form.known))
        return begin(scene, talk, name, known)
    return located(scene, talk, form, inbound)


def _quietly(scene: Scene, talk: Talk, name: str, heard: Heard, inbound: Inbound) -> Turn:
    if heard.rest.strip():
        return file_text(scene, talk, heard.rest.strip(), inbound, privacy=name)
    return begin(scene, talk, "report", {"privacy": name})


def _did_you_mean(scene: Scene, talk: Talk, name: str, heard: Heard) -> Turn:
    yes = Choice(label=f"是，{menu.label(scene, name)}", do=name, known=known_of(scene, talk, heard))
    no = Choice(label="不是", do="menu")
    return Turn(talk, (say("unclear.did_you_mean", yes, no, verb=menu.label(scene, name)),))


def _suggest(scene: Scene, talk: Talk, heard: Heard) -> Turn:
    found = [
        Choice(
            label=menu.label(scene, name),
            do=name,
            known=known_of(scene, talk, heard) if name in COMMANDS else {},
        )
        for name in heard.suggestions
        if name in menu.WORDS or (name in COMMANDS and scene.may(COMMANDS[name]))
    ]
    return Turn(talk, (say("unclear.suggest", *found),)) if found else lost(scene, talk)


def lost(scene: Scene, talk: Talk) -> Turn:
    """First a hint, then the menu, then a human: never only 无法识别."""
    talk = talk.model_copy(update={"misheard": talk.misheard + 1})
    if talk.misheard == 1:
        return Turn(talk, (say("unclear.hint"),))
    if talk.misheard == 2:
        return Turn(talk, (menu.main(scene),))
    return Turn(talk, (say("unclear.human", Choice(label="找人帮忙", do="human")),))
