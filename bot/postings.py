"""Posts in people's own words: somebody hands over to a successor, or leaves without one."""

import re

from bot.forms import Turn, begin
from bot.scene import Scene, command_named
from bot.slots import called_in
from bot.talk import Talk
from handbook.phrases import Heard

_HANDS_OVER = re.compile(r"移交|交接|接替|接手")
_LEAVES = re.compile(r"^(.{2,6}?)(?:已经?|今天)?(?:离任|离职|卸任|离岗)了?[.。!！]?$")
_OPENS = frozenset({"transfer", "hand_over", "leave_post"})


def posting(scene: Scene, talk: Talk, text: str, heard: Heard) -> Turn | None:
    """What somebody above says of the posts of people below; None where it is about anything else.

    移交 with two names is a whole table, with a number it is one case.
    """
    if scene.group or not scene.may(command_named("hand_over")):
        return None
    if heard.command is not None and heard.command not in _OPENS:
        return None
    people = called_in(scene.options("below"), text)
    if _HANDS_OVER.search(text) and len(people) == 2 and not re.search(r"\d", text):
        who, to = reversed(people) if re.search("接替|接手", text) else people
        return begin(scene, talk, "hand_over", {"who": who, "to": to})
    if _LEAVES.match(text) and len(people) == 1:
        return begin(scene, talk, "leave_post", {"who": people[0]})
    return None
