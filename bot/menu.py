"""Help and menus, made from the commands this person may give, in the words of their place."""

from bot.message import Choice
from bot.scene import Say, Scene, say
from handlers.catalogue import COMMANDS

WORDS = frozenset({"help", "menu", "cancel", "back", "resume", "undo", "human", "keep"})
"""Words about the talk itself; they work in any state."""
RATINGS = ("satisfied", "basically_satisfied", "dissatisfied")

_MAIN_STAFF = ("todo", "report", "self_handle", "progress", "zero", "board", "on_behalf", "human")
_MAIN = ("report", "progress", "urge", "human", "help")


def label(scene: Scene, name: str) -> str:
    """The place's word for a command."""
    return scene.work.book.text(f"menu.{name}")


def allowed(scene: Scene) -> list[str]:
    """Every command the person may give by themselves, in the order the commands were written."""
    return [name for name, kind in COMMANDS.items() if kind.in_menu and scene.may(kind)]


def main(scene: Scene) -> Say:
    """At most six numbered things, the same order on every channel."""
    names = [
        name
        for name in (_MAIN_STAFF if scene.work.actor.is_staff else _MAIN)
        if name in WORDS or (name in COMMANDS and scene.may(COMMANDS[name]))
    ][:6]
    return say("menu.main", *(Choice(label=label(scene, name), do=name) for name in names))


def help_text(scene: Scene) -> Say:
    """Every word the person may say, with two real examples for their part."""
    names = "、".join(label(scene, name) for name in allowed(scene))
    return say("menu.help_staff" if scene.work.actor.is_staff else "menu.help_resident", names=names)


def welcome(scene: Scene) -> Say:
    """The first words: who this is, and one sentence one can say."""
    return say("menu.hello", name=scene.work.actor.name, place=scene.work.book.place.name)
