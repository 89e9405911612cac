"""Which case is meant: by its number, by its place in the last list, or because only one can be."""

from typing import Any

from bot.scene import Scene
from bot.talk import Talk
from handbook.phrases import Heard
from handlers.catalogue import COMMANDS
from handlers.command import ask_of

LEAST_CASE = 1000
"""Case numbers begin above this, numbers of a list end below it."""
_ASKED_WHEN_SEVERAL = frozenset(
    {"arrive", "finish", "return_case", "transfer", "suspend", "unsolvable", "not_ours", "void"}
)
"""Said without a number, these are asked about where several cases could be meant."""


def known_of(scene: Scene, talk: Talk, heard: Heard) -> dict[str, Any]:
    """The fields of a heard command that its words and the last prompt already tell."""
    name = heard.command
    if name not in COMMANDS:
        return {}
    fields = COMMANDS[name].model_fields
    found: dict[str, Any] = {}
    number = pointed(talk, heard)
    if number is not None:
        found["incident"] = number
    elif not heard.numbers and "incident" in fields:
        found["incident"] = _only_one(scene, talk, name)
    if "code" in fields and heard.codes:
        found["code"] = "".join(heard.codes)
    if "number" in fields and heard.numbers:
        found["number"] = heard.numbers[0]
    if "into" in fields and len(heard.numbers) > 1:
        found["into"] = case_of(talk, heard.numbers[1], name)
    return {key: value for key, value in found.items() if key in fields and value is not None}


def pointed(talk: Talk, heard: Heard) -> int | None:
    """The case a number beside the verb points to."""
    return case_of(talk, heard.numbers[0], heard.command or "") if heard.numbers else None


def case_of(talk: Talk, number: int, name: str) -> int | None:
    """A small number points into the last list, or repeats a choice of the last prompt; a long one is a case.

    None when it points nowhere: `2 接单` under a prompt whose second choice is something else.
    """
    if number >= LEAST_CASE:
        return number
    if not 1 <= number <= len(talk.choices):
        return None
    choice = talk.choices[number - 1]
    case = choice.known.get("incident")
    return int(case) if case is not None and (choice.listed or choice.do == name) else None


def _only_one(scene: Scene, talk: Talk, name: str) -> int | None:
    """The one case that all choices of the last prompt are about: 接单 said to its card means this case."""
    ask = ask_of(COMMANDS[name].model_fields["incident"])
    cases = {choice.known.get("incident") for choice in talk.choices}
    if ask.kind != "case" or len(cases) != 1:
        return None
    case = cases.pop()
    if case is None or (name in _ASKED_WHEN_SEVERAL and len(scene.options(ask.among or "")) > 1):
        return None
    return int(case)
