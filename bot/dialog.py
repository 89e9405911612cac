"""The one engine of talk: a pure step from (scene, state, message) to a turn."""

import re
from datetime import timedelta
from typing import Any

from bot import menu
from bot.forms import Turn, answer, back, begin, fill, question, skip, take
from bot.message import Choice, Inbound
from bot.reports import doubtful, file_text, is_report, material
from bot.scene import Scene, command_named, say
from bot.talk import CONFIRM, Form, Talk
from handbook.phrases import Heard
from handbook.words import plain
from handlers.catalogue import COMMANDS
from handlers.command import ask_of

_BARE = re.compile(r"^[\((]?(\d{1,9})[\))]?[、..。]?$")
_IMPATIENT = re.compile(r"怎么还|还没|没人[来管理]|什么时候|啥时候|多久|几天了")
"""Words of somebody who waits; they ask after what they reported."""
A_MINUTE = timedelta(minutes=1)
MOST_A_MINUTE = 20
LEAST_CASE = 1000
"""Case numbers begin above this, numbers of a list end below it."""
SURE = ("exact", "likely")
_ALWAYS = frozenset({"help", "menu", "cancel", "back", "resume", "undo", "human"})
_MATERIAL = frozenset({"report", "self_handle", "on_behalf"})
_IN_GROUP = frozenset({"report", "add_material", "withdraw", "undo"})
"""What may be done where others read: lists and cases of people belong in a private chat."""


def step(scene: Scene, talk: Talk, inbound: Inbound, pressed: Choice | None = None) -> Turn:
    """What a message leads to. `pressed`: the choice behind a button, looked up by the door."""
    talk = _counted(talk.aged(scene.now), scene)
    if talk.in_minute > MOST_A_MINUTE:
        return Turn(talk, (say("busy.slow_down"),) if talk.in_minute == MOST_A_MINUTE + 1 else ())
    if inbound.pressed is not None and pressed is None:
        return Turn(talk, (say("choice.old"),))
    if pressed is not None:
        return _choose(scene, talk, pressed)
    if inbound.start is not None and not inbound.text:
        return Turn(talk, (menu.welcome(scene),))
    turn = _said(scene, talk, inbound)
    if scene.group and turn.command is not None and turn.command.name not in _IN_GROUP:
        return Turn(talk, (say("group.private"),))
    return turn if turn.talk.misheard != talk.misheard else _heard_well(turn)


def _said(scene: Scene, talk: Talk, inbound: Inbound) -> Turn:
    text = plain(inbound.text)
    if text:
        return _speak(scene, talk, text, inbound)
    return material(scene, talk, inbound) if inbound.attachments or inbound.place else _lost(scene, talk)


def _heard_well(turn: Turn) -> Turn:
    if not turn.talk.misheard:
        return turn
    return Turn(turn.talk.model_copy(update={"misheard": 0}), turn.says, turn.command, turn.more)


def _counted(talk: Talk, scene: Scene) -> Talk:
    """Count the messages of the running minute: a stuck key or a loop of bots must not drown the others."""
    fresh = talk.minute is None or scene.now - talk.minute >= A_MINUTE
    return talk.model_copy(
        update={
            "minute": scene.now if fresh else talk.minute,
            "in_minute": 1 if fresh else talk.in_minute + 1,
            "touched_at": scene.now,
        }
    )


