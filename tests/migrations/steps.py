"""Help for tests of steps: folders with one step more, processes to kill, and a full account of a schema."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, text

from models.database import MIGRATIONS

STEP = """
import os
import sys

import sqlalchemy as sa
from alembic import op

revision, down_revision = "one_more", {newest!r}
branch_labels = depends_on = None


def upgrade():
    {body}


def downgrade():
    pass
"""
PROCESS = """
import sys
from pathlib import Path
from models.database import migrate, open_database
from sqlalchemy import text

print("ready", flush=True)
sys.stdin.readline()
print(migrate(sys.argv[1], Path(sys.argv[2])), flush=True)
database = open_database(sys.argv[1])
with database.writer.begin() as connection:
    connection.execute(text("UPDATE registry_version SET number = number + 1"))
database.close()
"""


def with_one_more(body: str, folder: Path, newest: str) -> Path:
    """Return a copy of the migrations with a step after the newest, whose upgrade has that body."""
    copy = shutil.copytree(MIGRATIONS, folder / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    indented = body.strip().replace("\n", "\n    ")
    (copy / "versions" / "2999_01_01_one_more.py").write_text(STEP.format(newest=newest, body=indented))
    return copy


def start_process(url: str, scripts: Path = MIGRATIONS) -> "subprocess.Popen[str]":
    """Start a process that says `ready`, waits for a line, migrates, and then adds one to a number."""
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, url, str(scripts)],
        cwd=MIGRATIONS.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def let_go(process: "subprocess.Popen[str]") -> None:
    """Give a process the line it waits for."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def read_line(process: "subprocess.Popen[str]") -> str:
    """Return the next line a process says, without its end."""
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def schema(url: str) -> dict[str, Any]:
    """Return all that a database knows of its tables but the order of columns, to compare two by."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version"}
        told = {name: _table(connection, name) for name in names}
    engine.dispose()
    return told


def _table(connection: Connection, name: str) -> dict[str, Any]:
    look = inspect(connection)
    return {
        "columns": sorted(
            (c["name"], str(c["type"].compile(connection.dialect)), c["nullable"], str(c["default"]))
            for c in look.get_columns(name)
        ),
        "primary key": look.get_pk_constraint(name),
        "references": _sorted(look.get_foreign_keys(name)),
        "unique": _sorted(look.get_unique_constraints(name)),
        "checks": _sorted(look.get_check_constraints(name)),
        "indexes": _sorted(look.get_indexes(name)),
        "numbers go on": _autoincrement(connection, name),
    }


def _sorted(found: Any) -> list[str]:
    return sorted(json.dumps(item, default=str, sort_keys=True) for item in found)


def _autoincrement(connection: Connection, name: str) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    query = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    return "AUTOINCREMENT" in str(connection.scalar(query, {"name": name}))
