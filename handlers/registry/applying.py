"""Writes what was compared: new rows in sets, changed ones by their columns; tells exactly what it did."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Table as Rows
from sqlalchemy import bindparam, func, insert, select, update

from handlers.grids.spans import keep_spans
from handlers.grids.tallies import recount
from handlers.phones import kept_phone
from handlers.registry.known import Area, Duty, Dweller, Entry, Home, Human, Known, Note, Office
from handlers.registry.spreadsheets import Seen, silent
from handlers.residents.details import kept_value
from handlers.work import Work
from handlers.writing import Writing, insert_new
from models import CodeSerial

AT_ONCE = 5_000
"""Rows in one statement."""
SOURCE = "import"
"""Where a detail came from."""
TOP = "990000000000"
"""What codes begin with where nothing above has one."""
VILLAGE = 12
"""Digits of a village's code."""
ORDER: Sequence[type[Entry]] = (Area, Human, Office, Duty, Home, Dweller, Note)
"""Kinds of row, those first to which others point."""
Runs = dict[str, list[list[int]]]
Changed = list[dict[str, Any]]


def write(work: Work, known: Known, seen: Seen = silent) -> tuple[Runs, Changed]:
    """Write everything new and changed.

    Returns:
        table -> runs of the ids that were made; and the columns that were changed, before and after.
    """
    by_kind: dict[type[Entry], list[Any]] = defaultdict(list)
    for entry in known.added:
        by_kind[type(entry)].append(entry)
    give_codes(work.session, known, by_kind[Area])
    made: Runs = {}
    for kind in ORDER:
        if by_kind[kind]:
            made[kind.table.name] = runs(insert_entries(work, kind, by_kind[kind], seen))
    changed = changes(known)
    write_changes(work.session, changed, "after")
    keep_spans(work.session, work.now)
    recount(work.session, work.now, touched(by_kind))
    return made, changed


def touched(by_kind: dict[type[Entry], list[Any]]) -> set[int]:
    """Grids where more people live than before."""
    homes = {*by_kind[Home], *(dweller.home for dweller in by_kind[Dweller])}
    return {home.area.id for home in homes}


def insert_entries(
    work: Work, kind: type[Entry], entries: Sequence[Any], seen: Seen = silent
) -> Sequence[int]:
    """Write new rows of one kind. Returns their ids."""
    ids = new_ids(work.session, kind.table, len(entries))
    for entry, number in zip(entries, ids, strict=True):
        entry.id = number
    as_row = _ROWS[kind]
    for start in range(0, len(entries), AT_ONCE):
        rows = [as_row(work, entry) for entry in entries[start : start + AT_ONCE]]
        work.session.execute(insert(kind.table), rows)
        seen("write", start + len(rows), len(entries))
    return ids


def new_ids(session: Writing, table: Rows, count: int) -> list[int]:
    """Take so many new ids of a table at once. On SQLite the one writer may count by itself."""
    if session.get_bind().dialect.name == "postgresql":
        following = func.nextval(func.pg_get_serial_sequence(table.name, "id"))
        return list(
            session.execute(select(following).select_from(func.generate_series(1, count).alias())).scalars()
        )
    last: int = session.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    return list(range(last + 1, last + 1 + count))


def runs(ids: Iterable[int]) -> list[list[int]]:
    """Ids as runs, first and last of each: a hundred thousand rows in a few numbers."""
    found: list[list[int]] = []
    for number in sorted(ids):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _area_row(work: Work, area: Area) -> dict[str, Any]:
    area.path = f"{area.parent.path if area.parent else '/'}{area.id}/"
    names = ("id", "code", "name", "level", "kind", "special", "subjects", "path", "aliases", "lat", "lon")
    return {
        **{name: getattr(area, name) for name in names},
        "parent_id": area.parent.id if area.parent else None,
        "valid_from": work.now,
    }


def _human_row(_: Work, human: Human) -> dict[str, Any]:
    home = human.home.id if human.home else None
    return {
        "id": human.id,
        "name": human.name,
        **kept_phone(human.phone),
        "home_grid_id": home,
        "party": human.party,
    }


def _office_row(_: Work, office: Office) -> dict[str, Any]:
    assert office.area is not None
    columns = ("id", "name", "aliases", "calendar", "duties", "backstop")
    return {"grid_id": office.area.id} | {name: getattr(office, name) for name in columns}


