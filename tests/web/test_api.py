"""The API: the body is the command; once for each key; and a refusal says why in the place's words."""

import importlib
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

import handlers
from handlers.actor import CLOCK
from handlers.catalogue import COMMANDS
from models import Incident, Scope
from tests.web.house import House

REPORT = {"what": "幸福社区第一网格3栋楼下路灯坏了", "grid": 5}


@pytest.fixture
def grid(house: House) -> int:
    """Id of the first grid."""
    with house.desk.reading(CLOCK) as reading:
        return next(node.id for node in reading.tree.nodes.values() if node.name == "第一网格")


@pytest.fixture
def clients(house: House) -> Iterator[dict[str, httpx.Client]]:
    """One client for each of a few seats."""
    found = {
        seat: httpx.Client(
            base_url=f"{house.url}/api",
            headers={"authorization": f"Bearer {house.token(seat, Scope.API)}"},
            timeout=30,
        )
        for seat in ("resident", "neighbour", "worker", "community", "leader")
    }
    yield found
    for client in found.values():
        client.close()


@pytest.fixture(scope="session")
def key(shared_house: House) -> str:
    """Lend a worker's key to the shared house."""
    return shared_house.token("worker", Scope.API)


Clients = dict[str, httpx.Client]


def report(client: httpx.Client, grid: int, **headers: str) -> httpx.Response:
    """File a case."""
    body = {"what": "3栋楼下路灯坏了", "grid": grid}
    return client.post("/commands/report", json=body, headers=headers)


def test_a_report_is_filed_and_dealt_with(clients: Clients, grid: int) -> None:
    filed = report(clients["resident"], grid)
    accepted = clients["worker"].post("/commands/accept", json={"incident": 1001})
    done = clients["worker"].post("/commands/finish", json={"incident": 1001, "result": "已更换灯泡"})

    assert [answer.status_code for answer in (filed, accepted, done)] == [201, 201, 201]
    assert filed.json()["number"] == 1001


def test_a_refusal_does_not_use_up_its_key(house: House, clients: Clients, grid: int) -> None:
    report(clients["resident"], grid)
    key = {"idempotency-key": "k1"}
    early = clients["resident"].post("/commands/solved", json={"incident": 1001}, headers=key)
    clients["worker"].post("/commands/finish", json={"incident": 1001, "result": "已更换灯泡"})
    later = [
        clients["resident"].post("/commands/solved", json={"incident": 1001}, headers=key) for _ in range(2)
    ]

    assert [answer.status_code for answer in (early, *later)] == [409, 201, 201]


def test_a_key_acts_once_and_answers_alike(house: House, clients: Clients, grid: int) -> None:
    with ThreadPoolExecutor(3) as together:
        answers = list(
            together.map(lambda _: report(clients["resident"], grid, **{"idempotency-key": "k1"}), range(3))
        )
    answers.append(report(clients["resident"], grid, **{"idempotency-key": "k1"}))

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.text for answer in answers}) == 1
    assert house.count(select(col(Incident.id))) == 1


def test_a_key_stands_for_one_request_of_one_person(house: House, clients: Clients, grid: int) -> None:
    key = {"idempotency-key": "k1"}
    report(clients["resident"], grid, **key)
    other = clients["resident"].post("/commands/progress", json={}, headers=key)

    assert other.status_code == 422
    assert report(clients["neighbour"], grid, **key).status_code == 201
    assert house.count(select(col(Incident.id))) == 2