def _speak(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn:
    form = talk.form
    number = _BARE.match(text)
    if number:
        return _number(scene, talk, int(number.group(1)), text, inbound)
    heard = scene.work.book.phrases.hear(text)
    sure = heard.certainty in SURE and not heard.negated
    if sure and heard.command in _ALWAYS:
        return _always(scene, talk, heard)
    if heard.negated and heard.suggestions and (len(text) <= 8 or not is_report(scene, text)):
        return _not_done(talk, heard)
    if _is_alarm(scene, form, text):
        return file_text(scene, talk, text, inbound)
    if form is not None and form.optional and _is_something_else(scene, form, heard, text):
        return _fresh(scene, talk.with_form(None), heard, text, inbound)
    if form is not None and form.asking is not None:
        return _answer(scene, talk, form, heard, text, inbound)
    return _fresh(scene, talk, heard, text, inbound)


def _is_something_else(scene: Scene, form: Form, heard: Heard, text: str) -> bool:
    """Words that may follow a case give way to a command and to a report of another kind."""
    if heard.command is not None and heard.certainty in SURE:
        return heard.command not in ("yes", "no", "ack")
    proposal = scene.work.book.kinds.propose(text)
    return proposal.category is not None and proposal.category != form.known.get("category")


def _is_alarm(scene: Scene, form: Form | None, text: str) -> bool:
    """Danger to life never waits for a form to be finished."""
    if scene.work.book.danger.find(text) is None:
        return False
    return form is None or form.command not in ("finish", "part_done", "rework", "verify", "self_handle")


def _not_done(talk: Talk, heard: Heard) -> Turn:
    if talk.form is not None and talk.form.command in heard.suggestions:
        return Turn(talk.with_form(None), (say("cancel.done"),))
    return Turn(talk, (say("negated.nothing_done"),))


# ---- numbers and buttons ---------------------------------------------------------------------------------


def _number(scene: Scene, talk: Talk, number: int, text: str, inbound: Inbound) -> Turn:
    """A number answers the open question, else the last prompt; a long one is a case."""
    if number == 0:
        return Turn(talk.shelve(scene.now), (menu.main(scene),))
    form = talk.form
    if form is not None and form.asking is not None and not form.optional:
        return _number_for_form(scene, talk, form, number, text, inbound)
    talk = talk.with_form(None)
    if number <= len(talk.choices):
        return _choose(scene, talk, talk.choices[number - 1])
    if number >= LEAST_CASE:
        return begin(scene, talk, "show", {"incident": number})
    if talk.choices:
        return Turn(talk, (say("choice.no_such", most=len(talk.choices)),))
    return Turn(talk, (say("choice.none_open"), menu.main(scene)))


def _number_for_form(scene: Scene, talk: Talk, form: Form, number: int, text: str, inbound: Inbound) -> Turn:
    """The options of the open question, or the answer itself (3 for 三天, a case's number)."""
    if number <= len(form.options):
        return _choose(scene, talk, form.options[number - 1])
    if form.options and number < LEAST_CASE:
        return Turn(talk, (say("choice.no_such", most=len(form.options)), question(form)))
    return answer(scene, talk, form, text, inbound)


def _choose(scene: Scene, talk: Talk, choice: Choice) -> Turn:
    if choice.do is None:
        form = talk.form
        if form is None or form.asking is None:
            return Turn(talk, (say("choice.old"),))
        return take(scene, talk, form, choice.known.get("value"))
    if choice.do in menu.WORDS:
        return _always(scene, talk, Heard(command=choice.do, certainty="exact"))
    if choice.do in _MATERIAL and "what" in choice.known:
        known = {key: value for key, value in choice.known.items() if key != "what"}
        blank = Inbound(channel="", message_id="", chat="", handle="")
        return file_text(scene, talk, str(choice.known["what"]), blank, name=choice.do, **known)
    return begin(scene, talk, choice.do, dict(choice.known))


# ---- words that work in any state ------------------------------------------------------------------------


def _always(scene: Scene, talk: Talk, heard: Heard) -> Turn:
    """The words about the talk itself."""
    match heard.command:
        case "help":
            return Turn(talk, (menu.help_text(scene),))
        case "cancel":
            return _cancel(talk)
        case "back" if talk.form is not None:
            return back(scene, talk, talk.form)
        case "back" | "menu":
            return Turn(talk.shelve(scene.now), (menu.main(scene),))
        case "resume":
            return _resume(scene, talk)
        case "undo":
            return _undo(scene, talk, heard)
    return begin(scene, talk, "human", {})


def _cancel(talk: Talk) -> Turn:
    if talk.form is None and talk.shelf is None:
        return Turn(talk, (say("cancel.nothing"),))
    return Turn(talk.model_copy(update={"form": None, "shelf": None}), (say("cancel.done"),))


def _resume(scene: Scene, talk: Talk) -> Turn:
    form = talk.form or talk.shelf
    if form is None:
        return Turn(talk, (say("resume.nothing"),))
    talk = talk.model_copy(update={"form": form, "shelf": None, "shelved_at": None})
    return Turn(talk, (question(form),)) if form.asking else begin(scene, talk, form.command, form.known)


def _undo(scene: Scene, talk: Talk, heard: Heard) -> Turn:
    if talk.form is not None and not talk.form.optional and not heard.numbers:
        return Turn(talk.with_form(None), (say("cancel.done"),))
    number = _pointed(talk, heard)
    if number is not None:
        return begin(scene, talk, "withdraw", {"incident": number})
    return begin(scene, talk, "undo", {})


# ---- an answer to an open question -----------------------------------------------------------------------


def _answer(scene: Scene, talk: Talk, form: Form, heard: Heard, text: str, inbound: Inbound) -> Turn:
    """A clear harmless command (待办, 进度) is obeyed and the form kept; everything else is the answer."""
    assert form.asking is not None
    if heard.command == "skip" and heard.certainty == "exact":
        return skip(scene, talk, form)
    if heard.certainty == "exact" and heard.command is not None and not heard.rest and form.asking != CONFIRM:
        spec = scene.work.book.data.intents[heard.command]
        if spec.harmless and heard.command in COMMANDS:
            turn = begin(scene, talk.shelve(scene.now), heard.command, _known(talk, heard))
            return Turn(turn.talk, (*turn.says, say("form.shelved")), turn.command)
    kept = form
    if inbound.attachments and "media" in command_named(form.command).model_fields:
        media = (*form.known.get("media", ()), *(item.key for item in inbound.attachments))
        kept = form.model_copy(update={"known": {**form.known, "media": media}})
    for index, choice in enumerate(form.options):
        if choice.label and choice.label == text:
            return _choose(scene, talk.with_form(kept), form.options[index])
    turn = answer(scene, talk, kept, text, inbound)
    after = turn.talk.form
    if form.asking == "what" and form.command in _MATERIAL and after is not None and after.asking == "grid":
        return _located(scene, turn.talk, after, inbound)
    return turn


# ---- a fresh sentence ------------------------------------------------------------------------------------


def _fresh(scene: Scene, talk: Talk, heard: Heard, text: str, inbound: Inbound) -> Turn:
    for choice in talk.choices:
        if choice.label == text:
            return _choose(scene, talk, choice)
    if heard.command is not None and heard.certainty in SURE:
        return _obey(scene, talk, heard, inbound)
    if is_report(scene, text):
        return file_text(scene, talk, text, inbound)
    if _IMPATIENT.search(text):
        return begin(scene, talk, "urge", _known(talk, Heard(command="urge")))
    if heard.suggestions:
        return _suggest(scene, talk, heard)
    if len(text) >= 6:
        return doubtful(talk, text, inbound)
    return _lost(scene, talk)


def _obey(scene: Scene, talk: Talk, heard: Heard, inbound: Inbound) -> Turn:
    name = heard.command or ""
    if name in _SMALL_TALK:
        return _small_talk(scene, talk, name)
    if name in ("yes", "no"):
        return _yes_no(scene, talk, name)
    if name in menu.RATINGS:
        return begin(scene, talk, "rate", {**_known(talk, heard), "rating": name}, heard.rest)
    if name in ("secret", "anonymous"):
        return _quietly(scene, talk, name, heard, inbound)
    if name in _MATERIAL:
        return _report(scene, talk, name, heard, inbound)
    if name not in COMMANDS:
        return _lost(scene, talk)
    if (
        heard.certainty == "likely"
        and not scene.work.book.data.intents[name].harmless
        and not _points(talk, heard)
    ):
        return _did_you_mean(scene, talk, name, heard)
    turn = begin(scene, talk, name, _known(talk, heard), heard.rest)
    return _and_the_others(scene, talk, heard, turn)


def _and_the_others(scene: Scene, talk: Talk, heard: Heard, turn: Turn) -> Turn:
    """Several numbers before one verb mean the same for each, as far as nothing has to be asked."""
    if turn.command is None or len(heard.numbers) < 2 or "into" in type(turn.command).model_fields:
        return turn
    more = []
    for number in heard.numbers[1:]:
        known = {"incident": _case_of(talk, number)}
        other = begin(scene, talk, heard.command or "", known, heard.rest)
        if other.command is not None:
            more.append(other.command)
    return Turn(turn.talk, turn.says, turn.command, tuple(more))


_SMALL_TALK = frozenset({"thanks", "hello", "ack", "skip"})


def _small_talk(scene: Scene, talk: Talk, name: str) -> Turn:
    """收到 to a case just given is 签收; everything else is answered shortly."""
    if name == "ack":
        accepts = [choice for choice in talk.choices if choice.do == "accept"]
        if len(accepts) == 1:
            return _choose(scene, talk, accepts[0])
    return Turn(talk, (menu.welcome(scene) if name == "hello" else say(f"small.{name}"),))


def _yes_no(scene: Scene, talk: Talk, name: str) -> Turn:
    """是 and 不是 answer a prompt of two choices."""
    if len(talk.choices) == 2:
        return _choose(scene, talk, talk.choices[0 if name == "yes" else 1])
    return Turn(talk, (say("small.ack"),))


def _report(scene: Scene, talk: Talk, name: str, heard: Heard, inbound: Inbound) -> Turn:
    if not scene.may(command_named(name)):
        return Turn(talk, (say("refusal.not_allowed"),))
    rest = heard.rest
    if name == "report" and rest and not is_report(scene, rest):
        rest = plain(inbound.text)  # 投诉网格员 needs its verb to be understood
    form = fill(scene, command_named(name), Form(command=name), rest)
    if "what" not in form.known:
        return begin(scene, talk, name, dict(form.known))
    return _located(scene, talk, form, inbound)


def _located(scene: Scene, talk: Talk, form: Form, inbound: Inbound) -> Turn:
    """The words of a report are known: read the place from them before asking for it."""
    known = {key: value for key, value in form.known.items() if key != "what"}
    return file_text(
        scene, talk.with_form(None), str(form.known["what"]), inbound, name=form.command, **known
    )


def _quietly(scene: Scene, talk: Talk, name: str, heard: Heard, inbound: Inbound) -> Turn:
    if heard.rest.strip():
        return file_text(scene, talk, heard.rest.strip(), inbound, privacy=name)
    return begin(scene, talk, "report", {"privacy": name})


def _did_you_mean(scene: Scene, talk: Talk, name: str, heard: Heard) -> Turn:
    yes = Choice(label=f"是,{menu.label(scene, name)}", do=name, known=_known(talk, heard))
    no = Choice(label="不是", do="menu")
    return Turn(talk, (say("unclear.did_you_mean", yes, no, verb=menu.label(scene, name)),))


def _suggest(scene: Scene, talk: Talk, heard: Heard) -> Turn:
    found = [
        Choice(label=menu.label(scene, name), do=name, known=_known(talk, heard) if name in COMMANDS else {})
        for name in heard.suggestions
        if name in menu.WORDS or (name in COMMANDS and scene.may(COMMANDS[name]))
    ]
    return Turn(talk, (say("unclear.suggest", *found),)) if found else _lost(scene, talk)


def _lost(scene: Scene, talk: Talk) -> Turn:
    """First a hint, then the menu, then a human: never only 无法识别."""
    talk = talk.model_copy(update={"misheard": talk.misheard + 1})
    if talk.misheard == 1:
        return Turn(talk, (say("unclear.hint"),))
    if talk.misheard == 2:
        return Turn(talk, (menu.main(scene),))
    return Turn(talk, (say("unclear.human", Choice(label="找人帮忙", do="human")),))


# ---- which case is meant ---------------------------------------------------------------------------------


def _known(talk: Talk, heard: Heard) -> dict[str, Any]:
    number = _pointed(talk, heard)
    found: dict[str, Any] = {"incident": number} if number is not None else {}
    if heard.command == "merge" and len(heard.numbers) > 1:
        found["into"] = _case_of(talk, heard.numbers[1])
    name = heard.command
    if name in COMMANDS:
        fields = COMMANDS[name].model_fields
        found = {key: value for key, value in found.items() if key in fields and value is not None}
        if "incident" in fields and not found and _is_case_question(name) and _single(talk) is not None:
            found["incident"] = _single(talk)
    return found


def _is_case_question(name: str) -> bool:
    return ask_of(COMMANDS[name].model_fields["incident"]).kind == "case"


def _points(talk: Talk, heard: Heard) -> bool:
    return _pointed(talk, heard) is not None


def _pointed(talk: Talk, heard: Heard) -> int | None:
    return _case_of(talk, heard.numbers[0]) if heard.numbers else None


def _case_of(talk: Talk, number: int) -> int | None:
    """A small number points into the last list; a long one is the case's own number."""
    if number >= LEAST_CASE:
        return number
    if 1 <= number <= len(talk.choices):
        found = talk.choices[number - 1].known.get("incident")
        return int(found) if found is not None else number
    return number


def _single(talk: Talk) -> int | None:
    """The one case that all choices of the last prompt are about: 办结 said to its card means this case."""
    numbers = {choice.known.get("incident") for choice in talk.choices}
    if len(numbers) == 1:
        found = numbers.pop()
        return int(found) if found is not None else None
    return None
