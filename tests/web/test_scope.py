"""Every route, every role: not one's own is as not there, and no route is forgotten (row 98)."""

import httpx
import pytest

from handlers.actor import CLOCK
from handlers.catalogue import COMMANDS
from models import Scope
from tests.web.house import House
from web.app import make_app

ABSENT = 999_999
SEATS = ("resident", "neighbour", "building_head", "worker", "worker2", "unit", "community", "leader", "town")
MAY_SEE = {"resident", "building_head", "worker", "community", "leader", "town", "county", "admin"}
"""Of a case that the resident reported in the first grid."""
MAY_ENROL = {"town", "county", "admin"}
OPEN = {
    *("/", "/healthz", "/static/{version}/{name}", "/api/docs", "/api/openapi.json", "/join", "/in"),
    *("/hooks/{name}", "/demo/clock", "/metrics", "/play/{channel}", "/g/{token}/{post}"),
}
"""Show nothing of anybody: a start page, health, words about the API; or ask for a secret by themselves."""
PAPERS = {"/paper", "/paper/{number}", "/paper/{number}/{part}.csv", "/template.xlsx"}
"""Opened by a link of one's own, once (test_papers.py); empty sheets for everybody."""
CHATS = {"/chat", "/chat/send", "/chat/photo", "/chat/file", "/chat/updates", "/chat/events", "/chat/my-data"}
"""Of whoever speaks: their own chat and their own data (test_chat.py, test_own_data.py)."""
CASES = {"/board/{number}", "/api/incidents/{number}"}
LISTS = {"/board", "/api/board", "/api/me", "/api/commands", "/api/todo", "/api/progress", "/api/zero"}
REGISTRY = {"/api/import", "/api/import/{number}/undo", "/api/export", "/api/template"}
COMMAND = {f"/api/commands/{name}" for name, kind in COMMANDS.items() if kind.in_api}
PHOTOS = {"/media/{name}"}


@pytest.fixture(scope="module")
def case(shared_house: House) -> int:
    """Number of a case in the first grid."""
    with shared_house.desk.reading(CLOCK) as reading:
        grid = next(node.id for node in reading.tree.nodes.values() if node.name == "第一网格")
    with asks(shared_house, "resident") as client:
        answer = client.post("/api/commands/report", json={"what": "3栋楼下路灯坏了", "grid": grid})
    return int(answer.json()["number"])


def asks(house: House, seat: str | None, scope: Scope = Scope.API) -> httpx.Client:
    """A client with the key of a seat, or with none."""
    headers = {"authorization": f"Bearer {house.token(seat, scope)}"} if seat else {}
    return httpx.Client(base_url=house.url, headers=headers, timeout=30)


def test_no_route_is_forgotten(shared_house: House) -> None:
    paths = set()
    for route in make_app(shared_house.parts).routes:
        router = getattr(route, "original_router", None)
        paths |= {str(getattr(one, "path", "")) for one in (router.routes if router is not None else [route])}

    assert paths == OPEN | CHATS | CASES | LISTS | REGISTRY | COMMAND | PHOTOS | PAPERS


def test_without_a_key_nothing_opens(shared_house: House, case: int) -> None:
    with asks(shared_house, None) as nobody:
        for path in sorted(CASES | LISTS | REGISTRY | COMMAND):
            url = path.replace("{number}", str(case))
            posts = path in COMMAND or path.startswith("/api/import")
            answer = nobody.post(url, json={}) if posts else nobody.get(url)
            assert answer.status_code == 401, path


@pytest.mark.parametrize("seat", SEATS)
def test_a_case_of_elsewhere_is_as_one_that_is_not_there(shared_house: House, case: int, seat: str) -> None:
    for path, scope in (("/api/incidents/", Scope.API), ("/board/", Scope.BOARD)):
        with asks(shared_house, seat, scope) as client:
            there, absent = client.get(f"{path}{case}"), client.get(f"{path}{ABSENT}")
        assert absent.status_code == 404
        if seat in MAY_SEE:
            assert there.status_code == 200, f"{path} hides {seat} their case"
        else:
            assert there.status_code == 404
            assert there.text.replace(str(case), "N") == absent.text.replace(str(ABSENT), "N"), path


@pytest.mark.parametrize("seat", SEATS)
def test_a_list_holds_nothing_of_elsewhere(shared_house: House, case: int, seat: str) -> None:
    with asks(shared_house, seat) as client:
        told = "".join(client.get(path).text for path in sorted(LISTS - {"/board", "/api/commands"}))

    assert f'"number":{case},' not in told or seat in MAY_SEE


@pytest.mark.parametrize("seat", SEATS)
def test_lists_of_people_come_and_go_by_whoever_enrols_alone(shared_house: House, seat: str) -> None:
    with asks(shared_house, seat) as client:
        codes = {
            client.get("/api/export").status_code,
            client.post("/api/import?name=a.csv&dry_run=true", content="姓名,手机,职务,网格\n").status_code,
            client.post(f"/api/import/{ABSENT}/undo").status_code,
        }

    assert codes <= {200, 201, 404, 409} if seat in MAY_ENROL else codes == {403}


@pytest.mark.parametrize("seat", [None, *SEATS])
def test_a_photo_of_no_case_is_not_there(shared_house: House, seat: str | None) -> None:
    with asks(shared_house, seat, Scope.BOARD) as client:
        assert client.get("/media/2026/11/0000000000000000000000000000000000000000.jpg").status_code == 404
