"""The command line: what each command says, and how it ends."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

import app
from app.__main__ import main
from app.alone import NoUse, alone
from app.build import build
from app.settings import read_settings
from app.tables import bring_up_to_date, newest
from handlers.tokens import person_of
from models import AuditLine, Conversation, Outbox, Person, Post, Scope
from models.database import DatabaseTrouble, is_current, migrate, open_database
from scheduler.clock import SystemClock
from tests.keys import ENVIRONMENT
from tests.postgres import free_port

pytestmark = pytest.mark.long


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that does not exist yet, and the settings that name it."""
    for name in [name for name in os.environ if name.startswith("XIAOGE_")]:
        monkeypatch.delenv(name)
    for name, key in ENVIRONMENT.items():
        monkeypatch.setenv(name, key)
    found = f"sqlite:///{tmp_path / 'var' / 'xiaoge.db'}"
    monkeypatch.setenv("XIAOGE_DATABASE_URL", found)
    monkeypatch.setenv("XIAOGE_PLACE", "default")
    monkeypatch.setenv("XIAOGE_MEDIA", str(tmp_path / "media"))
    return found


@pytest.fixture
def town_url(url: str, founded_file: Path) -> str:
    """The same with the example town in it."""
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True)
    shutil.copy(founded_file, path)
    return url


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed since one last looked."""
    return capsys.readouterr().out


def test_migrate_found_and_token(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert said(capsys) == f"The tables have version {newest()}.\n"
    assert main(["found"]) == 0
    assert said(capsys) == "The example town of default is in the database.\n"
    assert main(["token", "王芳", "--scope", "chat", "--days", "7"]) == 0
    token = said(capsys).strip()

    now = SystemClock().now()
    database = open_database(url)
    with Session(database.reader) as session:
        person = person_of(session, token, Scope.CHAT, now)
        assert person == session.execute(select(col(Person.id)).where(col(Person.name) == "王芳")).scalar()
        assert person_of(session, token, Scope.API, now) is None
    database.close()


def test_a_town_is_founded_once(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["found"]) == 0
    assert main(["found"]) == 1
    assert "not empty" in capsys.readouterr().err


def test_a_token_is_for_one_person(town_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    database = open_database(town_url)
    with Session(database.writer) as session:
        session.add(Person(name="王芳"))
        session.commit()
    database.close()
    said(capsys)

    assert main(["token", "无名氏"]) == 1
    assert "Nobody here is called 无名氏" in capsys.readouterr().err
    assert main(["token", "王芳"]) == 1
    several = re.findall(r"(\d+) \(", capsys.readouterr().err)
    assert len(several) == 2
    assert main(["token", several[1]]) == 0


@pytest.mark.parametrize(
    "words", ["token 王芳", "token 王芳 --revoke", "admin 郑勇 13800000002", "migrate", "found"]
)
def test_nothing_is_written_beside_a_running_program(
    town_url: str, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    with alone(town_url):
        assert main(words.split()) == 1
    error = capsys.readouterr().err

    assert "stop it first" in error
    assert "Start it again afterwards" in error


def whose(url: str, token: str, after: timedelta) -> int | None:
    """Who comes in by a token to the API, some time from now."""
    database = open_database(url)
    with Session(database.reader) as session:
        found = person_of(session, token, Scope.API, SystemClock().now() + after)
    database.close()
    return found


def test_a_token_opens_for_ninety_days(town_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "李强"])
    token = said(capsys).strip()

    assert whose(town_url, token, timedelta(days=89)) is not None
    assert whose(town_url, token, timedelta(days=91)) is None


def test_a_token_is_taken_away(town_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "李强"])
    main(["token", "王芳"])
    taken, kept = said(capsys).split()

    assert main(["token", "李强", "--revoke"]) == 0
    assert "No key of 李强 opens api any more." in said(capsys)
    assert whose(town_url, taken, timedelta()) is None
    assert whose(town_url, kept, timedelta()) is not None


@pytest.mark.parametrize("days", ["0", "-1", "many", "1000000000"])
def test_a_token_has_a_sensible_lifetime(url: str, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["token", "李强", "--days", days])

    assert wrong.value.code == 2
    assert "is no number of days from 1 to 3650" in capsys.readouterr().err


def test_places_are_listed(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["places"]) == 0
    listed = said(capsys)

    assert [line.split()[0] for line in listed.splitlines()] == [
        "default", "minhou", "qingcao", "shexian", "yinzhou", "yulin",
    ]  # fmt: skip
    assert "闽侯县" in listed


def test_a_wrong_setting_is_one_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XIAOGE_PORT", "eighty")

    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith("xiaoge: XIAOGE_PORT cannot be used: ")


def test_check_of_a_fresh_machine_says_what_to_do(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    first = said(capsys)
    main(["migrate"])
    said(capsys)
    assert main(["check"]) == 0
    second = said(capsys)
    main(["found"])
    said(capsys)
    assert main(["check"]) == 0
    third = said(capsys)

    assert "WRONG The database has no tables of this version: run `xiaoge migrate`." in first
    assert "mind The registry is empty" in second
    assert "WRONG" not in third
    assert "ok   The audit is whole: 0 lines" in third
    assert "The book of minhou is sound" in third
    assert "synchronous=full, journal=wal" in third
    assert re.search(r"The disk keeps a page for good in [\d.]+ ms", third)
    assert re.search(r"[\d.]+ GB are free", third)


def test_another_places_database_is_refused_in_one_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XIAOGE_PLACE", "minhou")
    assert main(["found"]) == 0
    monkeypatch.setenv("XIAOGE_PLACE", "shexian")
    said(capsys)
    assert main(["check"]) == 1
    (finding,) = [line for line in said(capsys).splitlines() if "The database is not one of" in line]

    with pytest.raises(NoUse, match=r"歙县.*lacks level .*role .*set XIAOGE_PLACE back") as caught:
        build(read_settings())
    assert finding == f"WRONG {caught.value}"


def test_a_newer_programs_database_ends_serving_with_one_sentence(url: str) -> None:
    assert main(["migrate"]) == 0
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        connection.commit()

    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "XIAOGE_PORT": "0"},
    )

    assert done.returncode == 1
    assert done.stderr.count("too old to know") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["migrate", "found", "token 王芳", "backup there.db"])
def test_a_file_that_is_no_database_is_left_alone_and_told_in_one_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    file = tmp_path / "passwd"
    file.write_text("somebody:x:1000:1000::/home/somebody:/bin/sh\n")
    monkeypatch.setenv("XIAOGE_DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.chdir(tmp_path)

    assert main(words.split()) == 1
    assert capsys.readouterr().err == f"xiaoge: {file} is no SQLite database, and is left as it is.\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "media") == ["passwd"]


@pytest.mark.parametrize("trial", ["demo", "talk"])
def test_a_trial_leaves_alone_what_is_no_database(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], trial: str
) -> None:
    file = Path("var") / f"{trial}-default.db"
    (tmp_path / "var").mkdir()
    (tmp_path / file).write_text("somebody:x:1000:1000::/home/somebody:/bin/sh\n")
    monkeypatch.chdir(tmp_path)

    assert main([trial]) == 1
    assert capsys.readouterr().err == f"xiaoge: {file} is no SQLite database, and is left as it is.\n"
    assert [path.name for path in (tmp_path / "var").iterdir() if path.is_file()] == [file.name]


def test_serving_a_file_that_is_no_database_ends_with_one_sentence(url: str, tmp_path: Path) -> None:
    tmp_path.joinpath("passwd").write_text("somebody")
    for path, why in {"passwd": "is no SQLite database", "passwd/x.db": "(Not a directory)"}.items():
        with start(
            "serve", PORT=str(free_port()), DATABASE_URL=f"sqlite:///{tmp_path / path}", LOG="error"
        ) as it:
            _, errors = it.communicate(timeout=60)
        assert it.returncode == 1
        assert [why in line for line in errors.splitlines() if line.startswith("xiaoge: ")] == [True]
        assert "Traceback" not in errors


def test_check_tells_of_a_file_that_is_no_database_and_of_a_slip_in_a_name(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XIAOGE_DATABASE_URL", f"sqlite:///{tmp_path}")
    monkeypatch.setenv("XIAOGE_HOOST", "0.0.0.0")

    assert main(["check"]) == 1
    lines = said(capsys).splitlines()
    assert lines[0] == "mind XIAOGE_HOOST is no setting and changes nothing: did you mean XIAOGE_HOST?"
    assert lines[-1] == (
        f"WRONG The database cannot be used: {tmp_path} cannot be used as a database (Is a directory)."
    )


def test_check_warns_of_what_is_only_for_trials(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XIAOGE_TEST_HOOK", "sent.jsonl")

    assert main(["check"]) == 1
    assert "WRONG XIAOGE_TEST_HOOK is set" in said(capsys)


def test_backup(town_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "monday.db"

    assert main(["backup", str(target)]) == 0
    assert said(capsys).startswith(f"{target} is written and whole: {target.stat().st_size:,} bytes.")
    assert main(["backup", str(target)]) == 1
    assert "exists already" in capsys.readouterr().err


def audited(url: str) -> list[str]:
    """What stands in the audit."""
    database = open_database(url)
    with Session(database.reader) as session:
        found = list(session.execute(select(col(AuditLine.what)).order_by(col(AuditLine.id))).scalars())
    database.close()
    return found


def test_an_export_is_noted_also_beside_a_running_program(town_url: str, tmp_path: Path) -> None:
    with alone(town_url):
        assert main(["export", str(tmp_path / "monday.xlsx")]) == 0
        assert audited(town_url) == []
    build(read_settings()).database.close()
    assert audited(town_url) == ["export"]
    assert main(["export", str(tmp_path / "tuesday.xlsx")]) == 0
    assert audited(town_url) == ["export", "export"]


def test_a_backup_is_noted_also_beside_a_running_program(town_url: str, tmp_path: Path) -> None:
    with alone(town_url):
        assert main(["backup", str(tmp_path / "monday.db")]) == 0
        assert audited(town_url) == []
    build(read_settings()).database.close()
    assert audited(town_url) == ["backup"]

    assert main(["backup", str(tmp_path / "tuesday.db")]) == 0
    assert audited(town_url) == ["backup", "backup"]


def test_check_proves_the_audit(town_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "李强"])
    main(["token", "李强", "--revoke"])
    database = open_database(town_url)
    with database.writer.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_line_no_update")
        connection.exec_driver_sql("UPDATE audit_line SET actor_id = 1 WHERE id = 1")
    database.close()
    assert main(["check"]) == 1
    assert "WRONG The audit was tampered with: line 1 is not what was written there." in said(capsys)


def test_tables_are_brought_up_to_date_only_where_they_are_not(url: str) -> None:
    bring_up_to_date(url)
    assert is_current(url)
    path = Path(url.removeprefix("sqlite:///"))
    before = path.stat().st_mtime_ns
    bring_up_to_date(url)

    assert path.stat().st_mtime_ns == before


def test_tables_of_a_newer_program_are_left_alone(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    migrate(url)
    database = open_database(url)
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of_next_year'")
    database.close()

    with pytest.raises(DatabaseTrouble, match="could not be brought up"):
        bring_up_to_date(url)
    assert "too old to know" in capfd.readouterr().err


def test_one_program_at_a_time_works_on_a_file(url: str) -> None:
    with alone(url), pytest.raises(DatabaseTrouble, match="Another program works on"), alone(url):
        pass
    with alone(url):
        pass


def test_many_programs_may_work_on_postgresql() -> None:
    with alone("postgresql://db/xiaoge"), alone("postgresql://db/xiaoge"):
        pass


def start(*command: str, within: Path | None = None, **settings: str) -> "subprocess.Popen[str]":
    """Run the program in a process of its own; a trial keeps what it has in the folder it is started in."""
    named = {f"XIAOGE_{name}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "app", *command],
        cwd=within,
        env=os.environ | {"PYTHONPATH": str(Path(app.__file__).parents[1])} | named,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_says_where_to_click_and_ends_quietly(
    url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with start("demo", within=tmp_path, PORT="0", LOG="error") as demo:
        assert demo.stdout is not None
        lines = [demo.stdout.readline() for _ in range(3)]
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", lines[1])
        assert address is not None
        with socket.create_connection(("127.0.0.1", int(address[1])), timeout=30) as caller:
            caller.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            answer = caller.recv(4096)
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=30)

    assert "桂花镇" in lines[0]
    assert answer.startswith(b"HTTP/1.1 200")
    assert demo.returncode in (0, -number, 130)
    assert "Traceback" not in errors
    assert (tmp_path / "var" / "demo-default.db").exists()
    assert (tmp_path / "var" / "demo-default-media").is_dir()
    assert not Path(url.removeprefix("sqlite:///")).exists()
    assert not (tmp_path / "media").exists()


def test_served_for_the_first_time_it_makes_tables_and_a_town_and_ends_when_told(url: str) -> None:
    port = str(free_port())
    with start("serve", PORT=port) as program:
        with patient_connection(int(port)) as caller:
            caller.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            answer = caller.recv(4096)
        program.send_signal(signal.SIGTERM)
        _, errors = program.communicate(timeout=30)

    assert answer.startswith(b"HTTP/1.1 200")
    assert program.returncode == 0
    assert "the example town of default is in it now" in errors
    assert "Traceback" not in errors


def patient_connection(port: int) -> socket.socket:
    """Connect as soon as somebody listens."""
    for _ in range(3000):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
    raise TimeoutError("nobody listens")


def test_a_port_in_use_is_told_in_one_line(url: str, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        start("demo", within=tmp_path, PORT=str(taken.getsockname()[1])) as demo,
    ):
        _, errors = demo.communicate(timeout=30)

    assert demo.returncode == 1
    assert errors.startswith("xiaoge: ")
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_folder_that_keeps_no_photo_ends_the_start_with_one_sentence(
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    (tmp_path / "media").write_text("a file stands in its place")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo-default-media").write_text("and here")
    with start(command, within=tmp_path, PORT=str(free_port())) as program:
        _, errors = program.communicate(timeout=60)

    assert program.returncode == 2
    assert errors.startswith("xiaoge: XIAOGE_MEDIA cannot be used: no photo can be kept in ")
    assert len(errors.splitlines()) == 1

    assert main(["check"]) == 1
    assert f"WRONG XIAOGE_MEDIA: no photo can be kept in {tmp_path / 'media'}" in said(capsys)


def test_a_busy_file_ends_serving_with_one_sentence(url: str) -> None:
    with alone(url), start("serve", PORT=str(free_port()), LOG="error") as program:
        _, errors = program.communicate(timeout=60)

    assert program.returncode == 1
    assert "xiaoge: Another program works on" in errors
    assert "Traceback" not in errors
    assert errors.count("Another program works on") == 1


def test_the_outer_process_loads_next_to_nothing(url: str) -> None:
    looks = (
        "import sys, app.__main__ as line, app.log, app.supervisor; line.read_settings(); "
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", looks], check=True, capture_output=True, text=True)

    assert {"app", "argparse"} <= set(done.stdout.split())
    assert not {"sqlalchemy", "pydantic", "handbook", "handlers", "models"} & set(done.stdout.split())


def test_an_office_sets_up_its_own_tree(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = tmp_path / "网格.csv"
    lists.write_text("名称,上级,层级\n星河县,,县\n桂花镇,星河县,乡镇\n甲村,无此镇,\n", "gb18030")

    assert main(["import", str(lists), "--dry-run", "--wrong", str(tmp_path / "wrong.csv")]) == 1
    assert "! 网格 第 4 行：上级“无此镇”找不到" in said(capsys)
    assert "无此镇" in (tmp_path / "wrong.csv").read_text("utf-8-sig")
    assert main(["import", str(lists), "--yes"]) == 1
    assert "网格：新增 2，改动 0，不变 0，有误 1" in said(capsys)
    assert main(["export", str(tmp_path / "out.xlsx")]) == 0
    assert main(["import", str(tmp_path / "out.xlsx"), "--yes"]) == 0
    assert said(capsys).endswith("没有要导入的。\n")
    assert main(["undo-import", "1"]) == 0
    assert "第 1 号导入已全部撤销。" in said(capsys)
    assert main(["undo-import", "1"]) == 1
    assert "撤销过" in capsys.readouterr().err


def test_the_skeleton_comes_from_the_official_names(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "--template", str(tmp_path / "empty.xlsx")]) == 0
    assert main(["import", "--divisions", "350121", "--yes"]) == 0
    assert "新增 354" in said(capsys)
    assert main(["import", "--divisions", "110101"]) == 1
    assert main(["import"]) == 2


def test_the_first_administrator_is_made_once_and_binds_by_the_code(
    town_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = []
    for name, phone in (("郑勇", "13800000002"), ("郑勇", "13900000002"), ("罗成", "13900000003")):
        assert main(["admin", name, phone]) == 0
        outputs.append(said(capsys))

    assert all(re.search(r"绑定 \d{6} ", words) for words in outputs)
    assert all(re.search(r"http://127\.0\.0\.1:8000/join\?c=b[0-9a-f]{32}", words) for words in outputs)
    assert administrators(town_url) == [("罗成", "13900000003"), ("郑勇", "13900000002")]


def administrators(url: str) -> list[tuple[str, str | None]]:
    """Who holds the post at the top."""
    database = open_database(url)
    with Session(database.reader) as session:
        holders = select(Person).join(Post, col(Post.person_id) == col(Person.id))
        found = session.execute(holders.where(col(Post.role) == "admin")).scalars()
        people = sorted((person.name, person.phone) for person in found)
    database.close()
    return people


@pytest.mark.parametrize("phone", ["12", "1380000000a", "23800000002", "１３８０００００００２"])
def test_an_administrator_has_a_phone(url: str, phone: str) -> None:
    with pytest.raises(SystemExit):
        main(["admin", "郑勇", phone])


def test_without_a_tree_nobody_is_made_an_administrator(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert main(["admin", "郑勇", "13800000002"]) == 1
    assert "no tree of grids yet" in capsys.readouterr().err


def test_retention_says_what_would_go_and_takes_it_out(
    town_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = open_database(town_url)
    long_ago = SystemClock().now() - timedelta(days=200)
    with Session(database.writer) as session:
        person = session.execute(select(Person).where(col(Person.name) == "王芳")).scalar_one()
        session.add(
            Conversation(chat_key="x", channel="x", chat="x", handle="x", state={"a": 1}, touched_at=long_ago)
        )
        session.add(
            Outbox(
                key="x",
                recipient="px",
                text="x",
                args={"a": 1},
                choices=[],
                at=long_ago,
                not_before=long_ago,
                person_id=person.id,
            )
        )
        session.commit()
    database.close()

    for _ in range(2):
        assert main(["retention", "--dry-run"]) == 0
        told = said(capsys)
        assert "发出满180天的消息：1条，删去内容" in told
        assert "满30天没有说话的聊天：1个" in told
    assert main(["retention"]) == 0
    assert "已清理 2 条。" in said(capsys)
    assert main(["retention", "--dry-run"]) == 0
    assert said(capsys) == "没有到期的。\n"
