"""The one engine of talk: a pure step from (scene, state, message) to a turn."""

import re
from datetime import timedelta

from bot import menu
from bot.afterwards import more, settled
from bot.alarms import after_alarm
from bot.always import always
from bot.choosing import choose, number
from bot.deeds import told
from bot.following import edited, follow
from bot.forms import Turn, answer, begin, skip
from bot.grouping import in_group
from bot.listed import listed
from bot.message import Choice, Inbound
from bot.questions import asked
from bot.quiet import quietly
from bot.reports import MATERIAL, file_text, is_report, located, material
from bot.scene import Scene, command_named, say
from bot.sentences import A_WORD, ASKS_AFTER, SURE, fresh, lost, obey
from bot.talk import CONFIRM, Form, Talk
from handbook.phrases import Heard
from handbook.words import plain
from handlers.catalogue import COMMANDS
from handlers.command import ask_of

_BARE = re.compile(r"^[\((]?(\d{1,9})[\))]?[、..。]?$")
_INVITED = re.compile(r"b[0-9a-f]{32}")
"""What an invitation's link carries (handlers.invitations)."""
NO_TIME, A_MINUTE = timedelta(), timedelta(minutes=1)
"""A clock that was set back begins a new minute: else it would mute the chat until it has caught up."""
MOST_A_MINUTE = 20
_SIGNS = " ,，。.!！:：、;；\n"
_SHORT = 2
"""Letters of a phrase that many a sentence begins with: 名单, 标记, 去世."""
_RESULTS = frozenset({"finish", "part_done", "self_handle"})
_MORE = re.compile(
    r"(?:我)?(?:再|还要|想)?(?:补充|补一下|补一句|补报)|(?:刚才|刚刚)(?:那|说的|报的)"
    r"|(?:里面|里头|车里|屋里|电梯里|轿厢里)(?:还)?有"
)
_DONE = re.compile(r"已|扑灭|救出|救下|灭了|灭掉|处理|排除|撤离|控制|解除|好了|完了|送医")
"""In the result of a job, danger with such a word is past."""


def step(scene: Scene, talk: Talk, inbound: Inbound, pressed: Choice | None = None) -> Turn:
    """What a message leads to. `pressed`: the choice behind a button, looked up by the door."""
    talk = _counted(talk.aged(scene.now), scene)
    if talk.in_minute > MOST_A_MINUTE and scene.work.book.danger.find(inbound.text) is None:
        return Turn(talk, (say("busy.slow_down"),) if talk.in_minute == MOST_A_MINUTE + 1 else ())
    turn = _stepped(scene, talk, inbound, pressed)
    if scene.group and not _fit_for_group(turn):
        return Turn(talk, (say("group.private"),))
    return turn if turn.talk.misheard != talk.misheard else _heard_well(turn)


def _stepped(scene: Scene, talk: Talk, inbound: Inbound, pressed: Choice | None) -> Turn:
    if inbound.pressed is not None:
        return choose(scene, talk, pressed) if pressed else Turn(talk, (say("choice.old"),))
    if inbound.edited:
        return edited(scene, talk, inbound)
    if inbound.start is not None and not inbound.text:
        return _arrived(scene, talk, inbound.start)
    text = plain(inbound.text)
    brought = in_group(scene, talk, text, inbound) or listed(scene, talk, inbound, text)
    if brought is not None:
        return brought
    if text:
        return _speak(scene, talk, text, inbound)
    if inbound.attachments or inbound.place:
        return material(scene, talk, inbound)
    return lost(scene, talk)


def _arrived(scene: Scene, talk: Talk, payload: str) -> Turn:
    """Somebody opened the chat by a link: one with an invitation in it binds their account."""
    if not _INVITED.fullmatch(payload):
        return Turn(talk, (menu.welcome(scene),))
    return begin(scene, talk, "bind", {"code": payload})


def _fit_for_group(turn: Turn) -> bool:
    """Whether others may read what a turn leads to: no lists, no cases of people, no questions about them."""
    if turn.command is not None:
        return type(turn.command).in_group
    form = turn.talk.form
    if form is None or form.asking is None or form.asking == CONFIRM:
        return form is None or form.asking is None
    kind = command_named(form.command)
    return kind.in_group and ask_of(kind.model_fields[form.asking]).kind != "case"


def _heard_well(turn: Turn) -> Turn:
    if not turn.talk.misheard:
        return turn
    return Turn(turn.talk.model_copy(update={"misheard": 0}), turn.says, turn.command, turn.more)


