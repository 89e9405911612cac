"""Lists sent on the page, and papers that a link opens once, in one browser, for whoever asked for them."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import openpyxl
import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from handlers.registry.spreadsheets import write_excel
from models import AuditLine, Grid, Scope
from tests.web.house import House
from tests.web.pane import Pane, words_of

Sit = Callable[[str], Pane]
MORE = write_excel([("网格", [["名称", "上级"], ["第九网格", "幸福社区"], ["=甲", "没有的"]])])
SECRET = re.compile(r"/paper\?c=(b[0-9a-f]{32})")


def send(pane: Pane, data: bytes = MORE, name: str = "网格.xlsx") -> httpx.Response:
    """Choose a file on the page."""
    return pane.post(
        "/chat/file",
        data={"id": f"list-{len(data)}-one"},
        files={"file": (name, data)},
        headers={"accept": "application/json"},
    )


def secret_in(words: str) -> str:
    """The secret of the paper's link in somebody's words."""
    found = SECRET.search(words)
    assert found is not None, words
    return found[1]


def tried(pane: Pane) -> str:
    """A list is sent; what it would bring is answered."""
    pane.heard = pane.newest()["id"]
    assert send(pane).status_code == 200
    return pane.hear()


@pytest.fixture
def browser(house: House) -> Iterator[httpx.Client]:
    """A browser without any cookie."""
    with httpx.Client(base_url=house.url, timeout=30, follow_redirects=True) as client:
        yield client


def opened(browser: httpx.Client, secret: str) -> httpx.Response:
    """The link is opened, and the button on its page pressed."""
    assert browser.get("/paper", params={"c": secret}).status_code == 200
    return browser.post("/paper", data={"c": secret})


def audit(house: House) -> list[tuple[str, str, str]]:
    """What was noted: the deed, at what, by which door."""
    with Session(house.database.reader) as session:
        rows = session.execute(select(AuditLine).order_by(col(AuditLine.id))).scalars()
        return [(line.what, line.subject_kind, line.channel) for line in rows]


def test_a_list_is_chosen_on_the_page_shown_and_brought_in(house: House, sit: Sit) -> None:
    office = sit("county")
    assert 'name="file"' in office.page.text
    told = tried(office)
    assert "新增1，改动0，不变0，有误1" in told
    assert "文件：网格.xlsx" in office.shown()
    buttons = office.buttons()
    assert list(buttons) == ["1 导入", "0 不导入"]
    done = office.say("", pressed=buttons["1 导入"])
    number = re.search(r"撤销导入 (\d+)", done)
    assert number is not None
    there = house.count(select(col(Grid.name)).where(col(Grid.name) == "第九网格"))
    assert "整批撤销" in office.say(f"撤销导入 {number[1]}")

    assert there == 1
    assert audit(house) == [("import", "import", "webchat"), ("undo_import", "import", "webchat")]


@pytest.mark.parametrize("seat", ["worker", "resident"])
def test_whoever_may_not_is_offered_no_file(house: House, sit: Sit, seat: str) -> None:
    pane = sit(seat)

    assert 'name="file"' not in pane.page.text
    assert send(pane).status_code == 403


def test_a_report_opens_once_and_in_one_browser(house: House, sit: Sit, browser: httpx.Client) -> None:
    secret = secret_in(tried(sit("county")))
    page = opened(browser, secret)
    shown = words_of(page.text)
    again = browser.get(page.url)
    wrong = browser.get(f"{page.url}/wrong.csv")
    changes = browser.get(f"{page.url}/changes.csv")
    other = httpx.get(page.url)

    assert "上级“没有的”找不到" in shown
    assert "第九网格" in shown
    assert again.status_code == 200
    assert "没有的" in wrong.content.decode("utf-8-sig")
    assert "新增" in changes.content.decode("utf-8-sig")
    assert other.status_code == 403
    assert httpx.get(f"{page.url}/wrong.csv").status_code == 403
    assert httpx.post(f"{house.url}/paper", data={"c": secret}).status_code == 403
    assert browser.get(f"{page.url}/else.csv").status_code == 404
    assert page.headers["cache-control"] == "no-store"


def test_a_paper_is_closed_after_its_time(house: House, sit: Sit, browser: httpx.Client) -> None:
    office = sit("county")
    late, secret = secret_in(tried(office)), secret_in(office.say("导出"))
    page = opened(browser, late)
    house.clock.move(timedelta(minutes=11))
    too_late = browser.post("/paper", data={"c": secret})
    house.clock.move(timedelta(minutes=20))

    assert too_late.status_code == 403
    assert browser.get(page.url).status_code == 403


def test_all_lists_go_out_once_and_that_is_noted(house: House, sit: Sit, browser: httpx.Client) -> None:
    secret = secret_in(sit("county").say("导出"))
    before = audit(house)
    file = opened(browser, secret)
    again = browser.post("/paper", data={"c": secret})

    assert before == []
    assert "幸福社区" in str(list(openpyxl.load_workbook(io.BytesIO(file.content))["网格"].values))
    assert again.status_code == 403
    assert audit(house) == [("export", "registry", "webchat")]


def test_the_template_is_for_everybody(shared_house: House) -> None:
    book = openpyxl.load_workbook(io.BytesIO(httpx.get(f"{shared_house.url}/template.xlsx").content))

    assert {sheet.max_row for sheet in book} == {1}


def test_an_invitation_can_be_printed_by_whoever_made_it(
    house: House, sit: Sit, browser: httpx.Client
) -> None:
    told = sit("community").say("邀请 李强")
    page = opened(browser, secret_in(told)).text
    join = re.search(r"http://pages.example/join\?c=b[0-9a-f]{32}", told)

    assert join is not None
    assert join[0] in page
    assert "<svg" in page
    assert "网格员李强" in page
    assert "第一网格" in page
    assert audit(house) == [("invite", "person", "webchat")]


@pytest.mark.parametrize("secret", ["", "x", "b" + "0" * 31, "b" + "g" * 32])
def test_a_link_that_is_none_leads_nowhere(shared_house: House, secret: str) -> None:
    assert httpx.get(f"{shared_house.url}/paper", params={"c": secret}).status_code == 404
    assert httpx.post(f"{shared_house.url}/paper", data={"c": secret}).status_code == 404


def test_a_key_of_another_paper_opens_none(house: House, sit: Sit, browser: httpx.Client) -> None:
    office = sit("county")
    first = opened(browser, secret_in(tried(office)))
    number = int(str(first.url).rpartition("/")[2])
    told = sit("community").say("邀请 李强")
    with httpx.Client(base_url=house.url, follow_redirects=True) as other:
        poster = opened(other, secret_in(told))
        key = other.cookies["xiaoge_paper"]
    assert poster.status_code == 200

    assert httpx.get(first.url, cookies={"xiaoge_paper": key}).status_code == 403
    assert httpx.get(f"{house.url}/paper/{number + 99}", cookies={"xiaoge_paper": key}).status_code == 403


def test_the_api_notes_what_it_brings_in_and_gives_out(house: House) -> None:
    key = {"authorization": f"Bearer {house.token('county', Scope.API)}"}
    with httpx.Client(base_url=f"{house.url}/api", headers=key, timeout=30) as office:
        number = office.post("/import", content=MORE).json()["number"]
        office.post(f"/import/{number}/undo")
        office.get("/export")
        office.post("/commands/shut_out", json={"who": "李强"})
        office.post("/commands/change_number", json={"who": "李强", "phone": "13800000009"})

    assert audit(house) == [
        ("import", "import", "api"),
        ("undo_import", "import", "api"),
        ("export", "registry", "api"),
        ("shut_out", "person", "api"),
        ("change_number", "person", "api"),
    ]
