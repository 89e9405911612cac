"""The chat page on a phone: one sentence, a photo, a reload, a lost connection, and no script at all."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select
from sqlmodel import col

from models import Incident, Scope
from tests.browser.conftest import Visit
from tests.channels.pictures import picture
from tests.web.house import House

pytestmark = pytest.mark.browser
ANSWER = ".b:not(.me) p"


@pytest.fixture
def sit(house: House, visit: Visit) -> Callable[..., Page]:
    """Open a seat's chat on a phone."""
    return lambda seat, **options: visit(f"{house.url}/chat?seat={seat}", **options)


Sit = Callable[..., Page]


def say(page: Page, words: str) -> None:
    """Type and send."""
    page.fill("#text", words)
    page.click(".go")


def answer(page: Page, words: str) -> None:
    """Wait for words from the other side."""
    expect(page.locator(ANSWER, has_text=words).first).to_be_visible()


def my_state(page: Page) -> str:
    """What stands below one's newest own bubble."""
    return page.locator(".me .state").last.inner_text()


def test_one_sentence_is_sent_and_answered(sit: Sit) -> None:
    page = sit("resident")
    say(page, "3栋楼下路灯坏了")
    answer(page, "已登记：1001")

    expect(page.locator(".me .state").last).to_contain_text("已送达")
    expect(page.locator(".me")).to_have_count(1)
    expect(page.locator("#text")).to_have_value("")


