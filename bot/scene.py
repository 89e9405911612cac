"""What a step of the talk may look at: the book, the person, and lists handed in as functions."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from bot.message import Choice
from handbook.places import Guess
from handlers.catalogue import COMMANDS
from handlers.choices import options
from handlers.command import Command
from handlers.groups.finding import group_of_chat
from handlers.option import Option
from handlers.work import Work

MOST = 8
"""Areas that are offered by number, so that one more choice has a digit."""


@dataclass(frozen=True)
class Say:
    """One thing to answer: a text key, its arguments, and the choices below it."""

    text: str
    args: dict[str, Any]
    choices: tuple[Choice, ...] = ()


def say(text: str, *choices: Choice, **args: Any) -> Say:
    """Shorthand for an answer."""
    return Say(text, args, choices)


@dataclass(frozen=True)
class Scene:
    """The surroundings of one step. Nothing in it can write."""

    work: Work
    now: datetime
    group: bool = False

    @cached_property
    def group_grid(self) -> int | None:
        """The grid of the bound group one speaks in: what is said there is about it."""
        back = self.work.back
        if not self.group or back is None:
            return None
        bound = group_of_chat(self.work.session, back.channel, back.chat)
        return bound.grid_id if bound is not None else None

    def may(self, command: type[Command]) -> bool:
        """Whether the person's posts let them give a command."""
        return command.may is None or self.work.actor.may(command.may)

    def options(self, among: str) -> list[Option]:
        """What a question offers this person."""
        return options(self.work, among)

    def find_place(self, text: str) -> Guess:
        """Places named in a sentence, the sender's own grid and town first."""
        tree, actor = self.work.tree, self.work.actor
        own = [post.path for post in actor.posts]
        if self.group_grid is not None:
            own.insert(0, tree.at(self.group_grid).path)
        elif actor.home_grid_id is not None and actor.home_grid_id in tree.nodes:
            own.insert(0, tree.nodes[actor.home_grid_id].path)
        within = tuple(own)
        if own:
            first = tree.at(int(own[0].strip("/").split("/")[-1]))
            parents = list(tree.upward(first.id))[1:-1]
            within = (*own, *(node.path for node in parents))
        return tree.places.find(text, within=within)

    def is_fine(self, grid_id: int) -> bool:
        """Whether a grid is small enough to send somebody to: its branch has the first rung's keeper."""
        rules = self.work.book.incidents
        first = rules.grades[rules.grade_of["ordinary"]].ladder[0].to
        return self.work.tree.at_level(grid_id, first) is not None

    def areas(self, below: int | None = None) -> list[int]:
        """What a grid, or the whole place, is divided into: for somebody who cannot name where they are."""
        tree = self.work.tree
        found = tree.children.get(below if below is not None else tree.root.id, [])
        while below is None and len(found) == 1:
            found = tree.children.get(found[0], [])
        return found[:MOST]

    def own_grid(self) -> int | None:
        """The person's own grid when it is fine enough for a report without a place."""
        actor = self.work.actor
        grid = self.group_grid or actor.home_grid_id or (actor.posts[0].grid_id if actor.posts else None)
        return grid if grid is not None and self.is_fine(grid) else None


def command_named(name: str) -> type[Command]:
    """The command of a name that is known to exist."""
    return COMMANDS[name]