def test_a_refusal_is_answered_alike_too(clients: Clients) -> None:
    key = {"idempotency-key": "k1"}
    answers = [
        clients["worker"].post("/commands/accept", json={"incident": 7}, headers=key) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize("name", ["", "with space", "x" * 101, "钥匙"])
def test_a_strange_idempotency_key_is_refused(shared_house: House, key: str, name: str) -> None:
    headers = [(b"idempotency-key", name.encode()), (b"authorization", f"Bearer {key}".encode())]

    assert httpx.post(f"{shared_house.url}/api/commands/todo", json={}, headers=headers).status_code == 422


def test_not_there_and_not_yours_look_alike(clients: Clients, grid: int) -> None:
    report(clients["resident"], grid)
    theirs = clients["neighbour"].post("/commands/show", json={"incident": 1001})
    absent = clients["neighbour"].post("/commands/show", json={"incident": 1002})

    assert (theirs.status_code, absent.status_code) == (404, 404)
    assert theirs.json()["message"].replace("1001", "1002") == absent.json()["message"]
    assert clients["neighbour"].get("/incidents/1001").status_code == 404


def test_what_the_posts_do_not_give_is_forbidden(clients: Clients, grid: int) -> None:
    report(clients["resident"], grid)

    assert clients["resident"].post("/commands/accept", json={"incident": 1001}).status_code == 403
    for path in ("/todo", "/zero", "/board"):
        assert clients["resident"].get(path).status_code == 403


def test_what_cannot_be_done_now_is_a_conflict_with_its_reason(clients: Clients, grid: int) -> None:
    report(clients["resident"], grid)
    refused = clients["worker"].post("/commands/unsuspend", json={"incident": 1001})

    assert refused.status_code == 409
    assert "." in refused.json()["error"]
    assert refused.json()["message"].endswith("。")


def test_the_lists_tell_what_the_chat_tells(clients: Clients, grid: int) -> None:
    report(clients["resident"], grid)

    assert [str(item["number"]) for item in clients["worker"].get("/todo").json()["items"]] == ["1001"]
    assert [item["number"] for item in clients["resident"].get("/progress").json()["items"]] == [1001]
    assert [item["numbers"] for item in clients["community"].get("/zero").json()["items"]] == [[1001]]
    assert {name: clients["leader"].get("/board").json()[name] for name in ("open", "overdue")} == {
        "open": 1,
        "overdue": 0,
    }
    assert clients["leader"].get("/board", params={"area": 999}).json()["items"] == []


def test_one_case_tells_its_story_in_utc(clients: Clients, grid: int) -> None:
    report(clients["resident"], grid)
    case = clients["leader"].get("/incidents/1001").json()

    assert timedelta() == datetime.fromisoformat(case["opened_at"]).utcoffset()
    assert datetime.fromisoformat(case["timeline"][0]["at"]).tzinfo == UTC
    assert "running" in {clock["outcome"] for clock in case["clocks"]}
    assert case["people"] == [{"part": "上报人", "name": "王*", "phone": ""}]


def test_me_and_what_i_may_do(clients: Clients) -> None:
    me, mine = clients["worker"].get("/me").json(), clients["worker"].get("/commands").json()["items"]
    residents = clients["resident"].get("/commands").json()["items"]

    assert (me["title"], me["may"]) == ("网格员李强", ["confide", "handle", "look_up", "record", "report"])
    assert "accept" in {item["name"] for item in mine}
    assert "accept" not in {item["name"] for item in residents}


def test_every_command_has_its_route_and_its_shape(house: House) -> None:
    for module in pkgutil.iter_modules(handlers.__path__):
        importlib.import_module(f"handlers.{module.name}")
    described = httpx.get(f"{house.url}/api/openapi.json").json()
    routes = {path.rpartition("/")[2] for path in described["paths"] if path.startswith("/api/commands/")}

    assert {name for name, kind in COMMANDS.items() if kind.in_api} == routes
    assert {"what", "grid"} <= set(described["components"]["schemas"]["Report"]["properties"])


def test_the_listing_needs_nothing_from_outside(house: House) -> None:
    page = httpx.get(f"{house.url}/api/docs").text

    assert "/api/commands/report" in page
    assert "://" not in page


@pytest.mark.parametrize("scheme", ["", "Bearer", "Basic eDp5", "Bearer guessed", "Bearer " + "x" * 5000])
def test_without_a_key_there_is_nothing(shared_house: House, scheme: str) -> None:
    for path in ("/api/me", "/api/incidents/1001"):
        assert httpx.get(shared_house.url + path, headers={"authorization": scheme}).status_code == 401
    sent = httpx.post(
        f"{shared_house.url}/api/commands/report", json=REPORT, headers={"authorization": scheme}
    )
    assert sent.status_code == 401


def test_a_key_to_another_door_or_an_old_one_opens_nothing(house: House) -> None:
    soon = house.clock.now() + timedelta(hours=1)
    keys = [
        house.token("worker", Scope.CHAT),
        house.token("worker", Scope.BOARD),
        house.token("worker", Scope.API, until=soon),
    ]
    house.clock.move(timedelta(hours=2))

    for key in keys:
        assert httpx.get(f"{house.url}/api/me", headers={"authorization": f"Bearer {key}"}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"what": "x"}',
        b'{"what": 5}',
        b'{"what": "3\\ud83d"}',
        '{"what": "3栋路灯坏了", "grid": 1e999}'.encode(),
        '{"what": "3栋路灯坏了", "grid": 99999999999999999999}'.encode(),
        '{"what": "3栋路灯坏了", "grid": 5, "lat": NaN}'.encode(),
        '{"what": "3栋路灯坏了", "unknown": 1}'.encode(),
        '{"what": "3栋路灯坏了", "media": ["\\ud83d"]}'.encode(),
    ],
)
def test_what_is_no_command_is_refused(shared_house: House, key: str, body: bytes) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    before = shared_house.count(select(col(Incident.id)))
    answer = httpx.post(f"{shared_house.url}/api/commands/report", content=body, headers=headers)

    assert answer.status_code in (400, 422)
    assert answer.json()["message"].endswith("。")
    assert shared_house.count(select(col(Incident.id))) == before


def test_a_text_no_database_takes_is_mended(clients: Clients, grid: int) -> None:
    body = {"what": "3栋楼下路灯\x00坏了", "grid": grid}

    assert clients["resident"].post("/commands/report", json=body).status_code == 201
    assert "\x00" not in clients["resident"].get("/incidents/1001").json()["what"]


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "x", "1e3", "%00"])
def test_a_strange_number_is_no_case(shared_house: House, key: str, number: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.get(f"{shared_house.url}/api/incidents/{number}", headers=headers)

    assert answer.status_code in (404, 422)


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "      "},
        {"what": "\u200b\u200b\u2060\ufeff"},
        {"what": "坏\u200b\u200b"},
        {"what": "\u3164\u3164\u2800"},
        {"lat": 91.0},
        {"lat": -90.1},
        {"lon": 180.5},
        {"lon": -1e9},
        {"grid": "5"},
        {"grid": 5.0},
        {"grid": True},
        {"media": ["media:" + "0" * 64 + ".jpg"] * 21},
    ],
)
def test_the_api_takes_nothing_that_a_chat_would_not(
    clients: Clients, grid: int, wrong: dict[str, object]
) -> None:
    body = {"what": "3栋楼下路灯坏了", "grid": grid, "lat": 30.0, "lon": 120.0, **wrong}

    assert clients["resident"].post("/commands/report", json=body).status_code == 422
