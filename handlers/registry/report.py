"""What a list would bring: counts, every wrong line with its reason, and what would be other than it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Fate = Literal["new", "changed", "same", "wrong"]
FATES: Final[tuple[Fate, ...]] = ("new", "changed", "same", "wrong")
SHOWN: Final = 2000
"""Lines of each kind that a report keeps for whoever cannot page."""


@dataclass(frozen=True)
class Wrong:
    """A line that cannot be brought in, and why; `value` has no phone in it."""

    sheet: str
    row: int
    value: str
    reason: str


@dataclass(frozen=True)
class Change:
    """A line that makes or changes something."""

    sheet: str
    row: int
    fate: Fate
    what: str
    """Whom or what it is about, and from what to what."""


@dataclass
class SheetReport:
    """What became of one sheet."""

    sheet: str
    counts: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    left_out: tuple[str, ...] = ()
    """Headings nobody knows."""


@dataclass
class Report:
    """What became of all sheets."""

    sheets: list[SheetReport] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def total(self) -> Mapping[Fate, int]:
        """The counts of all sheets together."""
        return {fate: sum(sheet.counts[fate] for sheet in self.sheets) for fate in FATES}

    @property
    def brings_something(self) -> bool:
        """Whether anything would be other than it is."""
        return bool(self.total["new"] + self.total["changed"])

    def data(self) -> dict[str, Any]:
        """The report as JSON has it; long lists are cut, and the counts tell how long they were."""
        return {
            "counts": dict(self.total),
            "sheets": [asdict(sheet) for sheet in self.sheets],
            "wrong": [asdict(line) for line in self.wrong[:SHOWN]],
            "changes": [asdict(line) for line in self.changes[:SHOWN]],
            "warnings": self.warnings[:SHOWN],
        }
