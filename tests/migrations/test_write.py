"""A step is written from what the tables say, in types that will mean the same in ten years."""

import shutil
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from migrations.write import LONGEST_NAME, write
from models.database import MIGRATIONS, is_current, migrate

STEPS = [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Lend a copy of the migrations which may be changed."""
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))


def test_a_new_step_follows_the_newest_and_has_the_day_in_its_name(scripts: Path, sqlite_url: str) -> None:
    path = write("Nothing new, yet", scripts)

    day, _, name = path.stem.rpartition("_nothing_new_yet")
    assert (len(day), name) == (len("2026_11_22"), "")
    assert f"down_revision: str | None = {STEPS[0]!r}" in path.read_text("utf-8")
    assert migrate(sqlite_url, scripts) == "nothing_new_yet"


def test_the_newest_step_is_written_anew_and_what_was_added_by_hand_stays(scripts: Path) -> None:
    path = Path(ScriptDirectory(str(scripts)).get_revision("head").path)
    old = path.read_text("utf-8")
    path.write_text(
        old.replace("sa.Column(", "sa.Column('nobody_knows', sa.String()), sa.Column(", 1), "utf-8"
    )

    assert write(STEPS[0].replace("_", " "), scripts) == path

    renewed = path.read_text("utf-8")
    assert "'nobody_knows'" not in renewed
    assert renewed.partition("\ndef downgrade")[0].rpartition("# ###")[2] in old


def test_the_first_tables_written_from_nothing_are_those_of_today(scripts: Path, tmp_path: Path) -> None:
    for path in (scripts / "versions").glob("2*.py"):
        path.unlink()
    path = write("all tables", scripts)

    step = path.read_text("utf-8")
    assert "AutoString" not in step
    assert "Moment" not in step
    assert "import models" not in step
    migrate(url := f"sqlite:///{tmp_path / 'new.db'}", scripts)
    assert is_current(url, scripts)


def test_a_step_that_others_follow_is_not_written_anew(scripts: Path) -> None:
    write("one more", scripts)
    with pytest.raises(ValueError, match="has steps after it"):
        write(STEPS[0], scripts)


def test_a_name_that_alembic_could_not_keep_is_refused(scripts: Path) -> None:
    with pytest.raises(ValueError, match="longer than"):
        write("x" * (LONGEST_NAME + 1), scripts)
