"""The leaders' page: what is open where, overdue first, one case's story; only for whom it is meant."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from handbook.personal import mask_name, mask_phone
from handlers.actor import CLOCK
from models import AuditLine, Scope
from tests.web.house import House
from tests.web.pane import Pane, words_of

Sit = Callable[[str], Pane]
HTML = {"accept": "text/html"}


def board(house: House, path: str = "/board", seat: str = "leader", **query: str) -> httpx.Response:
    """Open the board on a seat."""
    return httpx.get(house.url + path, params={"seat": seat, **query}, headers=HTML)


def later(house: House, days: int) -> None:
    """Let days pass as the demo's clock does."""
    answer = httpx.post(f"{house.url}/demo/clock", data={"minutes": str(days * 24 * 60)}, timeout=60)
    assert answer.status_code == 303


def test_open_cases_stand_by_grid_and_stage_the_overdue_first(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯坏了")
    later(house, 20)
    sit("neighbour").say("5栋门口垃圾没人收")
    page = words_of(board(house).text)

    assert re.search(r"2\s*件在办", page)
    assert re.search(r"1\s*件超时", page)
    assert page.index("1001") < page.index("1002")
    assert "幸福社区" in page


def test_an_area_narrows_the_list(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯坏了")
    areas = dict(re.findall(r'<option value="(\d+)"[^>]*>\s*([^<]+)<', board(house).text))
    ids = {name.strip("　 "): number for number, name in areas.items()}

    assert "1001" in board(house, area=ids["幸福社区"]).text
    assert "1001" not in board(house, area=ids["平安村"]).text
    assert 'class="clear"' in board(house, area=ids["平安村"]).text


def test_a_case_tells_its_whole_story_with_its_people_masked(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯坏了")
    later(house, 3)
    page = words_of(board(house, "/board/1001").text)

    assert "上报" in page
    assert "已超时" in page
    assert "王*" in page
    assert "王芳" not in page


def test_what_is_secret_stays_so(house: House, sit: Sit) -> None:
    sit("resident").say("请保密,3栋楼下有人赌博")

    assert "王" not in words_of(board(house, "/board/1001", seat="leader").text)
    assert board(house, "/board/1001", seat="community").status_code in (200, 404)


def test_only_those_who_oversee_see_the_board(house: House) -> None:
    answers = {seat: board(house, seat=seat).status_code for seat in house.seats}

    assert {403} == {answers[seat] for seat in ("resident", "worker", "unit")}
    assert {200} == {answers[seat] for seat in ("community", "town", "leader", "county")}
    assert board(house, seat="nobody").status_code == 401


def test_a_case_opens_only_for_those_it_concerns(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯坏了")
    answers = {seat: board(house, "/board/1001", seat=seat).status_code for seat in house.seats}

    assert {200} == {answers[seat] for seat in ("resident", "worker", "community", "leader")}
    assert {404} == {answers[seat] for seat in ("neighbour", "worker2")}


@pytest.mark.parametrize(
    "query", ["area=", "area=x", "area=-1", "area=99999999999999999999", "area=%00", "area=²"]
)
def test_a_strange_area_is_the_whole_one(house: House, query: str) -> None:
    assert httpx.get(f"{house.url}/board?seat=leader&{query}").status_code == 200


def test_words_of_a_case_are_text_on_the_board(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯<script>alert(1)</script>坏了\u202e")
    for page in (board(house).text, board(house, "/board/1001").text):
        assert "<script" not in page
        assert "\u202e" not in page


def test_a_long_text_is_cut_without_breaking_the_table(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯坏了，" + "很久没人管，" * 4 + "打13800000099找我" + "，请尽快" * 9)
    page = board(house).text

    assert page.count("<a ") == page.count("</a>")
    assert "…" in page or "..." in page


def test_outside_the_demo_a_link_is_needed(earnest_house: House) -> None:
    url = f"{earnest_house.url}/board"
    token = earnest_house.token("leader", Scope.BOARD, until=earnest_house.clock.now() + timedelta(days=1))
    leader = httpx.Client(follow_redirects=True)
    opened = leader.get(url, params={"t": token})

    assert (opened.status_code, token not in str(opened.url)) == (200, True)
    assert leader.get(url).status_code == 200
    earnest_house.clock.move(timedelta(days=2))
    assert leader.get(url).status_code == 401
    assert httpx.get(url, params={"seat": "leader"}).status_code == 401
    leader.close()


def test_names_and_phones_are_masked() -> None:
    assert [mask_name(name) for name in ("王芳", "欧阳娜", "李", "")] == ["王*", "欧**", "李", ""]
    assert [mask_phone(phone) for phone in ("13800000006", "12345", "")] == ["138****0006", "", ""]


def test_every_look_at_a_case_is_noted_before_it_is_shown(house: House, sit: Sit) -> None:
    sit("resident").say("3栋楼下路灯坏了")
    for seat in ("leader", "neighbour", "resident"):
        board(house, "/board/1001", seat=seat)
    token = house.token("community", Scope.API)
    url = f"{house.url}/api/incidents"
    for number in (1001, 1002):
        httpx.get(f"{url}/{number}", headers={"authorization": f"Bearer {token}"})

    with house.desk.reading(CLOCK) as reading:
        lines = reading.session.execute(select(AuditLine).order_by(col(AuditLine.id))).scalars().all()
    seen = [(line.actor_id, line.what, line.subject_id, line.channel) for line in lines]
    assert seen == [
        (house.seats["leader"], "look", 1001, "board"),
        (house.seats["community"], "look", 1001, "api"),
    ]


def test_ones_own_data_is_a_file(house: House, sit: Sit) -> None:
    pane = sit("resident")
    pane.say("3栋楼下路灯坏了")
    pane.say("改我的电话 13800009999")
    answer = httpx.get(f"{house.url}/chat/my-data?seat=resident")

    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["name"], told["phone"], told["cases"][0]["number"]) == ("王芳", "13800009999", "1001")
    assert httpx.get(f"{house.url}/chat/my-data").status_code == 401
