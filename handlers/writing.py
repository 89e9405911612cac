"""The session of the writer: rows nobody asked for yet go in together, and a part can be undone alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, event, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlmodel import Session, SQLModel

from models.audit import AuditHead, AuditLine, Entry

Row = dict[str, Any]
LINES: Table = AuditLine.__table__  # type: ignore[attr-defined]
HEAD: Table = AuditHead.__table__  # type: ignore[attr-defined]


class Writing(Session):
    """A session for many works to one commit.

    Most of what a message leads to is only ever added: the case, its events, letters. Such rows wait in
    memory until anything else is asked of the database or the commit comes, and then go in with those of the
    other works, in one statement for all.
    """

    def __init__(self, bind: Engine | Connection) -> None:
        super().__init__(bind, expire_on_commit=False, autoflush=False)
        self._waiting: dict[tuple[Table, bool], list[Row]] = {}
        self._numbers: dict[Table, int] = {}
        self._entries: list[Entry] = []
        self._together = False
        self.accounts_moved = False
        """Whether an account has come to belong to somebody else, so that senders must be known anew."""
        self._savepoints: list[bool] = []
        """For each small part that is open: whether it has a savepoint yet."""

    # ---- rows that wait ------------------------------------------------------------------------------------

    def later(self, table: Table, rows: Sequence[Row], *, once: bool = False) -> None:
        """Add rows, all with the same columns, before anything else is asked of the database.

        `once`: a row whose unique key is there already is left out.
        """
        if rows:
            self._waiting.setdefault((table, once), []).extend(rows)

    def write(self) -> None:
        """Add the rows that wait, those first to which others refer."""
        waiting, self._waiting = self._waiting, {}
        for table, once in sorted(waiting, key=lambda key: _order()[key[0]]):
            self.execute(insert_new(self, table) if once else insert(table), waiting[table, once])

    def note(self, entry: Entry) -> None:
        """Add a line to the audit. It gets its place in the chain at the very end, before the commit.

        Whoever adds lines holds the head until then; so no other writer waits for longer than a commit, and
        two who each hold what the other wants do not meet there.
        """
        self._entries.append(entry)

    def _chain(self) -> None:
        entries, self._entries = self._entries, []
        if not entries:
            return
        head = self.execute(select(HEAD.c.number, HEAD.c.digest).with_for_update()).one()
        number, digest, rows = head.number, head.digest, []
        for entry in entries:
            number, before = number + 1, digest
            digest = entry.digest(number, before)
            rows.append({**vars(entry), "id": number, "before": before, "digest": digest})
        self.execute(insert(LINES), rows)
        self.execute(update(HEAD).values(number=number, digest=digest))

    def number(self, table: Table) -> int:
        """Give the next id of a table whose rows are added later but spoken of now.

        What is undone leaves a gap at most. On SQLite the one writer may count by itself.
        """
        connection = self.connection()  # not through the session: nothing is read that could be waiting
        if connection.dialect.name == "postgresql":
            name = {"name": table.name}
            number: int = connection.exec_driver_sql(_NEXT, name).scalar_one()
            return number
        if table not in self._numbers:
            last = "SELECT seq FROM sqlite_sequence WHERE name = ?"
            self._numbers[table] = connection.exec_driver_sql(last, (table.name,)).scalar() or 0
        self._numbers[table] += 1
        return self._numbers[table]

    def commit(self) -> None:
        """Write what waits, then commit."""
        self.flush()  # a person who has just been entered comes before the line that names them
        self.write()
        self._chain()
        super().commit()
        self._numbers = {}

    def rollback(self) -> None:
        """Undo everything, and forget what waits."""
        self._waiting, self._numbers, self._entries = {}, {}, []
        super().rollback()

    # ---- parts that can be undone --------------------------------------------------------------------------

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part that is undone alone when it raises, as if it had never begun."""
        kept, noted = {key: list(rows) for key, rows in self._waiting.items()}, len(self._entries)
        try:
            with self._small_part() if self._together else self._nested():
                yield
        except BaseException:
            self._waiting = kept
            del self._entries[noted:]
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """A part made of many small ones, which cost little: all is well, or all of it is undone.

        A refusal in a small part undoes that one alone. A bug must not be caught within this block.
        """
        with self.part():
            self._together = True
            try:
                yield
            finally:
                self._together = False

    @contextmanager
    def _nested(self) -> Iterator[None]:
        nested = self.begin_nested()
        try:
            yield
            self.flush()
            self.write()
        except BaseException:
            nested.rollback()
            raise
        nested.commit()

    @contextmanager
    def _small_part(self) -> Iterator[None]:
        """Has a savepoint only once it writes; the session, with no picture of its objects, forgets all."""
        self.flush()
        self._savepoints.append(False)
        try:
            yield
            self.flush()
        except BaseException:
            if self._savepoints.pop() and self.is_active:  # else the database refused: all is undone
                self._run("ROLLBACK TO SAVEPOINT part")
            self.expunge_all()
            raise
        if self._savepoints.pop():
            self._run("RELEASE SAVEPOINT part")

    def before_writing(self) -> None:
        """Make the savepoints of the open small parts: something is about to change."""
        for at, made in enumerate(self._savepoints):
            if not made:
                self._savepoints[at] = True
                self._run("SAVEPOINT part")

    def _run(self, statement: str) -> None:
        self.connection().exec_driver_sql(statement)


_NEXT = "SELECT nextval(pg_get_serial_sequence(%(name)s, 'id'))"


@event.listens_for(Writing, "do_orm_execute")
def _before_statement(state: ORMExecuteState) -> None:
    """Whatever is asked of the database must meet the rows that wait, or may refer to them."""
    session = state.session
    if isinstance(session, Writing):
        session.write()
        if not state.is_select:
            session.before_writing()


@event.listens_for(Writing, "before_flush")
def _before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    if isinstance(session, Writing):
        session.write()
        session.before_writing()


@cache
def _order() -> dict[Table, int]:
    """Place of each table among all, those first to which others refer."""
    return {table: place for place, table in enumerate(SQLModel.metadata.sorted_tables)}


def insert_new(session: Session, table: Table) -> Any:
    """INSERT that skips rows whose unique key is there already, on both databases."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
