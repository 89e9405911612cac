"""Lines of a list: what one says, what becomes of it, and what all kinds of list have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from handlers.registry.known import Area, Entry, Known
from handlers.registry.report import Fate
from handlers.registry.values import masked
from handlers.work import Reading


@dataclass(frozen=True)
class Line:
    """One line under the heading: column -> what is written there."""

    number: int
    cells: Mapping[str, str]

    def says(self, column: str) -> str:
        """What stands in a column; empty where there is no such column."""
        return self.cells.get(column, "")

    @property
    def is_blank(self) -> bool:
        """Whether none of the known columns says anything."""
        return not any(self.cells.values())


@dataclass(frozen=True)
class Outcome:
    """What becomes of a line. `what`: the reason of a wrong one, else whom it is about."""

    fate: Fate
    what: str = ""
    value: str = ""


class CannotUse(Exception):
    """A line cannot be used: the reason in words, and the value that is wrong."""

    def __init__(self, reason: str, value: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


class Lines(ABC):
    """Takes the lines of one kind of list into what is known."""

    def __init__(self, known: Known, reading: Reading, trusted: bool) -> None:
        """`trusted`: whoever runs the program, to whom nothing is out of reach."""
        self.known = known
        self.book = reading.book
        self.word = reading.word
        self.actor = reading.actor
        self.trusted = trusted

    def take(self, lines: Sequence[Line]) -> Iterator[tuple[Line, Outcome]]:
        """Take all lines, and say what becomes of each."""
        for line in lines:
            if not line.is_blank:
                yield line, self.tried(line)

    def tried(self, line: Line) -> Outcome:
        """Take one line; a wrong one leaves nothing behind."""
        try:
            return self.one(line)
        except CannotUse as no:
            return Outcome("wrong", no.reason, no.value)

    @abstractmethod
    def one(self, line: Line) -> Outcome:
        """Take one line. Raises CannotUse before anything is changed."""

    def place(self, words: str, column: str) -> Area:
        """The one area meant. Raises CannotUse where there is none, or more than one."""
        found = self.known.find(words)
        if not found:
            raise CannotUse(self.word("wrong.no_place", column=column, name=words), words)
        if len(found) > 1:
            example = next((f"{area.parent.name}/{area.name}" for area in found if area.parent), words)
            raise CannotUse(
                self.word("wrong.many_places", column=column, name=words, count=len(found), example=example),
                words,
            )
        return found[0]

    def heading(self, sheet: str, column: str) -> str:
        """What a column is called in our own templates."""
        names = {str(kind): spec.columns for kind, spec in self.book.registry.sheets.items()}
        return names[sheet][column][0]


def told(made: Iterable[Entry], changed: bool, what: str) -> Outcome:
    """The outcome of a line that made or changed something, or neither."""
    fate: Fate = "new" if any(True for _ in made) else "changed" if changed else "same"
    return Outcome(fate, what if fate != "same" else "")


def differences(entry: Entry, labels: Mapping[str, str]) -> str:
    """What is changed of a row: 名称 甲→乙, without phones."""
    return "，".join(
        f"{labels[name]} {masked(_shown(old))}→{masked(_shown(getattr(entry, name)))}"
        for name, old in entry.before.items()
        if name in labels
    )


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return "" if value is None else str(value)
