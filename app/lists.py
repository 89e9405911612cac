"""The office's own lists at the command line: brought in, taken back, written out."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from app.alone import alone
from app.fitting import must_fit
from app.registry import CannotDo, told
from app.sealing import must_open, read_keys
from app.settings import Settings
from handbook import open_book
from handlers.actor import CLOCK
from handlers.audit import CONSOLE
from handlers.command import Command, Done, perform
from handlers.importing import ImportLists, Lists, UndoImport, read_lists
from handlers.refusal import Refusal
from handlers.registry.divisions import divisions
from handlers.registry.exporting import Sheets, everything, template
from handlers.registry.spreadsheets import Line, Seen, Table, write_csv, write_excel
from handlers.work import Desk
from models.database import migrate, open_database
from scheduler.clock import SystemClock

_WIDTH: Final = 30
_SHOWN: Final = 20
"""Lines of each kind that are shown; the rest go to a file, if one is named."""
_DOING: Final = {"read": "读表", "compare": "比对", "write": "写入"}


class Bar:
    """A bar on standard error that tells how far a long file is; silent where nobody looks."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = ""

    def __call__(self, what: str, done: int, of: int) -> None:
        """Tell of progress: what is being done, how many of how many (0: not known)."""
        if not self._shown:
            return
        full = _WIDTH * done // of if of else 0
        bar = f"[{'#' * full}{'.' * (_WIDTH - full)}] " if of else ""
        line = f"{_DOING[what]} {bar}{done:,}{f'/{of:,}' if of else ''}"
        sys.stderr.write(f"\r{line:<70}")
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write(f"\r{'':<70}\r")


def read_files(settings: Settings, files: Sequence[Path], area: str | None, seen: Seen) -> Lists:
    """Read what is named on the command line.

    Raises:
        CannotDo: a file that is no list, or a county whose names are not there.
    """
    book = open_book(settings.place)
    try:
        lists = read_lists([(file.name, file.read_bytes()) for file in files], seen)
        skeleton: list[Table] = [divisions(book, area)] if area else []
    except Refusal as no:
        raise CannotDo(told(book, no)) from no
    name = "、".join([*([area] if area else []), *([lists.name] if lists.name else [])])
    return Lists(name, lists.digest, [*skeleton, *lists.tables], seen)


def bring_in(settings: Settings, lists: Lists, *, dry_run: bool) -> dict[str, Any]:
    """Bring in lists, or only tell what would come of it. Returns the report; raises CannotDo."""
    return _give(settings, ImportLists(lists=lists, dry_run=dry_run))


def take_back(settings: Settings, number: int) -> dict[str, Any]:
    """Undo an import. Returns its counts; raises CannotDo, which says what stands in the way."""
    return _give(settings, UndoImport(number=number))


def _give(settings: Settings, command: Command) -> dict[str, Any]:
    with alone(settings.database_url), desk_of(settings) as desk, desk.work(channel=CONSOLE) as work:
        outcome = perform(work, command)
    if isinstance(outcome, Refusal):
        raise CannotDo(told(desk.book, outcome))
    assert isinstance(outcome, Done)
    return outcome.data


@contextmanager
def desk_of(settings: Settings) -> Iterator[Desk]:
    """Open the database for one piece of work at the command line."""
    keys = read_keys(settings)
    migrate(settings.database_url)
    database = open_database(settings.database_url, keys=keys)
    book, clock = open_book(settings.place), SystemClock()
    try:
        must_open(database, keys)
        must_fit(database, book, clock.now())
        yield Desk(database, book, clock.now)
    finally:
        database.close()


# ---- writing files -----------------------------------------------------------------------------------------


def write_template(settings: Settings, file: Path) -> None:
    """Write empty sheets with our headings."""
    _write(file, template(open_book(settings.place)))


def write_everything(settings: Settings, file: Path) -> None:
    """Write all that the place owns, so that it could be brought in again; works while the program runs."""
    with desk_of(settings) as desk, desk.reading(CLOCK) as reading:
        _write(file, everything(reading))


def _write(file: Path, sheets: Sheets) -> None:
    if file.suffix.lower() == ".csv":
        for title, lines in sheets:
            file.with_name(f"{file.stem}-{title}.csv").write_bytes(write_csv(lines))
        return
    file.write_bytes(write_excel(sheets))


# ---- what is said ------------------------------------------------------------------------------------------


def summary(report: dict[str, Any]) -> Iterator[str]:
    """What would come of the files, in lines for a terminal."""
    for sheet in report["sheets"]:
        yield f"{sheet['sheet']}：{_counted(sheet['counts'])}"
        if sheet["left_out"]:
            yield f"  不认识的列，没有用：{'、'.join(sheet['left_out'])}"
    yield from _some([f"  ~ {line['sheet']} 第 {line['row']} 行 {line['what']}" for line in report["changes"]
                      if line["fate"] == "changed"])  # fmt: skip
    yield from _some([f"  ! {_wrong_line(line)}" for line in report["wrong"]])
    yield from _some([f"  ? {line}" for line in report["warnings"]])


def _counted(counts: dict[str, int]) -> str:
    return f"新增 {counts['new']}，改动 {counts['changed']}，不变 {counts['same']}，有误 {counts['wrong']}"


def _wrong_line(line: dict[str, Any]) -> str:
    return f"{line['sheet']} 第 {line['row']} 行：{line['reason']}"


def _some(lines: list[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"  …… 另有 {len(lines) - _SHOWN} 条"


def write_wrong(report: dict[str, Any], file: Path) -> None:
    """Write every wrong line with its reason, as CSV."""
    lines: list[Line] = [["表", "行", "内容", "原因"]]
    lines += [[line["sheet"], str(line["row"]), line["value"], line["reason"]] for line in report["wrong"]]
    file.write_bytes(write_csv(lines))
