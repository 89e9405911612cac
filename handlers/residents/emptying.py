"""Emptying: takes out of every table of residents what tells who somebody is."""

from sqlalchemy import Table, delete, or_, select, update
from sqlmodel import col

from handlers.residents.scope import DETAILS, PEOPLE
from handlers.writing import Writing
from models import Agreement, Apart, Imported, Joined

_AGREEMENTS: Table = Agreement.__table__  # type: ignore[attr-defined]
_APART: Table = Apart.__table__  # type: ignore[attr-defined]
_JOINED: Table = Joined.__table__  # type: ignore[attr-defined]


def empty_details(session: Writing, person_id: int, nobody: str) -> None:
    """Delete what is kept of a person beyond the minimum, and where their name or phone was kept for undoing.

    The empty halves of records that were joined into this one are nobody as well.
    """
    halves = list(session.execute(select(PEOPLE.c.id).where(PEOPLE.c.joined_into == person_id)).scalars())
    for number in (person_id, *halves):
        session.execute(delete(DETAILS).where(DETAILS.c.person_id == number))
        session.execute(delete(_AGREEMENTS).where(_AGREEMENTS.c.person_id == number))
        session.execute(delete(_APART).where(or_(_APART.c.one_id == number, _APART.c.other_id == number)))
        mine = or_(_JOINED.c.kept_id == number, _JOINED.c.gone_id == number)
        session.execute(update(_JOINED).where(mine).values(changes=[]))
        session.execute(update(PEOPLE).where(PEOPLE.c.id == number).values(name=nobody))
    _empty_imports(session, {person_id, *halves})


def _empty_imports(session: Writing, people: set[int]) -> None:
    """An import keeps what it changed in order to be undone; of these people it is not undone any more."""
    for imported in session.execute(select(Imported).order_by(col(Imported.id))).scalars():
        left = [
            change
            for change in imported.changed
            if not (change["table"] == "person" and change["id"] in people)
        ]
        if len(left) != len(imported.changed):
            imported.changed = left
            session.add(imported)
    session.flush()
