"""What Alembic runs: it compares with our tables, and writes steps down so that they stay as they were.

`models.database` opens the connection and its transaction; nothing here knows an address.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    CreateIndexOp,
    CreateTableOp,
    DropIndexOp,
    DropTableOp,
    MigrateOperation,
    MigrationScript,
    ModifyTableOps,
)
from sqlalchemy import Column
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import models  # the import makes the tables known to SQLModel.metadata
from models.base import ChoiceType, Json
from models.sealing import Sealed


def name_type(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Name a column type by SQLAlchemy's own: a step must not change when our types do. False: as it is."""
    if kind != "type":
        return False
    if isinstance(item, models.Moment):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AutoString | ChoiceType | Sealed):
        length = getattr(item.impl, "length", None)
        return f"sa.String(length={length})" if length else "sa.String()"
    return "sa.JSON()" if isinstance(item, Json) else False


def tidy(_context: object, _revision: object, steps: list[MigrationScript]) -> None:
    """Leave out what only looks like work: batches of mere indexes, and indexes of tables that go anyway."""
    for step in steps:
        for both in (step.upgrade_ops, step.downgrade_ops):
            if both is not None:
                both.ops = list(_needed(both.ops))


def _needed(operations: list[MigrateOperation]) -> Iterator[MigrateOperation]:
    going = {operation.table_name for operation in operations if isinstance(operation, DropTableOp)}
    for operation in operations:
        if isinstance(operation, CreateTableOp):
            _say_where_nothing_is_numbered(operation)
        if not isinstance(operation, ModifyTableOps):
            yield operation
        elif operation.table_name not in going:
            yield from operation.ops if _only_indexes(operation.ops) else [operation]


def _say_where_nothing_is_numbered(table: CreateTableOp) -> None:
    """A key with a default of Python's own gets no sequence, but a step does not tell of such defaults."""
    for column in table.columns:
        if isinstance(column, Column) and column.primary_key and column.default is not None:
            column.autoincrement = False


def _only_indexes(operations: Iterable[MigrateOperation]) -> bool:
    return all(isinstance(operation, CreateIndexOp | DropIndexOp) for operation in operations)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=name_type,
    process_revision_directives=tidy,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
