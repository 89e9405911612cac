"""Papers of a place among several: the links on them stay in it, and its cookie is taken for no other's."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from app.places import read_places
from app.settings import WrongSetting
from handlers.registry.spreadsheets import write_excel
from handlers.tokens import issue
from handlers.writing import Writing
from models import Person, Scope
from tests.places.system import System
from tests.web.pane import Pane

LIST = write_excel([("网格", [["名称", "上级"], ["第九网格", "幸福社区"], ["=甲", "没有的"]])])
SECRET = re.compile(r"/aa/paper\?c=(b[0-9a-f]{32})")


@contextmanager
def pane(system: System, seat: str) -> Iterator[Pane]:
    """The chat page of somebody in aa."""
    program = system.program("aa")

    def job(session: Writing) -> str:
        person = session.execute(select(col(Person.id)).where(col(Person.seat) == seat)).scalar_one()
        return issue(session, person, Scope.CHAT, program.clock.now())

    opened = Pane(f"{system.url}/aa", token=program.lane.run_soon(job).result(10))
    with closing(opened.http):
        yield opened


def list_sent(system: System) -> str:
    """The answer to a list."""
    with pane(system, "county") as office:
        office.heard = office.newest()["id"]
        action = re.search(r'id="file" method="post" action="([^"?]*)', office.page.text)
        assert action is not None
        assert action[1] == "/aa/chat/file"
        sent = {"data": {"id": "list-number-one"}, "files": {"file": ("网格.xlsx", LIST)}}
        assert office.post("/chat/file", headers={"accept": "application/json"}, **sent).status_code == 200
        return next(words for words in iter(office.hear, "") if SECRET.search(words))


def invited(system: System) -> str:
    """The answer to an invitation."""
    with pane(system, "community") as office:
        return office.say("邀请 李强")


@pytest.mark.parametrize(("said", "shown"), [(list_sent, "没有的"), (invited, "网格员李强")])
def test_a_paper_opens_where_the_place_is(system: System, said: Callable[[System], str], shown: str) -> None:
    words = said(system)
    secret = SECRET.search(words)
    assert secret is not None, words
    with httpx.Client(base_url=system.url, follow_redirects=True, timeout=30) as browser:
        assert browser.get("/aa/paper", params={"c": secret[1]}).status_code == 200
        page = browser.post("/aa/paper", data={"c": secret[1]})
        assert page.status_code == 200
        assert shown in page.text
        path = page.url.path
        assert re.fullmatch(r"/aa/paper/\d+", path)
        (cookie,) = browser.cookies.jar
        assert (cookie.name, cookie.path) == ("xiaoge_paper_aa", path)
        links = [one for one in re.findall(r'href="(/[^"]*)"', page.text) if one.endswith(".csv")]
        assert [one.rpartition("/")[2] for one in links] == (
            ["wrong.csv", "changes.csv"] if said is list_sent else []
        )
        assert {browser.get(one).status_code for one in links} <= {200}
        assert browser.get(path.replace("/aa/", "/bb/")).status_code == 403
    stranger = {"cookie": f"xiaoge_paper={cookie.value}"}
    assert httpx.get(f"{system.url}{path}", headers=stranger).status_code == 403


def test_no_place_is_called_as_our_own_pages_are(tmp_path: Path) -> None:
    file = tmp_path / "places.toml"
    file.write_text('[paper]\nbook = "default"\ndatabase = "sqlite:///x.db"\nmedia = "media"\n', "utf-8")

    with pytest.raises(WrongSetting, match=r"'paper' in .* is no name for a place"):
        read_places({"XIAOGE_PLACES": str(file)})
