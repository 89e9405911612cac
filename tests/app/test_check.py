"""The self-check names what is wrong in plain words, and calls nothing good that is not."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text

from app.__main__ import main
from app.backup import back_up
from app.check import check_place
from app.check_places import check_places
from app.places import read_places
from app.settings import Settings
from models.database import open_database
from scheduler.clock import SystemClock
from tests.app.test_backup import settings
from tests.keys import ENVIRONMENT

TOKEN = "123456:fictional"


def said(given: Settings, *, online: bool = False) -> str:
    """All findings about a place."""
    return "\n".join(map(str, check_place(given, online=online)))


def order(url: str, statement: str, **values: object) -> None:
    """Write something into a database."""
    database = open_database(url)
    with closing(database), database.writer.begin() as connection:
        connection.execute(text(statement), values)


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO job_run (job, slot, at, process) VALUES ('watch', '1', :at, 'p')",
        "INSERT INTO inbox (channel, message_id, chat_key, body, received_at, state, tries) "
        "VALUES ('memory', '1', 'c', '{}', :at, 'done', 0)",
    ],
)
def test_a_clock_that_went_back_is_told(migrated_url: str, tmp_path: Path, row: str) -> None:
    given = settings(migrated_url, tmp_path)
    assert "ok   The machine's clock shows" in said(given)
    later = SystemClock().now() + timedelta(days=2)
    order(
        migrated_url, row, at=later if migrated_url.startswith("postgresql") else f"{later:%Y-%m-%d %H:%M:%S}"
    )

    assert "WRONG The machine's clock shows" in said(given)


def test_the_age_of_the_backups_is_told(sqlite_url: str, tmp_path: Path) -> None:
    given = settings(sqlite_url, tmp_path, BACKUPS=str(tmp_path / "kept"))
    assert "mind No folder of backups is told of (XIAOGE_BACKUPS)" in said(settings(sqlite_url, tmp_path))
    assert "mind There is no backup of default" in said(given)
    made = back_up(given, tmp_path / "kept" / "a.tar")
    assert f"ok   The newest backup in {tmp_path / 'kept'} is of {made.made_at}." in said(given)
    assert "is on the database's own disk" in said(given)

    content = (tmp_path / "kept" / "a.tar").read_bytes()
    long_ago = f"{SystemClock().now() - timedelta(days=9):%Y-%m-%d}".encode()
    (tmp_path / "kept" / "a.tar").write_bytes(content.replace(made.made_at[:10].encode(), long_ago))
    (tmp_path / "kept" / "b.tar").write_text("none")
    assert "9 days old: see why no newer one is made" in said(given)


def test_keys_that_were_never_copied_are_told(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    for name, value in {
        "DATABASE_URL": sqlite_url,
        "PLACE": "default",
        "MEDIA": str(tmp_path / "media"),
    }.items():
        monkeypatch.setenv(f"XIAOGE_{name}", value)
    copies = [tmp_path / "stick" / name for name in ("first", "second")]

    def told() -> str:
        main(["check"])
        return capsys.readouterr().out

    assert main(["keys", "copy", str(copies[0])]) == 1
    assert "cannot be read" in capsys.readouterr().err
    main(["found"])
    assert "mind The newest key was never copied" in told()
    assert main(["keys", "copy", str(copies[0])]) == 0
    assert f"ok   The keys were copied to {copies[0]}." in told()
    assert copies[0].stat().st_mode & 0o777 == 0o600
    assert copies[0].read_text() == Path(f"{sqlite_url.removeprefix('sqlite:///')}.keys").read_text()
    assert main(["keys", "rotate"]) == 0
    assert "mind The newest key was never copied" in told()
    assert main(["keys", "copy", str(copies[0])]) == 1
    assert main(["keys", "copy", str(copies[1])]) == 0
    assert "ok   The keys were copied to" in told()
    assert main(["keys", "copy"]) == 2


# ---- the network, when asked ---------------------------------------------------------------------------


@contextmanager
def far_end(answers: dict[str, tuple[int, object]]) -> Iterator[str]:
    """A server on this machine that answers each path as told, and is Telegram and our proxy at once."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, {"ok": False}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


