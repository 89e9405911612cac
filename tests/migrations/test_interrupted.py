"""A migration may be killed, or begun by several processes at once: its tables are the old or the new."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from models.database import MIGRATIONS, current_revision, is_current, migrate
from tests.migrations.steps import let_go, read_line, schema, start_process, with_one_more

NEWEST = ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""
AT_ONCE = 4
HALVES = """
op.create_table("first_half", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("UPDATE registry_version SET number = 7")
if "STOP_HALFWAY" in os.environ:
    print("halfway", flush=True)
    sys.stdin.readline()
op.create_table("second_half", sa.Column("id", sa.Integer(), primary_key=True))
"""


@contextlib.contextmanager
def reading(url: str) -> Iterator[tuple[set[str], int]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        number = connection.scalar(text("SELECT number FROM registry_version"))
        yield set(inspect(connection).get_table_names()), int(number or 0)
    engine.dispose()


def test_killed_halfway_the_tables_are_the_old_ones_and_a_new_run_goes_through(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema(migrated_url)
    scripts = with_one_more(HALVES, tmp_path, NEWEST)
    monkeypatch.setenv("STOP_HALFWAY", "1")
    process = start_process(migrated_url, scripts)
    ready = read_line(process)
    let_go(process)
    halfway = read_line(process)
    process.kill()
    process.communicate()
    monkeypatch.delenv("STOP_HALFWAY")

    assert (ready, halfway) == ("ready", "halfway")
    assert schema(migrated_url) == before
    assert current_revision(migrated_url) == NEWEST
    assert migrate(migrated_url, scripts) == "one_more"
    with reading(migrated_url) as (tables, number):
        assert {"first_half", "second_half"} <= tables
        assert number == 7


def test_several_processes_may_start_on_an_empty_database_at_once(database_url: str) -> None:
    processes = [start_process(database_url) for _ in range(AT_ONCE)]
    assert [read_line(process) for process in processes] == ["ready"] * AT_ONCE
    for process in processes:
        let_go(process)
    said = [process.communicate()[0] for process in processes]

    assert said == [f"{NEWEST}\n"] * AT_ONCE
    assert [process.returncode for process in processes] == [0] * AT_ONCE
    assert is_current(database_url)
    with reading(database_url) as (_, number):
        assert number == AT_ONCE
