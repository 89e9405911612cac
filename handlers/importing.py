"""Importing: an office's own lists come in as one work that is recorded and can be undone as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from pydantic import Field, InstanceOf
from sqlalchemy import Table as Rows
from sqlalchemy import insert, select
from sqlmodel import col

from handlers.actor import CLOCK
from handlers.audit import note
from handlers.command import Command, Done, handles
from handlers.grids.spans import keep_spans
from handlers.grids.tallies import recount
from handlers.refusal import NotAllowed, NotFound, Refusal
from handlers.registry.applying import new_ids, write
from handlers.registry.comparing import compare
from handlers.registry.spreadsheets import Seen, Table, read, silent
from handlers.registry.undoing import obstacles, take_back
from handlers.residents.keeping import import_expired
from handlers.tree import registry_changed
from handlers.work import Reading, Work
from models import Deed, GivenList, Imported, ListState, RegistryVersion, Subject

ENROL = "enrol"
_KINDS = {
    "grid": "rows.grid",
    "person": "rows.person",
    "unit": "rows.unit",
    "post": "rows.post",
    "household": "rows.household",
    "member": "rows.member",
    "incident": "rows.incident",
    "account": "rows.account",
    "token": "rows.token",
    "outbox": "rows.outbox",
    "detail": "rows.detail",
}
_IMPORTS: Rows = Imported.__table__  # type: ignore[attr-defined]
_VERSION: Rows = RegistryVersion.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Lists:
    """Files that were read: their sheets, what they are called, and a fingerprint of what was in them."""

    name: str
    digest: str
    tables: Sequence[Table]
    seen: Seen = silent


def read_lists(files: Sequence[tuple[str, bytes]], seen: Seen = silent) -> Lists:
    """Read files, by name and bytes, before any work is begun. Raises Refusal for what is no list."""
    digest = sha256()
    for _, data in files:
        digest.update(sha256(data).digest())
    tables = [table for name, data in files for table in read(name, data, seen)]
    return Lists("、".join(name for name, _ in files)[:200], digest.hexdigest(), tables, seen)


class _ByDoors(Command):
    """What needs a file, or is given by a route of its own."""

    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False


class ImportLists(_ByDoors):
    """Bring in lists of grids, people and households; `dry_run` only tells what would come of it."""

    name: ClassVar[str] = "import_lists"
    lists: InstanceOf[Lists]
    dry_run: bool = False


class UndoImport(_ByDoors):
    """Take an import back, exactly and as a whole."""

    name: ClassVar[str] = "undo_import"
    number: int = Field(ge=1)


class NoteExport(_ByDoors):
    """All lists of somebody's area leave the house; given by the door they leave by."""

    name: ClassVar[str] = "note_export"


@handles(NoteExport)
def note_export(work: Work, command: NoteExport) -> Done:
    """Before the first byte goes."""
    must_enrol(work)
    note(work, Deed.EXPORT, Subject.REGISTRY)
    return Done()


@handles(ImportLists)
def import_lists(work: Work, command: ImportLists) -> Done:
    """Wrong lines are left out and told; nothing is written where all is there already."""
    must_enrol(work)
    if not command.dry_run:
        _one_at_a_time(work)
    plan = compare(work, command.lists.tables, command.lists.seen)
    report = {**plan.report.data(), "number": None}
    if command.dry_run or not plan.report.brings_something:
        return Done(report)
    made, changed = write(work, plan.known, command.lists.seen)
    (number,) = new_ids(work.session, _IMPORTS, 1)
    row = {
        "id": number,
        "file": command.lists.name,
        "digest": command.lists.digest,
        "by_id": work.actor.id,
        "at": work.now,
        "counts": dict(plan.report.total),
        "made": made,
        "changed": changed,
    }
    work.session.execute(insert(_IMPORTS), [row])
    note(work, Deed.IMPORT, Subject.IMPORT, number)
    registry_changed(work.session)
    return Done({**report, "number": number})


@handles(UndoImport)
def undo_import(work: Work, command: UndoImport) -> Done:
    """Nothing else may stand on what was made, and nothing may have changed it since."""
    must_enrol(work)
    _one_at_a_time(work)
    imported = work.session.get(Imported, command.number)
    if imported is None or (work.actor is not CLOCK and imported.by_id != work.actor.id):
        raise NotFound("import.not_found", number=command.number)
    if imported.undone_at is not None:
        raise Refusal("import.undone_already", number=command.number, at=imported.undone_at)
    if import_expired(work, command.number):
        raise Refusal("import.too_old", number=command.number)
    being = (col(GivenList.imported_id) == command.number, col(GivenList.state) == ListState.TO_WRITE)
    if work.session.execute(select(col(GivenList.id)).where(*being)).first() is not None:
        raise Refusal("import.being_written", number=command.number)
    found = [_obstacle(work, name, count) for name, count in obstacles(work.session, imported)]
    if found:
        raise Refusal("import.in_the_way", number=command.number, what="、".join(found))
    take_back(work.session, imported)
    keep_spans(work.session, work.now)
    recount(work.session, work.now)
    imported.undone_at = work.now
    work.session.add(imported)
    work.session.flush()
    note(work, Deed.UNDO_IMPORT, Subject.IMPORT, command.number)
    registry_changed(work.session)
    return Done({"number": command.number, "counts": imported.counts})


def _one_at_a_time(work: Work) -> None:
    """On PostgreSQL two imports wait for each other here; SQLite has one writer anyway."""
    work.session.execute(select(_VERSION.c.number).with_for_update())


def _obstacle(work: Work, name: str, count: int) -> str:
    if name == "imported":
        return work.word("import.later", number=count)
    return work.word("import.obstacle", what=work.word(_KINDS.get(name, "rows.other")), count=count)


def must_enrol(reading: Reading) -> None:
    """Refuse whoever may not bring in or take out lists; whoever runs the program may."""
    if reading.actor is not CLOCK and not reading.actor.may(ENROL):
        raise NotAllowed()