ME, HOOK = f"/bot{TOKEN}/getMe", f"/bot{TOKEN}/getWebhookInfo"
OURS = "https://grid.example.cn/hooks/telegram"
GOOD: dict[str, tuple[int, object]] = {
    "/healthz": (200, "ok"),
    ME: (200, {"ok": True, "result": {"username": "grid_bot"}}),
    HOOK: (200, {"ok": True, "result": {"url": OURS}}),
}
FAULTS: list[tuple[dict[str, tuple[int, object]], str]] = [
    ({}, "ok   Telegram knows the token: the bot is @grid_bot."),
    ({}, "ok   Telegram delivers."),
    ({}, "ok   The pages answer at"),
    ({ME: (401, {"ok": False})}, "WRONG Telegram does not know the bot's token"),
    (
        {HOOK: (200, {"ok": True, "result": {"url": ""}})},
        f"mind Telegram posts to nobody, and should to {OURS}",
    ),
    (
        {
            HOOK: (
                200,
                {"ok": True, "result": {"url": OURS, "last_error_message": "502", "pending_update_count": 3}},
            )
        },
        f"WRONG Telegram could not deliver to {OURS}: 502.",
    ),
    ({"/healthz": (502, "")}, "answer with 502"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_channels_are_asked_only_when_told(
    sqlite_url: str, tmp_path: Path, fault: dict[str, tuple[int, object]], words: str
) -> None:
    with far_end(GOOD | fault) as url:
        names = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_SECRET": "0123456789abcdef", "TELEGRAM_WEBHOOK_URL": OURS}
        given = settings(sqlite_url, tmp_path, TELEGRAM_BASE_URL=url, URL=url, **names)
        asked, quiet = said(given, online=True), said(given)

    assert words in asked
    assert words not in quiet
    assert TOKEN not in asked


def test_where_nothing_answers_no_token_is_told(sqlite_url: str, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    given = settings(sqlite_url, tmp_path, TELEGRAM_BASE_URL=nowhere, URL=nowhere, TELEGRAM_TOKEN=TOKEN)
    asked = said(given, online=True)

    assert "WRONG Telegram cannot be reached (ConnectError)" in asked
    assert "WRONG Nothing answers at http://127.0.0.1:9" in asked
    assert TOKEN not in asked


# ---- several places --------------------------------------------------------------------------------------


def test_places_are_looked_at_one_by_one(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "places.toml"
    tables = [
        f'[{name}]\nbook = "default"\nmedia = "{tmp_path / name}"\ndatabase = "{url}"\n'
        for name, url in (("aa", sqlite_url), ("bb", f"sqlite:///{tmp_path / 'none.db'}"), ("cc", "nonsense"))
    ]
    file.write_text("\n".join([*tables, 'telegram_token = "x"', ""]))
    file.chmod(0o644)
    environment = {"XIAOGE_PLACES": str(file), "XIAOGE_HOOST": "x"}
    places = read_places(environment)
    assert places is not None
    lines = list(map(str, check_places(places, environment=environment)))

    assert lines[0].startswith("mind XIAOGE_HOOST is no setting")
    assert lines[1].startswith(
        f"WRONG Others on this machine can read {file}, which holds [cc] telegram_token"
    )
    assert (
        "mind [aa] The registry is empty, so the place is not served: `xiaoge --place aa import`"
        in "\n".join(lines)
    )
    assert "WRONG [bb] The database has no tables of this version: run `xiaoge --place bb migrate`." in lines
    assert any(line.startswith(f"WRONG {file}: [cc] database cannot be used") for line in lines)
    assert sum("The book of minhou is sound" in line for line in lines) == 1


def test_a_calendar_that_has_ended_is_wrong(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: now(self) + timedelta(days=1000))

    assert "WRONG The holiday calendar ended on" in said(settings(sqlite_url, tmp_path))