def _duty_row(work: Work, duty: Duty) -> dict[str, Any]:
    assert duty.human is not None
    assert duty.area is not None
    return {
        "id": duty.id,
        "person_id": duty.human.id,
        "role": duty.role,
        "grid_id": duty.area.id,
        "unit_id": duty.office.id if duty.office else None,
        "standing": duty.standing,
        "since": work.now,
    }


def _home_row(_: Work, home: Home) -> dict[str, Any]:
    assert home.area is not None
    return {"id": home.id, "grid_id": home.area.id, "address": home.address, "door": home.door}


def _dweller_row(work: Work, dweller: Dweller) -> dict[str, Any]:
    assert dweller.home is not None
    assert dweller.human is not None
    return {
        "id": dweller.id,
        "household_id": dweller.home.id,
        "person_id": dweller.human.id,
        "head": dweller.head,
        "since": work.now,
    }


def _note_row(work: Work, note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "person_id": note.human.id if note.human else None,
        "household_id": note.home.id if note.home else None,
        "module": note.module,
        "mark": note.mark,
        "value": note.value,
        **kept_value(note.hidden),
        "since": work.now,
        "by_id": work.actor.id,
        "source": SOURCE,
    }


_ROWS: dict[type[Entry], Callable[[Work, Any], dict[str, Any]]] = {
    Area: _area_row,
    Human: _human_row,
    Office: _office_row,
    Duty: _duty_row,
    Home: _home_row,
    Dweller: _dweller_row,
    Note: _note_row,
}


# ---- what is changed ---------------------------------------------------------------------------------------


def changes(known: Known) -> Changed:
    """The columns that a list changes, before and after; once its new areas have their ids."""
    dwellers = [dweller for home in known.homes.values() for dweller in home.dwellers]
    changed: Changed = []
    duties = list(known.duties.values())
    for entries in (known.areas, known.humans, known.offices, duties, dwellers, known.notes):
        for entry in entries:
            if entry.before:
                changed.append(_change(entry))
    return changed


def _change(entry: Entry) -> dict[str, Any]:
    before = {_column(name): _plain(value) for name, value in entry.before.items()}
    after = {_column(name): _plain(getattr(entry, name)) for name in entry.before}
    return {"table": entry.table.name, "id": entry.id, "before": before, "after": after}


def _column(name: str) -> str:
    return "home_grid_id" if name == "home" else name


def _plain(value: Any) -> Any:
    return value.id if isinstance(value, Entry) else value


def write_changes(session: Writing, changed: Changed, side: str) -> None:
    """Give changed rows the values of one side, `before` or `after`; alike ones in one statement."""
    alike: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
    for change in changed:
        kept = _kept(change[side])
        values = {f"its_{name}": value for name, value in kept.items()}
        alike[change["table"], tuple(kept)].append({"the_id": change["id"], **values})
    tables = {kind.table.name: kind.table for kind in ORDER}
    for (name, columns), rows in alike.items():
        table = tables[name]
        values = {column: bindparam(f"its_{column}", type_=table.c[column].type) for column in columns}
        session.connection().execute(
            update(table).where(table.c.id == bindparam("the_id")).values(values), rows
        )


def _kept(columns: dict[str, Any]) -> dict[str, Any]:
    if "phone" in columns:
        return {**columns, **kept_phone(columns["phone"])}
    return {**columns, **kept_value(columns["hidden"])} if "hidden" in columns else columns


# ---- codes -------------------------------------------------------------------------------------------------


def give_codes(session: Writing, known: Known, areas: Iterable[Area]) -> None:
    """A grid without a code gets its village's and a serial that nothing ever had."""
    last: dict[str, int] = {row.prefix: row.last for row in session.execute(select(_SERIALS))}
    before = dict(last)
    for area in areas:
        if not area.code:
            prefix = next((above.code[:VILLAGE] for above in area.upward() if above.code), TOP)
            area.code = _next_code(prefix, last, known)
            known.by_code[area.code] = area
    for prefix, serial in last.items():
        if prefix not in before:
            session.execute(insert_new(session, _SERIALS), {"prefix": prefix, "last": serial})
        session.execute(update(_SERIALS).where(_SERIALS.c.prefix == prefix).values(last=serial))


def _next_code(prefix: str, last: dict[str, int], known: Known) -> str:
    while True:
        last[prefix] = last.get(prefix, 0) + 1
        code = f"{prefix}{last[prefix]:04d}"
        if code not in known.by_code and code not in known.spent:
            return code


_SERIALS: Rows = CodeSerial.__table__  # type: ignore[attr-defined]
