"""Tells whether the tables are whole: a version says what should be there, not what somebody took away."""

from sqlalchemy import Connection, inspect
from sqlalchemy import text as statement
from sqlmodel import SQLModel

from app.alone import NoUse
from models.database import Database

_GUARDS = {
    "sqlite": (
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_line'",
        2,
    ),
    "postgresql": (
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_line'::regclass AND NOT tgisinternal"
        " AND tgenabled <> 'D'",
        1,
    ),
}
"""How to count the triggers that keep the audit as it was written, and how many there should be."""


def must_be_whole(database: Database) -> None:
    """Refuse to work where a table is missing. Raises NoUse, which names it."""
    with database.reader.connect() as connection:
        lacks = lacks_of(connection)
    if lacks:
        raise NoUse(told(lacks))


def told(lacks: list[str]) -> str:
    """Say in a sentence what is missing, and what to do."""
    more = f" and {len(lacks) - 5} more" if len(lacks) > 5 else ""
    return (
        f"The database lacks {', '.join(lacks[:5])}{more}, which its version should have: it was changed by "
        "hand or by another program. Restore a backup."
    )


def lacks_of(connection: Connection) -> list[str]:
    """Name tables, and columns as table.column, that this version has and the database has not."""
    looked = inspect(connection)
    there = set(looked.get_table_names())
    lacks = []
    for table in SQLModel.metadata.sorted_tables:
        if table.name not in there:
            lacks.append(table.name)
            continue
        columns = {column["name"] for column in looked.get_columns(table.name)}
        lacks += [f"{table.name}.{column.name}" for column in table.columns if column.name not in columns]
    return lacks


def is_guarded(connection: Connection) -> bool:
    """Whether the database refuses to change lines of the audit."""
    query, wanted = _GUARDS[connection.dialect.name]
    return int(connection.execute(statement(query)).scalar_one()) >= wanted
