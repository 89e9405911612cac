"""Undoing an import: exactly what it made and changed, as long as nothing stands on it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, not_, or_, select
from sqlmodel import SQLModel

from handlers.grids.spans import GRIDS, SPANS
from handlers.registry.applying import ORDER, write_changes
from handlers.writing import Writing
from models import Grid, Household, Imported

MOST_RUNS = 100
"""Runs of ids in one condition."""
_TABLES: dict[str, Table] = {kind.table.name: kind.table for kind in ORDER}
_BESIDE = tuple(SQLModel.metadata.tables[name] for name in ("grid_span", "grid_tally", "grid_boundary"))
"""What is kept of a grid beside its row, and goes with it."""
_HOMES: Table = Household.__table__  # type: ignore[attr-defined]
_IMPORTS: Table = Imported.__table__  # type: ignore[attr-defined]


def obstacles(session: Writing, imported: Imported) -> Iterator[tuple[str, int]]:
    """What stands in the way: kinds of rows that point to what was made, or that were changed since.

    Yields:
        a table's name and how many of its rows; `imported` with the number of a later import.
    """
    later = _later_import(session, imported)
    if later is not None:
        yield "imported", later
    found: dict[str, int] = {}
    for name, runs in imported.made.items():
        for table, column in _pointers(_TABLES[name]):
            count = _pointing(session, table, column, runs, imported.made.get(table.name, []))
            found[table.name] = found.get(table.name, 0) + count
    for table, changed in ((GRIDS, _altered()), (_HOMES, _elsewhere(imported))):
        runs = imported.made.get(table.name, [])
        found[table.name] = found.get(table.name, 0) + _count(session, table, table.c.id, runs, changed)
    for change in imported.changed:
        if not _still(session, change):
            found[change["table"]] = found.get(change["table"], 0) + 1
    yield from ((name, count) for name, count in found.items() if count)


def _pointers(to: Table) -> Iterator[tuple[Table, Any]]:
    """Columns of all tables that point to one."""
    for table in SQLModel.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table is to and table not in _BESIDE:
                yield table, key.parent


def _later_import(session: Writing, imported: Imported) -> int | None:
    """A later import that changed what this one made or changed."""
    ours = {(change["table"], change["id"]) for change in imported.changed}
    rows = session.execute(
        select(_IMPORTS.c.id, _IMPORTS.c.changed)
        .where(_IMPORTS.c.id > imported.id, _IMPORTS.c.undone_at.is_(None))
        .order_by(_IMPORTS.c.id.desc())
    )
    for row in rows:
        for change in row.changed:
            key = (change["table"], change["id"])
            if key in ours or _within(change["id"], imported.made.get(change["table"], [])):
                return int(row.id)
    return None


def _within(number: int, runs: list[list[int]]) -> bool:
    return any(first <= number <= last for first, last in runs)


def _pointing(
    session: Writing, table: Table, column: Any, runs: list[list[int]], own: list[list[int]]
) -> int:
    """Rows of a table that point to what was made and were not made by the same import."""
    return _count(session, table, column, runs, *_not_own(table, own))


def _count(
    session: Writing, table: Table, column: Any, runs: list[list[int]], *conditions: ColumnElement[bool]
) -> int:
    count = 0
    for start in range(0, len(runs), MOST_RUNS):
        some = _in_runs(column, runs[start : start + MOST_RUNS])
        query = select(func.count()).select_from(table).where(some, *conditions)
        count += session.execute(query).scalar_one()
    return count


def _altered() -> ColumnElement[bool]:
    """Condition: a grid that has ended, or is called otherwise or lies elsewhere than at first."""
    first, earlier = SPANS.alias("first"), SPANS.alias("earlier")
    is_first = ~exists().where(earlier.c.grid_id == first.c.grid_id, earlier.c.id < first.c.id)
    other = or_(*(first.c[name] != GRIDS.c[name] for name in ("code", "name", "path")))
    then = exists(select(first.c.id).where(first.c.grid_id == GRIDS.c.id, is_first, other).correlate(GRIDS))
    return or_(GRIDS.c.valid_to.is_not(None), then)


def _elsewhere(imported: Imported) -> ColumnElement[bool]:
    """Condition: a household in a grid that was made out of others since, or took one over."""
    parts = select(GRIDS.c.id).where(GRIDS.c.valid_from > imported.at)
    heirs = select(GRIDS.c.heir_id).where(GRIDS.c.heir_id.is_not(None), GRIDS.c.valid_to >= imported.at)
    return or_(_HOMES.c.grid_id.in_(parts), _HOMES.c.grid_id.in_(heirs))


def _not_own(table: Table, own: list[list[int]]) -> Iterator[ColumnElement[bool]]:
    for start in range(0, len(own), MOST_RUNS):
        yield not_(_in_runs(table.c.id, own[start : start + MOST_RUNS]))


def _in_runs(column: Any, runs: list[list[int]]) -> ColumnElement[bool]:
    return or_(*(and_(column >= first, column <= last) for first, last in runs))


def _still(session: Writing, change: dict[str, Any]) -> bool:
    """Whether a changed row has the values that the import gave it."""
    table = _TABLES[change["table"]]
    row = session.execute(select(table).where(table.c.id == change["id"])).mappings().first()
    return row is not None and all(row[name] == value for name, value in change["after"].items())


def take_back(session: Writing, imported: Imported) -> None:
    """Delete what was made, the last first, and give back what was changed; codes stay used up."""
    for kind in reversed(ORDER):
        table = kind.table
        for first, last in reversed(imported.made.get(table.name, [])):
            if table.name == Grid.__tablename__:
                _forget_beside(session, first, last)
            session.execute(delete(table).where(table.c.id >= first, table.c.id <= last))
    write_changes(session, imported.changed, "before")


def _forget_beside(session: Writing, first: int, last: int) -> None:
    for table in _BESIDE:
        session.execute(delete(table).where(table.c.grid_id >= first, table.c.grid_id <= last))
