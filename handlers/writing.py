"""The session of the writer: rows nobody asked for yet go in together, and a part can be undone alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session

Rows = dict[Table, list[dict[str, Any]]]


class Writing(Session):
    """A session for many works to one commit.

    Most of what a message leads to is only ever added: events, letters. Such rows wait in memory until
    anything is read or the work ends, and then go in with those of the other works, one statement for all.
    """

    def __init__(self, bind: Engine | Connection) -> None:
        super().__init__(bind, expire_on_commit=False, autoflush=False)
        self._waiting: Rows = {}
        self._together = False

    def later(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows before anything is read or committed; one whose unique key is there already is left out.

        All rows of a table must name the same columns.
        """
        if rows:
            self._waiting.setdefault(table, []).extend(rows)

    def write(self) -> None:
        """Add the rows that wait."""
        waiting, self._waiting = self._waiting, {}
        for table, rows in waiting.items():
            self.execute(insert_new(self, table), rows)

    def commit(self) -> None:
        """Write what waits, then commit."""
        self.write()
        super().commit()

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part that is undone alone when it raises, as if it had never begun."""
        kept = {table: list(rows) for table, rows in self._waiting.items()}
        try:
            with self._bare_savepoint() if self._together else self._savepoint():
                yield
        except BaseException:
            self._waiting = kept
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """A part made of many small ones, whose savepoints are cheap: all is well, or all of it is undone.

        A refusal in a small part undoes that one alone. A bug must not be caught within this block.
        """
        with self.part():
            self._together = True
            try:
                yield
            finally:
                self._together = False

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
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
    def _bare_savepoint(self) -> Iterator[None]:
        """A tenth of the cost: the session keeps no picture of its objects, so it forgets all of them."""
        self.flush()
        run = self.connection().exec_driver_sql
        run("SAVEPOINT part")
        try:
            yield
            self.flush()
        except BaseException:
            if self.is_active:  # else the database itself refused something, and the whole block is undone
                run("ROLLBACK TO SAVEPOINT part")
                self.expunge_all()
            raise
        run("RELEASE SAVEPOINT part")


@event.listens_for(Writing, "do_orm_execute")
def _write_before_reading(state: ORMExecuteState) -> None:
    """Whoever reads, changes or removes rows must meet those that wait; whoever adds some need not."""
    if not state.is_insert and isinstance(state.session, Writing):
        state.session.write()


def insert_new(session: Session, table: Table) -> Any:
    """INSERT that skips rows whose unique key is there already, on both databases."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
