"""Numbers and buttons: what a digit means now, and what a choice does."""

from bot import menu
from bot.always import always
from bot.facts import SPLIT, separate
from bot.forms import Turn, answer, begin, question, take
from bot.meant import LEAST_CASE
from bot.message import Choice, Inbound
from bot.reports import MATERIAL, file_text
from bot.scene import Scene, say
from bot.talk import Form, Talk
from handbook.phrases import Heard

_DIGITS = 4
"""Digits of a number that is no choice of a list."""


def number(scene: Scene, talk: Talk, digit: int, text: str, inbound: Inbound) -> Turn:
    """A number answers the open question, else the last prompt; a long one is a case."""
    form = talk.form
    way_out = next((choice for choice in talk.choices if choice.zero), None)
    if digit == 0 and way_out is not None and (form is None or form.asking is None or form.optional):
        return choose(scene, talk.with_form(None), way_out)
    if digit == 0 and not (_is_text_asked(form) and len(text) >= _DIGITS):
        return Turn(talk.shelve(scene.now), (menu.main(scene),))
    if form is not None and form.asking is not None and (form.options or not form.optional):
        return _number_for_form(scene, talk, form, digit, text, inbound)
    talk = talk.with_form(None)
    if digit <= len(talk.choices):
        return choose(scene, talk, talk.choices[digit - 1])
    if digit >= LEAST_CASE:
        return begin(scene, talk, "show", {"incident": digit})
    if talk.choices:
        return Turn(talk, (say("choice.no_such", most=len(talk.choices)),))
    if talk.has_lapsed:
        return Turn(talk, (say("choice.old"),))
    return Turn(talk, (say("choice.none_open"), menu.main(scene)))


def _number_for_form(scene: Scene, talk: Talk, form: Form, digit: int, text: str, inbound: Inbound) -> Turn:
    """The options of the open question, or the answer itself (3 for 三天, a case's number)."""
    if 1 <= digit <= len(form.options):
        return choose(scene, talk, form.options[digit - 1])
    if form.options and digit < LEAST_CASE:
        return Turn(talk, (say("choice.no_such", most=len(form.options)), question(form)))
    return answer(scene, talk, form, text, inbound)


def _is_text_asked(form: Form | None) -> bool:
    """Whether digits may be the words that were asked for: a phone that ends with 0000 is no menu."""
    return form is not None and form.asking is not None and not form.options and not form.optional


def choose(scene: Scene, talk: Talk, choice: Choice) -> Turn:
    """Do what a choice stands for: the answer to the open question, a word about the talk, or a command."""
    if choice.do is None:
        form = talk.form
        if form is None or form.asking is None:
            return Turn(talk, (say("choice.old"),))
        return take(scene, talk, form, choice.known.get("value"))
    if choice.do == SPLIT:
        return separate(scene, talk, choice)
    if choice.do in menu.WORDS:
        return always(scene, talk, Heard(command=choice.do, certainty="exact"))
    if choice.do in MATERIAL and "what" in choice.known:
        known = {key: value for key, value in choice.known.items() if key != "what"}
        blank = Inbound(channel="", message_id="", chat="", handle="")
        return file_text(scene, talk, str(choice.known["what"]), blank, name=choice.do, **known)
    return begin(scene, talk, choice.do, dict(choice.known))