def _counted(talk: Talk, scene: Scene) -> Talk:
    """Count the messages of the running minute: a stuck key or a loop of bots must not drown the others."""
    new = talk.minute is None or not NO_TIME <= scene.now - talk.minute < A_MINUTE
    return talk.model_copy(
        update={
            "minute": scene.now if new else talk.minute,
            "in_minute": 1 if new else talk.in_minute + 1,
            "touched_at": scene.now,
        }
    )


def _speak(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn:
    digit = _BARE.match(text)
    if digit:
        return number(scene, talk, int(digit.group(1)), text, inbound)
    return _sentence(scene, talk, scene.work.book.phrases.hear(text), text, inbound)


def _sentence(scene: Scene, talk: Talk, heard: Heard, text: str, inbound: Inbound) -> Turn:
    """In this order: words about the talk, what is not to be done, danger, the open question, the rest."""
    form = talk.form
    sure = heard.certainty in SURE and not heard.negated
    earlier = (
        quietly(scene, talk, text)
        or after_alarm(scene, talk, heard, text)
        or settled(scene, talk, heard, text)
    )
    if earlier is not None:
        return earlier
    if sure and heard.command in menu.WORDS:
        return always(scene, talk, heard)
    if heard.negated and heard.suggestions and (len(text) <= 8 or not is_report(scene, text)):
        return _not_done(talk, heard)
    first = _before_any_question(scene, talk, text, inbound)
    if first is not None:
        return first
    if form is not None and not form.optional:
        return _answer(scene, talk, form, heard, text, inbound)
    heard = _whole(scene, heard, text)
    sure = sure and heard.command is not None and not _corrects(heard)
    followed = (None if sure else follow(scene, talk, text)) or more(scene, talk, heard, text, inbound)
    if followed is not None:
        return followed
    if form is not None and not _is_something_else(scene, form, heard, text):
        return _answer(scene, talk, form, heard, text, inbound)
    return fresh(scene, talk.with_form(None), heard, text, inbound)


def _whole(scene: Scene, heard: Heard, text: str) -> Heard:
    """A longer sentence that begins with 不是 or 对 says something else than no or yes: 不对，是6栋门口."""
    if heard.command not in ("yes", "no") or not heard.rest or len(text) <= A_WORD:
        return heard
    rest = scene.work.book.phrases.hear(heard.rest)
    return rest if rest.certainty == "exact" and not rest.negated else Heard(rest=text)


def _corrects(heard: Heard) -> bool:
    """写错了 5栋2单元 tells at once what is right."""
    return heard.command in ("amend", "relocate") and bool(heard.rest) and not heard.numbers


def _is_something_else(scene: Scene, form: Form, heard: Heard, text: str) -> bool:
    """Words that may follow a case give way to a command and to a report of another kind."""
    if form.command == "relocate":
        return True  # the place that was waited for would have been taken by now
    if heard.command is not None and heard.certainty in SURE:
        return heard.command not in ("yes", "no", "ack")
    proposal = scene.work.book.kinds.propose(text)
    return proposal.category is not None and proposal.category != form.known.get("category")


def _before_any_question(scene: Scene, talk: Talk, text: str, inbound: Inbound) -> Turn | None:
    """More about the case just filed, danger, and what became of an earlier report: no form comes before."""
    if _adds(scene, talk, text):
        return begin(scene, talk.with_form(None), "explain", {"incident": talk.last_filed, "note": text})
    if _is_alarm(scene, talk.form, text):
        return file_text(scene, talk, text, inbound)
    if ASKS_AFTER.search(text) and scene.options("reported"):
        return begin(scene, talk, "progress", {})
    return None


def _adds(scene: Scene, talk: Talk, text: str) -> bool:
    """Words that go on about what was just filed (里面还有小孩): a danger among them is that case's own.

    What has ended takes no more, and words that name a place of their own are about that place.
    """
    free = talk.form is None or talk.form.optional
    if not free or talk.last_filed is None or not _MORE.match(text):
        return False
    is_open = any(option.value == talk.last_filed for option in scene.options("seen"))
    return is_open and not scene.find_place(text).sure


def _is_alarm(scene: Scene, form: Form | None, text: str) -> bool:
    """Danger to life never waits for a form to be finished."""
    if scene.work.book.danger.find(text) is None:
        return False
    return form is None or form.command not in _RESULTS or _DONE.search(text) is None


def _not_done(talk: Talk, heard: Heard) -> Turn:
    if talk.form is not None and talk.form.command in heard.suggestions:
        return Turn(talk.with_form(None), (say("cancel.done"),))
    return Turn(talk, (say("negated.nothing_done"),))


# ---- an answer to an open question -----------------------------------------------------------------------


def _answer(scene: Scene, talk: Talk, form: Form, heard: Heard, text: str, inbound: Inbound) -> Turn:
    """The answer, unless the words are clearly a command of their own; then the form is kept for 继续."""
    assert form.asking is not None
    if heard.command == "skip" and heard.certainty == "exact":
        return skip(scene, talk, form)
    for choice in form.options:
        if choice.label and choice.label == text:
            return choose(scene, talk, choice)
    if _picks(form, heard):
        return choose(scene, talk, form.options[heard.numbers[0] - 1])
    other = _other_command(scene, talk, form, heard, text, inbound)
    if other is not None:
        return other
    kept_form = _with_media(form, inbound)
    turn = answer(scene, talk.with_form(kept_form), kept_form, text, inbound)
    if _missed(form, turn):
        turn = _aside(scene, talk, form, heard, text, inbound) or turn
    after = turn.talk.form
    if form.asking == "what" and form.command in MATERIAL and after is not None and after.asking == "grid":
        return located(scene, turn.talk, after, inbound)
    return turn


def _missed(form: Form, turn: Turn) -> bool:
    """Whether words were no answer to a question that was not for free words."""
    after = turn.talk.form or turn.talk.shelf
    if form.asking == CONFIRM or after is None or after.tries <= form.tries:
        return False
    return ask_of(command_named(form.command).model_fields[form.asking or ""]).kind != "text"


def _aside(scene: Scene, talk: Talk, form: Form, heard: Heard, text: str, inbound: Inbound) -> Turn | None:
    """Somebody speaks of something else while a list is open: that comes first; the form is kept for 继续."""
    shelved = talk.shelve(scene.now)
    turn = asked(scene, shelved, text) or told(scene, shelved, text, inbound)
    is_place = ask_of(command_named(form.command).model_fields[form.asking or ""]).kind == "place"
    if turn is None and not is_place and is_report(scene, text):
        turn = fresh(scene, shelved, heard, text, inbound)
    return None if turn is None else _with_form_kept(turn)


def _with_form_kept(turn: Turn) -> Turn:
    """What comes before the open question; that its form is kept is told unless something else is asked."""
    kept = (say("form.shelved"),) if turn.talk.form is None else ()
    return Turn(turn.talk, (*turn.says, *kept), turn.command, turn.more)


def _picks(form: Form, heard: Heard) -> bool:
    """`办结 1` under 办结哪一件 is the first of that list."""
    return (
        heard.command == form.command
        and len(heard.numbers) == 1
        and not heard.rest
        and 1 <= heard.numbers[0] <= len(form.options)
    )


def _other_command(
    scene: Scene, talk: Talk, form: Form, heard: Heard, text: str, inbound: Inbound
) -> Turn | None:
    if _stands_alone(scene, heard, text):
        return _with_form_kept(fresh(scene, talk.shelve(scene.now), heard, text, inbound))
    if _is_other_command(scene, form, heard):
        return _with_form_kept(obey(scene, talk.shelve(scene.now), heard, inbound))
    return None


def _stands_alone(scene: Scene, heard: Heard, text: str) -> bool:
    """Whether words begin with a command about residents, posts, grids or lists, which answers nothing.

    名单 独居 and 看电话张三 do; 名单上没有他 and 搬走了，不归我管 tell why.
    """
    if heard.command is None or heard.certainty != "exact" or heard.negated:
        return False
    if heard.command not in COMMANDS:
        return False
    kind = command_named(heard.command)
    if not kind.stands_alone or not scene.may(kind):
        return False
    head = text[: len(text) - len(heard.rest)] if heard.rest else text
    said = head.rstrip(_SIGNS)
    parted = said != head or not heard.rest or heard.rest[:1].isdigit() or len(said) > _SHORT
    return parted and not said.endswith("了")


def _is_other_command(scene: Scene, form: Form, heard: Heard) -> bool:
    """A sure command is obeyed where a choice, a place or a span was asked; free words may look like one."""
    if form.asking == CONFIRM or heard.command is None or heard.certainty != "exact" or heard.negated:
        return False
    if heard.command not in COMMANDS:
        return False
    asked = ask_of(command_named(form.command).model_fields[form.asking or ""]).kind
    if asked != "text":
        return True
    names_a_case = any(pointed >= 1000 for pointed in heard.numbers)
    harmless = scene.work.book.data.intents[heard.command].harmless and not heard.rest
    return names_a_case or harmless


def _with_media(form: Form, inbound: Inbound) -> Form:
    if not inbound.attachments or "media" not in command_named(form.command).model_fields:
        return form
    media = (*form.known.get("media", ()), *inbound.attachments)
    return form.model_copy(update={"known": {**form.known, "media": media}})
