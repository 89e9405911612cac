"""One person in two records: what the one has reported, said and was told becomes the other's."""

from sqlalchemy import ColumnElement, Table, delete, exists, or_, select, update
from sqlmodel import SQLModel, col

from handlers.work import MAIL
from handlers.writing import LINES, Writing
from models import (
    Account,
    Agreement,
    Apart,
    Detail,
    Joined,
    Member,
    OptOut,
    Participant,
    Person,
    Post,
    Receipt,
)

PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
PARTS: Table = Participant.__table__  # type: ignore[attr-defined]
DETAILS: Table = Detail.__table__  # type: ignore[attr-defined]
AGREEMENTS: Table = Agreement.__table__  # type: ignore[attr-defined]
MEMBERS: Table = Member.__table__  # type: ignore[attr-defined]
RECEIPTS: Table = Receipt.__table__  # type: ignore[attr-defined]
OPT_OUTS: Table = OptOut.__table__  # type: ignore[attr-defined]
APART: Table = Apart.__table__  # type: ignore[attr-defined]
JOINED: Table = Joined.__table__  # type: ignore[attr-defined]


def is_left_empty(session: Writing, person_id: int) -> bool:
    """Whether nobody speaks for a record any more: no account leads to it, and it never held a post."""
    for of_person in (
        select(col(Account.id)).where(col(Account.person_id) == person_id),
        select(col(Post.id)).where(col(Post.person_id) == person_id),
    ):
        if session.execute(of_person.limit(1)).first() is not None:
            return False
    return True


def merge_away(session: Writing, old: int, new: int) -> None:
    """Give everything of one record to another and delete it: whatever refers to a person is found by the
    tables' own foreign keys, so that nothing a later table keeps is forgotten.

    A seat of the example town stays, for the demo's page shows it.
    """
    _drop_doubles(session, old, new)
    for table in SQLModel.metadata.sorted_tables:
        if table is LINES:
            continue  # what was noted in the audit stays as it was written
        for column in table.columns:
            if any(key.column is PEOPLE.c.id for key in column.foreign_keys):
                session.execute(update(table).where(column == old).values({column.name: new}))
    session.execute(update(MAIL).where(MAIL.c.recipient == f"p{old}").values(recipient=f"p{new}"))
    session.execute(delete(PEOPLE).where(PEOPLE.c.id == old, PEOPLE.c.seat.is_(None)))
    session.flush()
    session.expire_all()


def _drop_doubles(session: Writing, old: int, new: int) -> None:
    """Both may have reported the same case: one of the two parts is enough."""
    twin = PARTS.alias("twin")
    same: list[ColumnElement[bool]] = [
        twin.c.incident_id == PARTS.c.incident_id,
        twin.c.part == PARTS.c.part,
        twin.c.person_id == new,
    ]
    session.execute(delete(PARTS).where(PARTS.c.person_id == old, exists(select(twin.c.id).where(*same))))
    _drop_double_details(session, old, new)


def _drop_double_details(session: Writing, old: int, new: int) -> None:
    """What may be kept once of a person, and where they live now, is that of the record that stays."""
    once = (
        *((DETAILS, ("module", "mark")), (AGREEMENTS, ("module",)), (MEMBERS, ("household_id",))),
        *((RECEIPTS, ("notice_id",)), (OPT_OUTS, ("kind",))),
    )
    for table, columns in once:
        twin = table.alias("twin")
        same = [twin.c[name] == table.c[name] for name in columns]
        if "until" in table.c:
            same += [twin.c.until.is_(None), table.c.until.is_(None)]
        doubled = exists(select(twin.c.id).where(*same, twin.c.person_id == new))
        session.execute(delete(table).where(table.c.person_id == old, doubled))
    session.execute(delete(APART).where(or_(APART.c.one_id == old, APART.c.other_id == old)))
    session.execute(update(JOINED).where(JOINED.c.kept_id == old).values(kept_id=new))
    session.execute(update(PEOPLE).where(PEOPLE.c.joined_into == old).values(joined_into=new))
