"""Records: everything of one goes to another and the first stays as an empty half, or all that is undone."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, delete, exists, insert, or_, select, update
from sqlmodel import SQLModel

from handlers.grids.tallies import recount_around
from handlers.residents.details import AGREEMENTS, lock_person
from handlers.residents.scope import DETAILS, MEMBERS, PEOPLE
from handlers.work import MAIL, Work
from handlers.writing import LINES, Writing
from models import Ending, Joined
from models.base import Moment

Change = dict[str, Any]
"""One step: rows that point elsewhere, columns with other values, or a row that was taken out."""
_UNIQUE: dict[str, tuple[str, ...]] = {
    "participant": ("incident_id", "part"),
    "detail": ("module", "mark"),
    "agreement": ("module",),
}
"""Tables in which a person may stand once beside these columns."""
_ONCE = ("phone", "phone_digest", "home_grid_id", "party")
"""Columns of a person that are taken over where the kept record says nothing."""


def join_records(work: Work, kept: int, gone: int) -> int:
    """Give everything of one record to another. Returns the number by which it can be undone."""
    for person in sorted((kept, gone)):
        lock_person(work, person)
    session = work.session
    changes: list[Change] = [
        *_homes(work, kept, gone),
        *_doubles(session, kept, gone),
        *_pointers(session, kept, gone),
        *_letters(session, kept, gone),
        *_halves(work, kept, gone),
    ]
    joined = Joined(kept_id=kept, gone_id=gone, by_id=work.actor.id, at=work.now, changes=changes)
    session.add(joined)
    recount_around(session, work.now, (kept, gone))
    session.expire_all()
    return joined.id or 0


def _homes(work: Work, kept: int, gone: int) -> Iterator[Change]:
    """One place at a time: of two the kept record's holds; histories that would overlap are not mixed."""
    session = work.session
    own, theirs = _lived(session, kept), _lived(session, gone)
    current = [row for row in theirs if row.until is None or row.until > work.now]
    if any(row.until is None or row.until > work.now for row in own):
        for row in current:
            yield _change(session, MEMBERS, row.id, until=work.now, ending=Ending.JOINED)
        moved: Sequence[Any] = ()
    else:
        last = max((row.until for row in own), default=None)
        for row in current:
            if last is not None and row.since < last:
                yield _change(session, MEMBERS, row.id, since=last)
        moved = current if own else theirs
    yield from _moved(session, MEMBERS, "person_id", [row.id for row in moved], kept, gone)


def _lived(session: Writing, person: int) -> list[Any]:
    return list(session.execute(select(MEMBERS).where(MEMBERS.c.person_id == person)))


def _doubles(session: Writing, kept: int, gone: int) -> Iterator[Change]:
    """What may stand there once is taken from the record that goes."""
    for table in SQLModel.metadata.sorted_tables:
        if table.name in _UNIQUE:
            twin = table.alias("twin")
            same = [twin.c[name] == table.c[name] for name in _UNIQUE[table.name]]
            doubled = exists(select(twin.c.id).where(*same, twin.c.person_id == kept))
            for row in session.execute(select(table).where(table.c.person_id == gone, doubled)).all():
                session.execute(delete(table).where(table.c.id == row.id))
                yield {"table": table.name, "row": _plain(row._mapping)}


def _pointers(session: Writing, kept: int, gone: int) -> Iterator[Change]:
    """Whatever refers to a person is found by the tables' own foreign keys, so that nothing is forgotten."""
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            to_person = any(key.column is PEOPLE.c.id for key in column.foreign_keys)
            if not to_person or table is LINES or (table is MEMBERS and column.name == "person_id"):
                continue
            key = _key(table)
            ids = list(session.execute(select(key).where(column == gone)).scalars())
            yield from _moved(session, table, column.name, ids, kept, gone)


def _moved(
    session: Writing, table: Table, column: str, ids: Sequence[Any], kept: Any, gone: Any
) -> Iterator[Change]:
    if ids:
        rows = and_(_key(table).in_(ids), table.c[column] == gone)
        session.execute(update(table).where(rows).values({column: kept}))
        yield {"table": table.name, "column": column, "ids": list(ids), "to": kept, "from": gone}


