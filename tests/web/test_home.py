"""The first page: in the demo every seat and a clock to move, elsewhere what this is; and the health page."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session

from handbook.loading import places
from tests.web.house import MONDAY, House, build_house, serving
from tests.web.pane import Pane, words_of
from web.guard import HEADERS
from web.pages.home import EXAMPLES

Sit = Callable[[str], Pane]


def test_the_demo_shows_three_seats_side_by_side(house: House) -> None:
    page = httpx.get(house.url).text

    assert re.findall(r'src="/chat\?seat=(\w+)"', page) == ["resident", "worker", "community"]
    assert "11月23日(周一)10:" in page
    assert "XIAOGE_PLACE" in page


def test_one_to_four_seats_can_be_chosen(house: House) -> None:
    def panes(query: str) -> list[str]:
        return re.findall(r'src="/chat\?seat=(\w+)"', httpx.get(f"{house.url}/?{query}").text)

    assert panes("show=leader") == ["leader"]
    assert panes("show=town&show=resident&show=town&show=nobody") == ["town", "resident"]
    assert len(panes("&".join(f"show={seat}" for seat in house.seats))) == 4
    assert len(panes("show=%3Cscript%3E")) == 1


def test_the_clock_goes_forward_by_a_button_without_script(house: House) -> None:
    client = httpx.Client(base_url=house.url, follow_redirects=True, timeout=30)
    page = client.post("/demo/clock", data={"minutes": "1440", "show": ["town", "leader"]})

    assert "11月24日(周二)10:" in page.text
    assert re.findall(r'src="/chat\?seat=(\w+)"', page.text) == ["town", "leader"]
    client.close()


def test_to_the_next_due_time_lets_a_case_climb(house: House, sit: Sit) -> None:
    resident, community = sit("resident"), sit("community")
    resident.say("3栋楼下路灯坏了")
    for _ in range(6):
        due = httpx.get(f"{house.url}/demo/clock").json()["due"]
        moved = httpx.post(
            f"{house.url}/demo/clock",
            data={"minutes": "next"},
            headers={"accept": "application/json"},
            timeout=60,
        )
        assert moved.json()["now"] == due

    assert "上报" in community.hear() or "上报" in community.shown()
    assert house.clock.now() > MONDAY + timedelta(hours=12)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"minutes": ""},
        {"minutes": "-5"},
        {"minutes": "0"},
        {"minutes": "nan"},
        {"minutes": "inf"},
        {"minutes": "1e9"},
        {"minutes": "\x00"},
        {"minutes": "下一个"},
    ],
)
def test_time_goes_only_forward_and_not_too_far(shared_house: House, form: dict[str, str]) -> None:
    before = shared_house.clock.now()
    answer = httpx.post(f"{shared_house.url}/demo/clock", data=form)

    assert answer.status_code == 422
    assert shared_house.clock.now() < before + timedelta(minutes=5)


@pytest.mark.parametrize("place", places())
def test_the_examples_are_filed_in_one_turn_everywhere(sqlite_url: str, tmp_path: Path, place: str) -> None:
    with serving(build_house(sqlite_url, tmp_path, place=place)) as house:
        pane = Pane(house.url, "resident")
        answers = [pane.say(words) for words in EXAMPLES]
        pane.close()

    assert all("登记" in answer for answer in answers), answers


def test_elsewhere_the_first_page_says_what_this_is(earnest_house: House) -> None:
    page = words_of(httpx.get(earnest_house.url).text)

    assert "开始说" in page
    assert "119" in page
    assert httpx.post(f"{earnest_house.url}/demo/clock", data={"minutes": "60"}).status_code == 404
    assert httpx.get(f"{earnest_house.url}/demo/clock").status_code == 404


@pytest.mark.parametrize("path", ["/", "/chat", "/healthz", "/nowhere", "/api/me", "/board", "/static/x/y"])
def test_every_answer_has_its_headers(shared_house: House, path: str) -> None:
    headers = httpx.get(shared_house.url + path).headers

    assert set(HEADERS) <= set(headers)
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("seat", ["resident", "leader"])
def test_no_page_has_script_or_style_in_it(house: House, sit: Sit, seat: str) -> None:
    sit("resident").say("3栋楼下路灯坏了")
    for path in ("/", f"/chat?seat={seat}", "/board?seat=leader", "/board/1001?seat=leader", "/api/docs"):
        page = httpx.get(house.url + path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page), path
        assert "://" not in page, path


def test_a_static_file_is_kept_by_browsers_and_nothing_else_is_served(house: House) -> None:
    address = re.findall(r'href="(/static/[^"]+\.css)"', httpx.get(house.url).text)[0]
    answer = httpx.get(house.url + address)

    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    for path in ("/static/x/../app.py", "/static/x/..%2fapp.py", "/static/x/%00", "/static/x/none.css"):
        assert httpx.get(house.url + path).status_code == 404


def test_the_chat_page_is_small(house: House) -> None:
    page = httpx.get(f"{house.url}/chat?seat=resident").text
    sizes = {
        name.rpartition(".")[2]: len(httpx.get(house.url + name).content)
        for name in re.findall(r'="(/static/[^"]+\.(?:css|js))"', page)
    }

    assert sizes["js"] <= 6000
    assert sum(sizes.values()) < 8000
    assert len(page.encode()) < 4000


def test_health_is_told(house: House) -> None:
    answer = httpx.get(f"{house.url}/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_a_lane_that_does_not_answer_is_told(house: House) -> None:
    held = house.lane.run_soon(lambda session: hold(session, house))
    answer = httpx.get(f"{house.url}/healthz", timeout=10)
    house.release.set()
    held.result(10)

    assert (answer.status_code, answer.text) == (503, "writing: TimeoutError\n")
    assert httpx.get(f"{house.url}/healthz").status_code == 200


def hold(session: Session, house: House) -> None:
    """Keep the writer busy until the test lets it go."""
    session.execute(text("SELECT 1"))
    assert house.release.wait(10)
