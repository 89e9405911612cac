"""Words about the talk itself, which work in any state: help, menu, cancel, back, resume, undo, a human.

keep is never typed: it is the no of a choice.
"""

from bot import menu
from bot.forms import Turn, back, begin, question
from bot.meant import pointed
from bot.message import Choice
from bot.scene import Scene, say
from bot.talk import Talk
from handbook.phrases import Heard


def always(scene: Scene, talk: Talk, heard: Heard) -> Turn:
    """Obey one of the words of `menu.WORDS`."""
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
        case "keep":
            return Turn(talk.with_form(None), (say("choice.kept"),))
        case "undo":
            return _undo(scene, talk, heard)
    return begin(scene, talk, "human", {})


def _cancel(talk: Talk) -> Turn:
    """Ends the form; without one, what was just filed is offered for taking back."""
    if talk.form is not None and not talk.form.optional:
        return Turn(talk.model_copy(update={"form": None}), (say("cancel.done"),))
    if talk.last_filed is not None:
        yes = Choice(label="撤回", do="withdraw", known={"incident": talk.last_filed})
        no = Choice(label="不撤回", do="show", known={"incident": talk.last_filed})
        return Turn(talk.with_form(None), (say("cancel.filed", yes, no, number=str(talk.last_filed)),))
    if talk.shelf is not None:
        return Turn(talk.model_copy(update={"shelf": None}), (say("cancel.done"),))
    return Turn(talk.with_form(None), (say("cancel.nothing"),))


def _resume(scene: Scene, talk: Talk) -> Turn:
    form = talk.form if talk.form is not None and not talk.form.optional else talk.shelf
    if form is None:
        return Turn(talk, (say("resume.nothing"),))
    talk = talk.model_copy(update={"form": form, "shelf": None, "shelved_at": None})
    return Turn(talk, (question(form),)) if form.asking else begin(scene, talk, form.command, form.known)


def _undo(scene: Scene, talk: Talk, heard: Heard) -> Turn:
    if talk.form is not None and not talk.form.optional and not heard.numbers:
        return Turn(talk.with_form(None), (say("cancel.done"),))
    number = pointed(talk, heard)
    if number is not None:
        return begin(scene, talk, "withdraw", {"incident": number})
    return begin(scene, talk, "undo", {})
