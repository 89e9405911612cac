"""A place in trouble: the others are served, whoever asks is told so, and it comes back by itself."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg

from app.alone import NoUse, alone
from app.places import read_places
from app.registry import found_at
from tests.crash.serving import wait_until
from tests.places.conftest import Lend
from tests.places.system import System, found, served, tables_for
from tests.postgres import driver_url, order

CLOSED = "现在没有开"


def chat(system: System, place: str, **more: str) -> httpx.Response:
    """Open a place's chat in a browser."""
    return system.get(f"/{place}/chat", headers={"accept": "text/html", **more})


def copies(template: Path, folder: Path, *names: str) -> dict[str, str]:
    """Migrated files without people, by name of a place."""
    return {name: f"sqlite:///{shutil.copy(template, folder / f'{name}.db')}" for name in names}


def hang_up(url: str) -> None:
    """End all connections to a database."""
    with psycopg.connect(driver_url(url).rpartition("/")[0] + "/postgres", autocommit=True) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(query, [url.rpartition("/")[2]])


def test_a_database_that_goes_away_stops_one_place_until_it_is_back(
    postgres_url: str, postgresql_databases: Lend, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        urls = {name: stack.enter_context(postgresql_databases(tmp_path, name)) for name in ("aa", "bb")}
        places = tables_for(tmp_path, urls)
        for place in places:
            found(place)
        name = urls["aa"].rpartition("/")[2]
        system = stack.enter_context(served(places))
        order(postgres_url, "ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        hang_up(urls["aa"])
        wait_until(lambda: system.get("/aa/healthz").status_code == 503)

        assert system.get("/healthz").text == "aa: in trouble\nbb: ok\n"
        assert system.get("/healthz").status_code == 200
        assert system.say("aa", "zhang", "路灯坏了").status_code == 503
        assert system.say("bb", "zhang", "路灯坏了").status_code == 200
        assert chat(system, "bb").status_code == 200
        order(postgres_url, "ALTER DATABASE {} ALLOW_CONNECTIONS true", name)
        wait_until(lambda: system.say("aa", "zhang", "路灯坏了").status_code == 200)
        assert system.get("/healthz").text == "aa: ok\nbb: ok\n"


def test_a_place_that_cannot_start_is_tried_again(sqlite_template: Path, tmp_path: Path) -> None:
    urls = {name: f"sqlite:///{tmp_path}/{name}/x.db" for name in ("aa", "bb")}
    (tmp_path / "bb").mkdir()
    shutil.copy(sqlite_template, tmp_path / "bb" / "x.db")
    (tmp_path / "aa").write_text("a file stands in the way of the folder")
    places = tables_for(tmp_path, urls)
    found(places[1])
    with served(places) as system:
        assert "cannot be used as a database (Not a directory)" in system.branch("aa").trouble
        assert system.get("/healthz").text == "aa: in trouble\nbb: ok\n"
        answer = chat(system, "aa")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert CLOSED in answer.text
        assert "x.db" not in answer.text
        assert system.say("aa", "zhang", "路灯坏了").json()["error"] == "busy"
        assert f"（{CLOSED}）" in system.get("/").text
        assert chat(system, "bb").status_code == 200

        (tmp_path / "aa").unlink()
        wait_until(lambda: "The registry is empty: `xiaoge --place aa import`" in system.branch("aa").trouble)
        wait_until(lambda: _founded(system))
        wait_until(lambda: chat(system, "aa").status_code == 200)
        assert system.branch("aa").trouble == ""


def _founded(system: System) -> bool:
    """Found the town between two tries; while one goes on the file is held."""
    settings = system.branch("aa")._place.must_be_usable()
    try:
        with alone(settings.database_url):
            return found_at(settings)
    except NoUse:
        return False


def test_two_counties_with_one_book_have_a_name_each(sqlite_template: Path, tmp_path: Path) -> None:
    urls = {
        name: f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{name}.db')}" for name in ("aa", "cc")
    }
    file = tmp_path / "places.toml"
    tables_for(tmp_path, urls, {"aa": "default", "cc": "default"})
    file.write_text(file.read_text("utf-8") + 'title = "永泰县"\nhostname = "yongtai.example.cn"\n', "utf-8")
    places = read_places({"XIAOGE_PLACES": str(file)}) or []
    for place in places:
        found(place)
    with served(places) as system:
        there = {"host": f"yongtai.example.cn:{system.url.rpartition(':')[2]}", "accept": "text/html"}
        page = system.get("/chat", headers=there)

        assert "永泰县" in page.text
        assert 'action="/chat/send"' in page.text
        assert "path=/;" in page.headers["set-cookie"].lower()
        assert "桂花镇" in chat(system, "aa").text
        assert chat(system, "cc").status_code == 404
        assert system.get("/aa/chat", headers=there).status_code == 404
        assert 'href="http://yongtai.example.cn:8000/"' in system.get("/").text
        assert system.get("/healthz", headers=there).text == "ok\n"


def test_one_file_under_two_names_is_served_for_one_place(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "aa.db")
    os.link(tmp_path / "aa.db", tmp_path / "bb.db")
    places = tables_for(tmp_path, {name: f"sqlite:///{tmp_path}/{name}.db" for name in ("aa", "bb")})
    with served(places) as system:
        troubles = [system.branch(name).trouble for name in ("aa", "bb")]

    assert sum("This is the database of" in trouble for trouble in troubles) == 1


def test_a_place_whose_table_is_wrong_is_left_out(sqlite_template: Path, tmp_path: Path) -> None:
    urls = {
        name: f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{name}.db')}" for name in ("aa", "bb")
    }
    tables_for(tmp_path, urls)
    file = tmp_path / "places.toml"
    file.write_text(file.read_text("utf-8") + "tokn = 1\n", "utf-8")
    places = read_places({"XIAOGE_PLACES": str(file)}) or []
    found(places[0])
    with served(places) as system:
        assert system.get("/healthz").text == "aa: ok\nbb: in trouble\n"
        assert "tokn is no setting" in system.branch("bb").trouble
        assert chat(system, "bb").status_code == 503
        assert chat(system, "aa").status_code == 200
