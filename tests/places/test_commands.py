"""The command line with several places: each command is about one, and all are served together."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from app.__main__ import main
from tests.crash.serving import wait_until
from tests.keys import ENVIRONMENT
from tests.postgres import free_port


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where two places of one book have their files."""
    for name in [name for name in os.environ if name.startswith("XIAOGE_")]:
        monkeypatch.delenv(name)
    values = {
        name: {
            "book": "default",
            "database": f"sqlite:///{tmp_path / name}.db",
            "media": str(tmp_path / name),
        }
        for name in ("aa", "bb")
    }
    values["bb"] |= {"title": "永泰县", "backups": str(tmp_path / "kept")}
    tables = [
        "\n".join(
            [f"[{name}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in own.items())]
        )
        for name, own in values.items()
    ]
    (tmp_path / "places.toml").write_text("\n\n".join(tables), "utf-8")
    monkeypatch.setenv("XIAOGE_PLACES", str(tmp_path / "places.toml"))
    return tmp_path


def test_each_command_is_about_one_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str, code: int = 0) -> str:
        assert main(words) == code
        shown = capsys.readouterr()
        return shown.err if code else shown.out

    assert "Which place? Say --place before the command; there are aa, bb." in said("found", code=2)
    assert "all places are served together" in said("--place", "aa", "serve", code=2)
    said("--place", "bb", "found")
    assert not (folder / "aa.db").exists()
    assert len(said("--place", "bb", "token", "李强")) > 40
    assert "http://127.0.0.1:8000/bb/join?c=b" in said("--place", "bb", "admin", "孙怡", "13800003333")
    assert [line.split()[0] for line in said("places").splitlines()] == ["aa", "bb"]
    assert "is written and whole" in said("--place", "bb", "backup")
    (backup,) = (folder / "kept").iterdir()
    assert backup.name.startswith("bb-")
    assert "Name the file, or set XIAOGE_BACKUPS" in said("--place", "aa", "backup", code=2)
    assert "(bb), and this is aa" in said("--place", "aa", "restore", str(backup), code=1)
    assert "There are people or cases in" in said("--place", "bb", "restore", str(backup), code=1)
    assert "永泰县 (bb) is as it was at" in said("--place", "bb", "restore", str(backup), "--replace")
    assert main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "WRONG [aa] The database has no tables of this version: run `xiaoge --place aa migrate`." in lines
    assert [line for line in lines if line.startswith("WRONG [bb]")] == []


def test_how_an_import_is_taken_back_is_said_with_the_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "grids.csv").write_text("名称,上级,层级\n星河县,,县\n", "utf-8")

    assert main(["--place", "bb", "import", str(folder / "grids.csv"), "--yes"]) == 0
    assert capsys.readouterr().out.endswith("已导入，撤销：xiaoge --place bb undo-import 1\n")
    assert main(["--place", "bb", "undo-import", "1"]) == 0


def test_one_place_becomes_one_of_several(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as alone:
        alone.delenv("XIAOGE_PLACES")
        for name, value in {"DATABASE_URL": f"sqlite:///{folder / 'old.db'}", "PLACE": "default"}.items():
            alone.setenv(f"XIAOGE_{name}", value)
        assert main(["found"]) == 0
        assert main(["backup", str(folder / "old.tar")]) == 0
    assert main(["--place", "aa", "restore", str(folder / "old.tar")]) == 1
    assert "The keys do not fit" in capsys.readouterr().err
    (folder / "old.db.keys").rename(folder / "aa.db.keys")

    assert main(["--place", "aa", "restore", str(folder / "old.tar")]) == 0
    assert "(aa) is as it was at" in capsys.readouterr().out


def test_the_supervisor_serves_all_of_them(folder: Path) -> None:
    for name in ("aa", "bb"):
        assert main(["--place", name, "found"]) == 0
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    command = [sys.executable, "-m", "app", "serve"]
    with subprocess.Popen(
        command, env=environment | {"XIAOGE_PORT": str(port)}, stderr=subprocess.PIPE, text=True
    ) as program:

        def well() -> bool:
            try:
                return bool(urlopen(f"http://127.0.0.1:{port}/healthz").read() == b"aa: ok\nbb: ok\n")
            except OSError:
                return False

        wait_until(well)
        page = urlopen(f"http://127.0.0.1:{port}/").read().decode()
        program.send_signal(signal.SIGTERM)
        _, log = program.communicate(timeout=30)

    assert "永泰县" in page
    assert program.returncode == 0
    assert "the place is served at" in log
    assert " place=aa" in log
    assert " place=bb" in log
    assert "Traceback" not in log