def test_the_worker_accepts_by_a_button_and_the_reporter_hears(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    say(resident, "3栋楼下路灯坏了")
    worker.get_by_role("button", name="1 接单").click()

    answer(worker, "已接单：1001")
    answer(resident, "李强已接单")
    expect(worker.get_by_role("button", name="接单", exact=True)).to_be_visible()


def test_a_photo_is_shown_at_once_and_reaches_the_worker(sit: Sit, tmp_path: Path) -> None:
    resident, worker = sit("resident"), sit("worker")
    (tmp_path / "light.jpg").write_bytes(picture(size=(640, 480)))
    resident.locator("input[type=file]").last.set_input_files(tmp_path / "light.jpg")
    expect(resident.locator(".me .state").last).to_contain_text("已送达")
    say(resident, "3栋楼下路灯坏了")
    answer(resident, "已登记：1001")
    shown = worker.locator(".b a img")

    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") == 640
    expect(resident.locator(".me a img")).to_have_count(1)


def test_what_is_no_photo_is_said_so(sit: Sit, tmp_path: Path) -> None:
    page = sit("resident", expect_errors=True)
    (tmp_path / "light.jpg").write_bytes(b"no picture")
    page.locator("input[type=file]").last.set_input_files(tmp_path / "light.jpg")

    expect(page.locator(".me .state").last).to_contain_text("不是照片")


KEPT = """async wanted => {
    while (!Object.values(localStorage).includes(wanted)) await new Promise(requestAnimationFrame)
}"""
"""Waits in the page's own code: what Playwright polls with, the page's security policy forbids."""


def test_a_reload_keeps_history_draft_and_place(sit: Sit) -> None:
    page = sit("resident")
    for turn in range(4):
        say(page, "帮助")
        expect(page.locator(ANSWER, has_text="还能说")).to_have_count(turn + 1)
    page.fill("#text", "还没说完的话")
    page.locator("#list").evaluate("list => { list.scrollTop = 120 }")
    page.evaluate(KEPT, "120")
    page.reload()

    expect(page.locator(ANSWER, has_text="还能说")).to_have_count(4)
    expect(page.locator("#text")).to_have_value("还没说完的话")
    assert page.locator("#list").evaluate("list => list.scrollTop") == 120


def test_a_lost_connection_queues_and_sends_once(house: House, sit: Sit) -> None:
    page = sit("resident", expect_errors=True)
    page.context.set_offline(True)
    say(page, "3栋楼下路灯坏了")
    expect(page.locator(".me .bad")).to_contain_text("未送达，点此重发")
    page.context.set_offline(False)

    answer(page, "已登记：1001")
    expect(page.locator(".me .state")).to_contain_text("已送达")
    assert house.count(select(col(Incident.id))) == 1


def test_what_waits_survives_a_reload_and_is_sent_once(house: House, sit: Sit) -> None:
    page = sit("resident", expect_errors=True)
    page.route("**/chat/send*", lambda route: route.abort())
    say(page, "3栋楼下路灯坏了")
    expect(page.locator(".me .bad")).to_be_visible()
    page.reload()
    expect(page.locator(".me p")).to_contain_text("3栋楼下路灯坏了")
    page.unroute("**/chat/send*")
    page.locator(".me .bad").click()

    answer(page, "已登记：1001")
    expect(page.locator(".me")).to_have_count(1)
    assert house.count(select(col(Incident.id))) == 1


def test_an_answer_lost_on_the_way_does_not_act_twice(house: House, sit: Sit) -> None:
    page = sit("resident", expect_errors=True)
    lost: list[bool] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(True)
        route.fetch()
        route.abort()

    page.route("**/chat/send*", lose_first)
    say(page, "3栋楼下路灯坏了")
    page.locator(".me .bad").click()

    answer(page, "已登记：1001")
    expect(page.locator(".me .state")).to_contain_text("已送达")
    expect(page.locator(".me")).to_have_count(1)
    assert house.count(select(col(Incident.id))) == 1


def test_ones_place_can_be_sent(sit: Sit) -> None:
    here = {"latitude": 30.001, "longitude": 112.001}
    page = sit("resident", geolocation=here, permissions=["geolocation"])
    page.click("#where")

    expect(page.locator(".me p")).to_contain_text("我的位置")
    expect(page.locator(".b:not(.me)")).to_have_count(2)


def test_without_script_it_works_by_forms(sit: Sit) -> None:
    resident, worker = (sit(seat, java_script_enabled=False) for seat in ("resident", "worker"))
    say(resident, "3栋楼下路灯坏了")
    answer(resident, "已登记：1001")
    worker.get_by_role("link", name="刷新").click()
    worker.get_by_role("button", name="1 接单").click()
    answer(worker, "已接单：1001")
    worker.get_by_role("button", name="待办").click()

    answer(worker, "【办理中】")


def test_a_photo_goes_without_script_too(sit: Sit, tmp_path: Path) -> None:
    page = sit("resident", java_script_enabled=False)
    (tmp_path / "light.jpg").write_bytes(picture())
    page.locator("input[type=file]").last.set_input_files(tmp_path / "light.jpg")
    page.get_by_role("button", name="发照片").click()

    expect(page.locator(".me a img")).to_be_visible()


def test_html_stays_text_and_long_words_stay_on_the_screen(sit: Sit) -> None:
    page = sit("resident")
    say(page, "3栋<img src=x onerror=alert(1)>路灯坏了" + "很长" * 60 + "w" * 300)
    answer(page, "已登记")

    assert page.locator("p img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("#list").evaluate("list => list.scrollWidth <= list.clientWidth")


def test_quick_words_are_said_by_a_tap(sit: Sit) -> None:
    page = sit("worker")
    page.get_by_role("button", name="待办").click()

    expect(page.locator(".me p")).to_have_text("待办")
    expect(page.locator(".b:not(.me)")).to_have_count(2)


# ---- outside the demo: pushed, not asked for -------------------------------------------------------------


def test_two_tabs_of_one_guest_show_the_same(earnest_house: House, visit: Visit) -> None:
    one = visit(f"{earnest_house.url}/chat")
    other = one.context.new_page()
    other.goto(f"{earnest_house.url}/chat")
    say(one, "幸福社区第一网格3栋楼下路灯坏了")

    answer(one, "已登记：1001")
    other.bring_to_front()
    answer(other, "已登记：1001")
    expect(other.locator(".me")).to_have_count(1)


@pytest.mark.parametrize("missing", ["EventSource", "fetch", "Promise"])
def test_an_old_browser_is_served_too(earnest_house: House, visit: Visit, missing: str) -> None:
    page = visit(f"{earnest_house.url}/chat", script=f"delete window.{missing}")
    say(page, "幸福社区第一网格3栋楼下路灯坏了")
    answer(page, "已登记：1001")
    worker = visit(f"{earnest_house.url}/chat?t={earnest_house.token('worker', Scope.CHAT)}")
    worker.get_by_role("button", name="1 接单").click()

    answer(page, "李强已接单")


def test_the_script_keeps_to_old_words() -> None:
    script = (Path(__file__).parents[2] / "web/static/chat.js").read_text()
    code = re.sub(r"//.*|'(?:[^'\\]|\\.)*'", "", script)

    assert not re.findall(
        r"=>|`|\b(?:let|const|class|async|await|import|for\s*\(\s*\w+ of)\b|\?\?|\?\.", code
    )
