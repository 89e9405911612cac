"""Emptying: takes out of every table of residents what tells who somebody is."""

from collections.abc import Iterable

from sqlalchemy import Table, delete, or_, select, update
from sqlmodel import col

from handlers.residents.scope import DETAILS, PEOPLE
from handlers.writing import Writing
from models import Agreement, Apart, Imported, Joined

_AGREEMENTS: Table = Agreement.__table__  # type: ignore[attr-defined]
_APART: Table = Apart.__table__  # type: ignore[attr-defined]
_JOINED: Table = Joined.__table__  # type: ignore[attr-defined]


def empty_details(session: Writing, people: Iterable[int], nobody: str) -> None:
    """Delete what is kept of people beyond the minimum, and where their name or phone was kept for undoing.

    The empty halves of records that were joined into theirs are nobody as well. One pass over the tables for
    all of them: what imports keep is sealed, and opening it for each person would take the night.
    """
    meant = set(people)
    halves = session.execute(select(PEOPLE.c.id).where(PEOPLE.c.joined_into.in_(meant))).scalars()
    gone = sorted(meant | set(halves))
    session.execute(delete(DETAILS).where(DETAILS.c.person_id.in_(gone)))
    session.execute(delete(_AGREEMENTS).where(_AGREEMENTS.c.person_id.in_(gone)))
    session.execute(delete(_APART).where(or_(_APART.c.one_id.in_(gone), _APART.c.other_id.in_(gone))))
    theirs = or_(_JOINED.c.kept_id.in_(gone), _JOINED.c.gone_id.in_(gone))
    session.execute(update(_JOINED).where(theirs).values(changes=[]))
    session.execute(update(PEOPLE).where(PEOPLE.c.id.in_(gone)).values(name=nobody))
    _empty_imports(session, set(gone))


def _empty_imports(session: Writing, people: set[int]) -> None:
    """An import keeps what it changed in order to be undone; of these people it is not undone any more."""
    for number in session.execute(select(col(Imported.id)).order_by(col(Imported.id))).scalars().all():
        imported = session.get_one(Imported, number, populate_existing=True)
        left = [
            change
            for change in imported.changed
            if not (change["table"] == "person" and change["id"] in people)
        ]
        if len(left) != len(imported.changed):
            imported.changed = left
            session.add(imported)
    session.flush()
