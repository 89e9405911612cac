"""The web door over each promised database: what is SQL in it must hold on both."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from models import Inbox, InboxState, Incident, Scope
from tests.channels.pictures import picture
from tests.web.house import SECRET, House, build_house, serving
from tests.web.pane import Pane
from tests.web.test_photos import photo_in, upload


@pytest.fixture
def either_house(migrated_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a demo on either database."""
    with serving(build_house(migrated_url, tmp_path)) as running:
        yield running


def test_a_report_with_a_photo_is_dealt_with(either_house: House) -> None:
    resident, worker = (Pane(either_house.url, seat) for seat in ("resident", "worker"))
    upload(resident, picture())
    resident.hear()
    resident.say("3栋楼下路灯\x00坏了\ud83d")
    worker.hear()
    address = photo_in(worker.open().text)

    assert worker.http.get(address).status_code == 200
    assert "已接单" in worker.say(pressed=worker.buttons()["1 接单"])
    assert "接单" in worker.shown()
    for pane in (resident, worker):
        pane.close()


def test_the_board_and_the_api_tell_the_same(either_house: House) -> None:
    key = {"authorization": f"Bearer {either_house.token('resident', Scope.API)}", "idempotency-key": "k1"}
    report = {"what": "路灯坏了", "grid": 4}
    address = f"{either_house.url}/api/commands/report"
    filed = [httpx.post(address, json=report, headers=key) for _ in range(2)]

    assert [answer.status_code for answer in filed] == [201, 201]
    assert either_house.count(select(col(Incident.id))) == 1
    assert "1001" in httpx.get(f"{either_house.url}/board", params={"seat": "leader"}).text
    assert "上报" in httpx.get(f"{either_house.url}/board/1001", params={"seat": "leader"}).text


@pytest.mark.parametrize("body", [b"\x00", b"\xff", "半个\ud83d".encode("utf-8", "surrogatepass"), b"{}"])
def test_what_cannot_be_read_is_kept(either_house: House, body: bytes) -> None:
    answer = httpx.post(f"{either_house.url}/hooks/memory", content=body, headers={"x-memory-secret": SECRET})

    assert answer.status_code == 200
    assert either_house.count(select(col(Inbox.id)).where(col(Inbox.state) == InboxState.DEAD)) == 1