def _letters(session: Writing, kept: int, gone: int) -> Iterator[Change]:
    """Letters keep their order for each recipient."""
    ids = list(session.execute(select(MAIL.c.id).where(MAIL.c.recipient == f"p{gone}")).scalars())
    yield from _moved(session, MAIL, "recipient", ids, f"p{kept}", f"p{gone}")


def _halves(work: Work, kept: int, gone: int) -> Iterator[Change]:
    session = work.session
    rows = {row.id: row for row in session.execute(select(PEOPLE).where(PEOPLE.c.id.in_([kept, gone]))).all()}
    new = {
        name: getattr(rows[gone], name)
        for name in _ONCE
        if getattr(rows[kept], name) is None and getattr(rows[gone], name) is not None
    }
    if new:
        yield _change(session, PEOPLE, kept, **new)
    empty = dict.fromkeys(_ONCE)
    yield _change(session, PEOPLE, gone, name=work.word("who.joined"), joined_into=kept, **empty)


def _change(session: Writing, table: Table, number: int, **values: Any) -> Change:
    before = session.execute(select(*(table.c[name] for name in values)).where(table.c.id == number)).one()
    session.execute(update(table).where(table.c.id == number).values(values))
    return {
        "table": table.name,
        "id": number,
        "before": _plain(before._mapping),
        "after": _plain(values),
    }


def _key(table: Table) -> Any:
    return next(iter(table.primary_key.columns))


# ---- undoing ---------------------------------------------------------------------------------------------


def part_records(work: Work, joined: Joined) -> None:
    """Undo step by step, the last first; what somebody has changed since stays as they left it."""
    for person in sorted((joined.kept_id, joined.gone_id)):
        lock_person(work, person)
    withdrawn = _withdrawn(work.session, joined)
    for change in reversed(joined.changes):
        if change.get("row", {}).get("module") in withdrawn:
            continue
        table = SQLModel.metadata.tables[change["table"]]
        _undo(work.session, table, change, joined.at)
    joined.undone_at = work.now
    work.session.add(joined)
    recount_around(work.session, work.now, (joined.kept_id, joined.gone_id))
    work.session.expire_all()


def _withdrawn(session: Writing, joined: Joined) -> set[str]:
    """Modules the person said no to since: what was kept by the yes of before does not come back."""
    since = or_(AGREEMENTS.c.withdrawn_at >= joined.at, AGREEMENTS.c.given_at > joined.at)
    query = select(AGREEMENTS.c.module).where(AGREEMENTS.c.person_id == joined.kept_id, since)
    return set(session.execute(query).scalars())


def _undo(session: Writing, table: Table, change: Change, at: datetime) -> None:
    if "row" in change:
        _put_back(session, table, _typed(table, change["row"]))
    elif "ids" in change:
        there = [_key(table).in_(change["ids"]), table.c[change["column"]] == change["to"]]
        if table is DETAILS:  # SQLite gives the number of a deleted row out again
            there.append(DETAILS.c.since <= at)
        session.execute(update(table).where(*there).values({change["column"]: change["from"]}))
    else:
        now = session.execute(select(table).where(table.c.id == change["id"])).first()
        after, before = _typed(table, change["after"]), _typed(table, change["before"])
        back = {
            name: before[name] for name in before if now is not None and getattr(now, name) == after[name]
        }
        if back:
            session.execute(update(table).where(table.c.id == change["id"]).values(back))


def _put_back(session: Writing, table: Table, row: dict[str, Any]) -> None:
    """A row that was taken out is there again, with a new number where its own was given out since."""
    taken = session.execute(select(table.c.id).where(table.c.id == row["id"])).first() is not None
    kept = {name: value for name, value in row.items() if name != "id"} if taken else row
    session.execute(insert(table), [kept])


def _plain(values: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _typed(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Columns as they are written, from JSON."""
    return {
        name: datetime.fromisoformat(value) if value and isinstance(table.c[name].type, Moment) else value
        for name, value in values.items()
    }
