"""Commands say in a sentence when the tables are of another version, or of another place."""

import os
from pathlib import Path

import pytest

from app.__main__ import main
from handlers.command import HANDLERS
from handlers.keys import GiveKey
from handlers.refusal import Refusal
from handlers.residents.keeping import Retain
from models.database import current_revision, migrate
from tests.keys import ENVIRONMENT

COMMANDS = [
    "token 王芳",
    "token 王芳 --revoke",
    "admin 郑勇 13800000002",
    "retention",
    "retention --dry-run",
]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that does not exist yet, and the settings that name it."""
    for name in [name for name in os.environ if name.startswith("XIAOGE_")]:
        monkeypatch.delenv(name)
    found = f"sqlite:///{tmp_path / 'xiaoge.db'}"
    values = {"XIAOGE_DATABASE_URL": found, "XIAOGE_PLACE": "default", "XIAOGE_MEDIA": str(tmp_path)}
    for name, value in (ENVIRONMENT | values).items():
        monkeypatch.setenv(name, value)
    return found


@pytest.mark.parametrize("version", [None, "waits_in_columns"])
@pytest.mark.parametrize("words", COMMANDS)
def test_tables_of_another_version_are_told_of(
    url: str, capsys: pytest.CaptureFixture[str], words: str, version: str | None
) -> None:
    if version is not None:
        migrate(url, to=version)

    assert main(words.split()) == 1
    assert capsys.readouterr().err == (
        "xiaoge: The database has no tables of this version: run `xiaoge migrate`.\n"
    )
    assert current_revision(url) == version


@pytest.mark.parametrize("words", COMMANDS)
def test_the_tables_of_another_place_are_told_of(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    assert main(["found"]) == 0
    monkeypatch.setenv("XIAOGE_PLACE", "qingcao")

    assert main(words.split()) == 1
    assert capsys.readouterr().err.startswith(
        "xiaoge: The database is not one of 桐城市青草镇, whose book lacks "
    )


@pytest.mark.parametrize(("words", "kind"), [("token 王芳", GiveKey), ("retention", Retain)])
def test_a_refusal_is_told_in_words(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, kind: type
) -> None:
    def refused(*_: object) -> None:
        raise Refusal("paper.over")

    assert main(["found"]) == 0
    monkeypatch.setitem(HANDLERS, kind, refused)
    monkeypatch.setattr("app.retention.would_go", lambda *_, **__: ["one"])

    assert main(words.split()) == 1
    assert capsys.readouterr().err == (
        "xiaoge: It was refused: 这个链接已经用过或者过了时间，请在聊天里重新要一个。\n"
    )
