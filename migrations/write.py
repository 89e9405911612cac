"""Write the next step from what the tables say today: `python -m migrations.write "what changes"`.

The name of the newest step writes that one anew, as long as nobody has run it; what stands outside Alembic's
marks in it was added by hand and is kept. Read the result, put it into form with `make format`, and test it.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import Script, ScriptDirectory

from models.database import MIGRATIONS, schema_change

FILE_NAME = "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s"
LONGEST_NAME = 32  # characters; what Alembic's own table keeps of a version's name
WRITTEN = re.compile(r"    # ### commands auto.*?# ### end Alembic commands ###\n", re.DOTALL)


def write(slug: str, scripts: Path = MIGRATIONS) -> Path:
    """Write a step, or the newest one anew, against a throw-away database which has all steps before it.

    Args:
        slug: what changes, in few words; it becomes the version's name.
        scripts: the folder of the migrations.

    Returns:
        the step's file.

    Raises:
        ValueError: the name is too long, or belongs to a step that others follow.
    """
    name = re.sub(r"\W+", "_", slug.strip().lower())
    if len(name) > LONGEST_NAME:
        raise ValueError(f"{name!r} is longer than {LONGEST_NAME} characters")
    old = _newest_called(name, scripts)
    with tempfile.TemporaryDirectory() as folder:
        fresh = _generate(name, scripts, old, Path(folder))
        path = old or scripts / "versions" / fresh.name
        path.write_text(_renewed(old.read_text("utf-8"), fresh) if old else fresh.read_text("utf-8"), "utf-8")
    return path


def _newest_called(name: str, scripts: Path) -> Path | None:
    steps = list(ScriptDirectory(str(scripts)).walk_revisions())
    if name in [step.revision for step in steps[1:]]:
        raise ValueError(f"{name!r} has steps after it: write a new one")
    return Path(steps[0].path) if steps and steps[0].revision == name else None


def _generate(name: str, scripts: Path, without: Path | None, folder: Path) -> Path:
    copy = shutil.copytree(scripts, folder / "migrations")
    if without:
        (copy / "versions" / without.name).unlink()
    with schema_change(f"sqlite:///{folder / 'empty.db'}", copy) as config:
        command.upgrade(config, "head")
        config.set_main_option("file_template", FILE_NAME)
        written = command.revision(config, name.replace("_", " "), autogenerate=True, rev_id=name)
    assert isinstance(written, Script)
    return Path(written.path)


def _renewed(old: str, fresh: Path) -> str:
    """Put the freshly written part of each function in the place of the old one."""
    parts = iter(WRITTEN.findall(fresh.read_text("utf-8")))
    return WRITTEN.sub(lambda _: next(parts), old)


if __name__ == "__main__":
    sys.stdout.write(f"{write(' '.join(sys.argv[1:]))}\n")
