"""An import in pieces, each a short work of its own, so that nobody's message waits for a long list.

The rows of a piece and what is kept for undoing it are written together; broken off anywhere, comparing anew
finds what is left.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from handlers.grids.spans import keep_spans
from handlers.grids.tallies import recount
from handlers.phones import digest_of_phone
from handlers.registry.applying import (
    ORDER,
    Changed,
    changes,
    give_codes,
    insert_entries,
    runs,
    touched,
    write_changes,
)
from handlers.registry.comparing import Plan
from handlers.registry.known import Area, Duty, Dweller, Entry, Home, Human, Note, Office
from handlers.work import Work
from models import Imported, Person

MOST = 500
"""Rows in one piece: some tens of milliseconds."""


class Overtaken(Exception):
    """Somebody else has changed what the piece was made for: compare anew."""


@dataclass(frozen=True)
class Piece:
    """A part of an import; `write` raises Overtaken before it changes anything."""

    version: int
    """Of the registry, when it was compared."""
    write: Callable[[Work, Imported], None]


def fingerprint(plan: Plan) -> str:
    """Differs whenever a plan would bring something else, or says something else of a line."""
    report = plan.report
    told = [
        [[sheet.sheet, sheet.counts] for sheet in report.sheets],
        [[one.sheet, one.row, one.fate, one.what] for one in report.changes],
        [[one.sheet, one.row, one.value, one.reason] for one in report.wrong],
    ]
    return sha256(dumps(told, ensure_ascii=False).encode(errors="replace")).hexdigest()


def pieces(plan: Plan, version: int) -> Iterator[Piece]:
    """All of a plan, piece by piece: new rows, those first to which others point, then the changed ones."""
    for entries in _together(_closed(plan.known.added)):
        yield Piece(version, _Adding(plan, entries))
    changed = changes(plan.known)  # only now does every new area have its number
    if changed:
        yield Piece(version, _Noting(changed))
    for start in range(0, len(changed), MOST):
        yield Piece(version, _Changing(changed[start : start + MOST]))


def _closed(added: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """New rows that must come together: somebody without a phone is known only by where they live or stand.

    Broken off between two of them nothing is lost, and nothing is made twice when it goes on.
    """
    new = {entry for entry in added if isinstance(entry, Human)}
    yield from ([entry] for entry in added if isinstance(entry, Area | Office))
    for entry in added:
        if isinstance(entry, Duty):
            yield [*_taken(new, entry.human), entry]
    families: dict[Home, list[Entry]] = {entry: [entry] for entry in added if isinstance(entry, Home)}
    for entry in added:
        if isinstance(entry, Dweller):
            assert entry.home is not None
            families.setdefault(entry.home, []).extend([*_taken(new, entry.human), entry])
    yield from families.values()
    yield from ([entry] for entry in added if entry in new)
    yield from ([entry] for entry in added if isinstance(entry, Note))


def _taken(new: set[Human], human: Human | None) -> Iterator[Human]:
    """The person, if they are new and came with nothing before."""
    if human is not None and human in new:
        new.discard(human)
        yield human


def _together(closed: Iterable[Sequence[Entry]]) -> Iterator[list[Entry]]:
    piece: list[Entry] = []
    for entries in closed:
        piece += entries
        if len(piece) >= MOST:
            yield piece
            piece = []
    if piece:
        yield piece


@dataclass(frozen=True)
class _Adding:
    plan: Plan
    entries: Sequence[Entry]

    def __call__(self, work: Work, imported: Imported) -> None:
        by_kind: dict[type[Entry], list[Any]] = {kind: [] for kind in ORDER}
        for entry in self.entries:
            by_kind[type(entry)].append(entry)
        _must_be_new(work, by_kind[Human])
        give_codes(work.session, self.plan.known, by_kind[Area])
        made = dict(imported.made)
        for kind, entries in by_kind.items():
            if entries:
                name = kind.table.name
                made[name] = _longer(made.get(name, []), runs(insert_entries(work, kind, entries)))
        imported.made = made
        if by_kind[Area]:
            keep_spans(work.session, work.now)
        recount(work.session, work.now, touched(by_kind))


@dataclass(frozen=True)
class _Noting:
    """What is changed is noted as a whole before any of it is."""

    changed: Changed

    def __call__(self, work: Work, imported: Imported) -> None:
        known = {(change["table"], change["id"]) for change in imported.changed}
        new = [change for change in self.changed if (change["table"], change["id"]) not in known]
        imported.changed = [*imported.changed, *new]


@dataclass(frozen=True)
class _Changing:
    changed: Changed

    def __call__(self, work: Work, imported: Imported) -> None:
        write_changes(work.session, self.changed, "after")
        if any(change["table"] == Area.table.name for change in self.changed):
            keep_spans(work.session, work.now)


def _longer(before: list[list[int]], new: list[list[int]]) -> list[list[int]]:
    """Runs of ids with further ones behind them; two that touch are one."""
    if before and new and before[-1][1] + 1 == new[0][0]:
        return [*before[:-1], [before[-1][0], new[0][1]], *new[1:]]
    return [*before, *new]


def _must_be_new(work: Work, people: Sequence[Human]) -> None:
    """Nobody has entered one of them meanwhile, as a worker does who files for a resident."""
    wanted = {(digest_of_phone(human.phone), human.name) for human in people if human.phone}
    query = select(col(Person.phone_digest), col(Person.name)).where(
        col(Person.phone_digest).in_({phone for phone, _ in wanted})
    )
    if wanted and any((row.phone_digest, row.name) in wanted for row in work.session.execute(query)):
        raise Overtaken
