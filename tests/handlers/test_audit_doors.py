"""What is noted in the audit when people are invited, bound, parted, shut out, and lists come and go."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from app.lists import bring_in, take_back
from app.registry import make_administrator
from app.settings import read_settings
from handlers.importing import read_lists
from models import AuditLine
from models.database import open_database
from tests.keys import ENVIRONMENT
from tests.town import Town, founded

GRID = "名称,上级\n第九网格,幸福社区\n".encode()


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as one:
        yield one


def lines(url: str) -> list[tuple[int | None, str, str, str]]:
    """Every line: who, what, at what, by which door."""
    database = open_database(url)
    with Session(database.reader) as session:
        rows = session.execute(select(AuditLine).order_by(col(AuditLine.id))).scalars().all()
    database.close()
    return [(row.actor_id, row.what, row.subject_kind, row.channel) for row in rows]


def number(town: Town, who: str) -> int:
    """Somebody's number."""
    name = town.name(who)
    return next(person for person, known in town.people.items() if known == name)


def code_in(words: str) -> str:
    """The six digits of an invitation."""
    return next(part for part in words.replace("：", " ").replace("，", " ").split() if part.isdecimal())


def in_chat(
    town: Town, sqlite_url: str, deed: Callable[[], object]
) -> list[tuple[int | None, str, str, str]]:
    """The lines that something in a chat adds."""
    before = len(lines(sqlite_url))
    deed()
    return lines(sqlite_url)[before:]


def test_accounts_from_the_invitation_to_the_end(town: Town, sqlite_url: str) -> None:
    keeper, worker = number(town, "community"), number(town, "worker")
    code = code_in(town.say("community", "邀请 李强")[-1])
    town.say("新账号", f"绑定 {code}")
    wrong = in_chat(town, sqlite_url, lambda: town.say("新账号", "1234"))
    bound = in_chat(town, sqlite_url, lambda: town.say("新账号", "0006"))
    asked = in_chat(town, sqlite_url, lambda: town.say("新账号", "解绑"))
    parted = in_chat(town, sqlite_url, lambda: town.say("新账号", "1"))
    changed = in_chat(town, sqlite_url, lambda: town.say("community", "换号 李强 13800000009"))
    town.say("community", "停用 李强")
    out = in_chat(town, sqlite_url, lambda: town.say("community", "1"))

    assert lines(sqlite_url)[0] == (keeper, "invite", "person", "memory")
    assert wrong == asked == []
    assert bound == [(worker, "bind", "person", "memory")]
    assert parted == [(worker, "unbind", "person", "memory")]
    assert changed == [(keeper, "change_number", "person", "memory")]
    assert out == [(keeper, "shut_out", "person", "memory")]


def test_what_is_refused_is_not_noted(town: Town, sqlite_url: str) -> None:
    for words in ("邀请 谁也不是", "换号 李强 123", "停用 谁也不是", "撤销导入 7", "解绑"):
        town.say("town", words)

    assert lines(sqlite_url) == []


def test_a_list_in_a_chat(town: Town, sqlite_url: str) -> None:
    keeper = number(town, "town")
    shown = in_chat(town, sqlite_url, lambda: town.file("town", "网格.csv", GRID))
    came = in_chat(town, sqlite_url, lambda: town.say("town", "1"))
    gone = in_chat(town, sqlite_url, lambda: town.say("town", "撤销导入 1"))
    asked = in_chat(town, sqlite_url, lambda: town.say("town", "导出"))

    assert shown == asked == []
    assert came == [(keeper, "import", "import", "memory")]
    assert gone == [(keeper, "undo_import", "import", "memory")]


def test_the_console(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with founded("default", sqlite_url):
        pass
    names = {"XIAOGE_DATABASE_URL": sqlite_url, "XIAOGE_PLACE": "default", "XIAOGE_MEDIA": str(tmp_path)}
    settings = read_settings({**ENVIRONMENT, **names})
    report = bring_in(settings, read_lists([("网格.csv", GRID)]), dry_run=False)
    take_back(settings, report["number"])
    make_administrator(settings, "管理员", "13800000123")

    assert lines(sqlite_url) == [
        (None, "import", "import", "console"),
        (None, "undo_import", "import", "console"),
        (None, "invite", "person", "console"),
    ]
