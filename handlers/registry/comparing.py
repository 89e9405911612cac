"""Compares an office's lists with the registry: what each line makes, changes, leaves, or cannot say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from handbook import Book
from handbook.registry import SheetKind
from handlers.actor import CLOCK, Actor
from handlers.refusal import Refusal
from handlers.registry.areas import AreaLines
from handlers.registry.headings import Heading, find_heading
from handlers.registry.homes import HomeLines
from handlers.registry.known import Known
from handlers.registry.lines import Line, Lines
from handlers.registry.offices import OfficeLines
from handlers.registry.people import PeopleLines
from handlers.registry.report import Change, Report, SheetReport, Wrong
from handlers.registry.sizes import size_warnings
from handlers.registry.spreadsheets import Seen, Table, silent
from handlers.registry.teams import team_warnings
from handlers.registry.values import is_foot, masked, text
from handlers.work import Reading

ORDER: Sequence[SheetKind] = ("grids", "units", "people", "households")
"""What others stand on comes first, whatever the order of the files."""
_READERS: Mapping[SheetKind, Callable[[Known, Reading, bool], Lines]] = {
    "grids": AreaLines,
    "units": OfficeLines,
    "people": PeopleLines,
    "households": HomeLines,
}


@dataclass(frozen=True)
class Plan:
    """What would be written, and the report on it."""

    known: Known
    report: Report


def compare(reading: Reading, tables: Sequence[Table], seen: Seen = silent) -> Plan:
    """Compare the sheets with what is there; nothing is written.

    Args:
        reading: on behalf of whoever brings the lists; its actor's area is all they can reach.
        tables: the sheets of all files.
        seen: told of every thousandth line.

    Raises:
        Refusal: no sheet has headings that anybody knows.
    """
    headed = _headed(reading.book, tables)
    known, report = Known(reading, _reach(reading.actor)), Report()
    readers = {kind: _READERS[kind](known, reading, reading.actor is CLOCK) for kind in ORDER}
    for table, heading in headed:
        _compare_sheet(readers[heading.kind], table, heading, report, seen)
    report.warnings += size_warnings(reading, known)
    report.warnings += team_warnings(reading, known)
    return Plan(known, report)


def _reach(actor: Actor) -> Callable[[str], bool]:
    return lambda path: actor is CLOCK or actor.may_on("enrol", path)


def _headed(book: Book, tables: Sequence[Table]) -> list[tuple[Table, Heading]]:
    found = [
        (table, heading) for table in tables if (heading := find_heading(book.registry, table)) is not None
    ]
    if not found:
        raise Refusal("sheet.no_heading")
    return sorted(found, key=lambda pair: ORDER.index(pair[1].kind))


def _compare_sheet(reader: Lines, table: Table, heading: Heading, report: Report, seen: Seen) -> None:
    sheet = SheetReport(table.name, left_out=heading.unknown)
    report.sheets.append(sheet)
    lines = [
        Line(
            row.number,
            {key: text(row.cells[at]) for key, at in heading.columns.items() if at < len(row.cells)},
        )
        for row in table.rows[heading.at + 1 :]
        if not is_foot(row.cells)
    ]
    wrong: list[Wrong] = []
    for done, (line, outcome) in enumerate(reader.take(lines)):
        sheet.counts[outcome.fate] += 1
        if outcome.fate == "wrong":
            wrong.append(Wrong(table.name, line.number, masked(outcome.value), outcome.what))
        elif outcome.fate != "same":
            report.changes.append(Change(table.name, line.number, outcome.fate, outcome.what))
        if done % 1000 == 0:
            seen("compare", done, len(lines))
    report.wrong += sorted(wrong, key=lambda one: one.row)
