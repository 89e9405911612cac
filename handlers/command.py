"""Commands: the list of things people may ask for, each written down once.

A command's fields carry their question (`Ask`), so that chat, API and clock share one declaration.
`perform` is the only way in: ability, savepoint and refusal are settled here for every door.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.fields import FieldInfo

from handlers.actor import CLOCK
from handlers.refusal import NotAllowed, Refusal
from models import WrongMove

if TYPE_CHECKING:
    from handlers.work import Work

AskKind = Literal["text", "case", "place", "person", "option", "span", "period", "number", "quiet", "grid"]


@dataclass(frozen=True)
class Ask:
    """How a field is asked for in a chat.

    `kind` says how an answer is read. `among` names the source of the choices (handlers.choices).
    A field with a default is not asked unless `offered`; `quiet` fields are never asked.
    """

    kind: AskKind = "text"
    among: str | None = None
    offered: bool = False
    prose: bool = False
    """Others will read the words as they are: their signs are those that were typed."""


_BLANK = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_FILLERS = frozenset("\u034f\u115f\u1160\u2800\u3164\ufe0f\uffa0")
"""Characters that Unicode counts as letters, marks or symbols, and that show nothing by themselves."""


def trimmed(text: str) -> str:
    """Cut off spaces and whatever else cannot be seen at both ends, so that a blank text is empty."""
    shown = (at for at, sign in enumerate(text) if _shows(sign))
    first = next(shown, None)
    if first is None:
        return ""
    last = next(at for at in range(len(text) - 1, -1, -1) if _shows(text[at]))
    return text[first : last + 1]


def _shows(sign: str) -> bool:
    return sign not in _FILLERS and unicodedata.category(sign) not in _BLANK


class Command(BaseModel):
    """Base of all commands: frozen, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=4000, hide_input_in_errors=True)
    """People's words do not stand in errors, for errors stand in logs."""

    name: ClassVar[str]
    may: ClassVar[str | None] = None
    """Ability the giver's posts must include; None: anybody."""
    in_menu: ClassVar[bool] = True
    in_api: ClassVar[bool] = True
    in_group: ClassVar[bool] = False
    """May be asked and answered where others read it."""
    hides: ClassVar[bool] = False
    """Its words may bring a number that is kept sealed: whatever comes of it, the message is masked."""
    stands_alone: ClassVar[bool] = False
    """Its words are an answer to no question: said while one is open, it is done and the form is kept."""
    confirm: ClassVar[bool] = False
    """Ask once more before doing it: it cannot be taken back."""

    @field_validator("*", mode="before")
    @classmethod
    def _without_blank_edges(cls, value: Any) -> Any:
        """What shows nothing is nothing, so that a text's least length counts what can be read."""
        return trimmed(value) if isinstance(value, str) else value


class OwnCommand(Command):
    """Base of what the program itself gives: the clock, the command line, a door that has proved who asks.

    A chat may name any command there is, so whoever speaks is refused all of these alike.
    """

    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False


@dataclass(frozen=True)
class Done:
    """A command was carried out. `data` is what the API answers; `words` were told to the giver as mail."""

    data: dict[str, Any] = field(default_factory=dict)
    incident_id: int | None = None
    follow: str | None = None
    """A command about the same case whose words may follow, though nothing is lost if they never come."""
    alarm: bool = False
    """The case tells of danger to life: what the same person says next is about it."""
    filed: bool = False
    """A new case was filed: what is said next may put it right."""
    forgets: bool = False
    """Whoever spoke is nobody from now on: nothing of their talk is kept."""
    asks: tuple[str, str, dict[str, Any]] | None = None
    """The next words answer a field: (command, field, what is known). The question was told as mail."""


C = TypeVar("C", bound=Command)
Handler = Callable[["Work", Any], Done]

COMMANDS: dict[str, type[Command]] = {}
HANDLERS: dict[type[Command], Handler] = {}


def handles(kind: type[C]) -> Callable[[Callable[["Work", C], Done]], Callable[["Work", C], Done]]:
    """Enter a command and its handler into the table of what may be asked."""

    def enter(handler: Callable[["Work", C], Done]) -> Callable[["Work", C], Done]:
        if kind.name in COMMANDS:
            raise ValueError(f"two commands are called {kind.name}")
        COMMANDS[kind.name] = kind
        HANDLERS[kind] = handler
        return handler

    return enter


def perform(work: "Work", command: Command) -> Done | Refusal:
    """Carry out a command for the work's actor: the one way in for every door.

    Returns what was done, or the refusal as a value; everything the refused handler wrote is undone, while
    what the
    work wrote before stays. Bugs are not caught. What came of it is logged, without anybody's words.
    """
    outcome = _outcome(work, command)
    came = "done" if isinstance(outcome, Done) else outcome.text
    work.log.info("performed", extra={"command": command.name, "actor": work.actor.id, "outcome": came})
    return outcome


def _outcome(work: "Work", command: Command) -> Done | Refusal:
    if isinstance(command, OwnCommand) and work.actor is not CLOCK:
        return NotAllowed()
    if command.may is not None and not work.actor.may(command.may):
        return NotAllowed()
    try:
        with work.savepoint():
            return HANDLERS[type(command)](work, command)
    except Refusal as no:
        return no
    except WrongMove as no:
        return Refusal("incident.wrong_move", state=work.stage(no.state), number=no.number)


def ask_of(info: FieldInfo) -> Ask:
    """The question a field carries."""
    for mark in info.metadata:
        if isinstance(mark, Ask):
            return mark
    return Ask("text")
