"""Photos of the page: kept before they are promised, shown to those who may see them and to nobody else."""

import re
import resource
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.media import MediaStore
from handlers.actor import CLOCK
from models import Attachment, Inbox, Scope
from tests.channels.pictures import exif, gps_of, picture
from tests.web.house import House
from tests.web.pane import Pane

Sit = Callable[[str], Pane]
JSON = {"accept": "application/json"}


def upload(pane: Pane, data: bytes, name: str = "photo-one", **more: str) -> httpx.Response:
    """Send a photo as the page's script does."""
    return pane.post(
        "/chat/photo",
        data={"id": name, **more},
        files={"photo": ("me.jpg", data, "image/jpeg")},
        headers=JSON,
    )


def bearer(house: House, seat: str) -> dict[str, str]:
    """Headers with a seat's key to the API."""
    return {"authorization": f"Bearer {house.token(seat, Scope.API)}"}


def file_with(house: House, seat: str, key: str) -> httpx.Response:
    """File a case with a photo through the API."""
    with house.desk.reading(CLOCK) as reading:
        grid = next(node.id for node in reading.tree.nodes.values() if node.name == "第一网格")
    body = {"what": "3栋楼下路灯坏了", "grid": grid, "media": [key]}
    return httpx.post(f"{house.url}/api/commands/report", json=body, headers=bearer(house, seat))


def photo_in(page: str) -> str:
    """Address of the first photo on a page."""
    found = re.search(r'<img src="(/media/[^"]+)"', page)
    assert found is not None, page
    return found[1]


def test_a_photo_and_a_sentence_make_one_case_that_shows_it(house: House, sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    assert upload(resident, picture()).status_code == 200
    resident.hear()
    resident.say("3栋楼下路灯坏了")
    worker.hear()

    shown = resident.http.get(photo_in(resident.open().text))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert house.count(select(col(Attachment.id))) == 1
    assert worker.http.get(photo_in(worker.open().text)).content == shown.content


def test_a_photo_is_nobody_elses_business(house: House, sit: Sit) -> None:
    resident, neighbour, worker2 = sit("resident"), sit("neighbour"), sit("worker2")
    upload(resident, picture())
    resident.hear()
    resident.say("3栋楼下路灯坏了")
    address = photo_in(resident.open().text).partition("?")[0]

    for pane in (neighbour, worker2):
        assert pane.http.get(address, params=pane.query).status_code == 404
    assert httpx.get(house.url + address).status_code == 404


def test_typing_its_name_opens_no_photo(house: House, sit: Sit) -> None:
    resident, neighbour = sit("resident"), sit("neighbour")
    upload(resident, picture())
    address = photo_in(resident.open().text).partition("?")[0]
    neighbour.say("media:" + address.removeprefix("/media/"))

    assert neighbour.http.get(address, params=neighbour.query).status_code == 404


def test_nobody_puts_another_ones_photo_to_a_case_of_their_own(house: House, sit: Sit) -> None:
    resident, neighbour = sit("resident"), sit("neighbour")
    upload(resident, picture())
    address = photo_in(resident.open().text).partition("?")[0]
    key = "media:" + address.removeprefix("/media/")
    mine, theirs = (file_with(house, seat, key) for seat in ("resident", "neighbour"))

    assert (mine.status_code, theirs.status_code) == (201, 422)
    assert theirs.json()["message"].endswith("。")
    assert neighbour.http.get(address, params=neighbour.query).status_code == 404


@pytest.mark.parametrize("key", ["telegram:1234", "media:../../etc/passwd", "media:" + "a" * 64 + ".jpg"])
def test_a_case_takes_no_made_up_photo(house: House, key: str) -> None:
    assert file_with(house, "resident", key).status_code == 422
    assert house.count(select(col(Attachment.id))) == 0


def test_a_key_to_the_api_shows_the_photos_of_its_cases(house: House, sit: Sit) -> None:
    resident = sit("resident")
    upload(resident, picture())
    resident.hear()
    resident.say("3栋楼下路灯坏了")
    address = photo_in(resident.open().text).partition("?")[0]
    answers = [
        httpx.get(house.url + address, headers=bearer(house, seat)).status_code
        for seat in ("leader", "neighbour")
    ]

    assert answers == [200, 404]


def test_the_board_shows_it_to_whoever_oversees_the_place(house: House, sit: Sit) -> None:
    resident = sit("resident")
    upload(resident, picture())
    resident.hear()
    resident.say("3栋楼下路灯坏了")
    page = httpx.get(f"{house.url}/board/1001?seat=leader")

    assert httpx.get(house.url + photo_in(page.text)).status_code == 200


def test_a_board_link_shows_it_outside_the_demo(earnest_house: House) -> None:
    guest = Pane(earnest_house.url)
    upload(guest, picture())
    guest.hear()
    guest.say("幸福社区第一网格3栋楼下路灯坏了")
    leader = httpx.Client(base_url=earnest_house.url, follow_redirects=True)
    leader.get("/board", params={"t": earnest_house.token("leader", Scope.BOARD)})

    assert leader.get(photo_in(leader.get("/board/1001").text)).status_code == 200
    leader.close()
    guest.close()


def test_nothing_hidden_stays_in_it_but_its_place_is_used(house: House, sit: Sit) -> None:
    resident = sit("resident")
    town = gps_of((30, 0, 3.6), "N", (112, 0, 3.6), "E")
    upload(resident, picture(exif=exif(town)))
    resident.hear()
    kept = resident.http.get(photo_in(resident.open().text)).content
    body = house.write(lambda session: session.execute(select(col(Inbox.body))).scalar_one())

    assert b"Fictional Phones" not in kept
    assert {name: body["place"][name] for name in ("lat", "lon")} == {"lat": 30.001, "lon": 112.001}


def test_the_same_photo_sent_again_is_one_message(house: House, sit: Sit) -> None:
    resident = sit("resident")
    for _ in range(3):
        assert upload(resident, picture()).status_code == 200

    assert house.count(select(col(Inbox.id))) == 1


def test_a_form_without_script_sends_a_photo_too(sit: Sit) -> None:
    resident = sit("resident")
    answer = resident.post(
        "/chat/photo",
        data={"id": "form-number-1"},
        files=[
            ("photo", ("", b"", "application/octet-stream")),
            ("photo", ("me.png", picture("PNG"), "image/png")),
        ],
    )

    assert [step.status_code for step in answer.history] == [303]
    assert "/media/" in answer.text


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"no picture", 415),
        (picture()[:200], 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415),
        (b"\xff\xd8\xff" + b"x" * (22 * 1024 * 1024), 413),
    ],
    ids=["empty", "text", "cut off", "svg", "too large"],
)
def test_what_is_no_photo_is_refused_in_plain_words(shared_house: House, data: bytes, status: int) -> None:
    pane = Pane(shared_house.url, "resident")
    answer = upload(pane, data)
    pane.close()

    assert status == answer.status_code
    assert answer.json()["message"].endswith("。")


def test_where_no_photo_can_be_kept_it_is_said_and_nothing_is_promised(house: House, sit: Sit) -> None:
    house.media.path("media:" + "a" * 64 + ".jpg").parents[1].write_text("a file stands in its place")
    answer = upload(sit("resident"), picture())

    assert (answer.status_code, answer.json()["message"]) == (503, "现在存不下来，请稍后再试。")
    assert house.count(select(col(Inbox.id))) == 0


def test_of_a_photo_that_found_no_room_nothing_stays(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    data, store = picture(), MediaStore(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            store.keep(data, "photo")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_photo_needs_a_name_of_its_own(sit: Sit) -> None:
    assert upload(sit("resident"), picture(), name="../x").status_code == 422


@pytest.mark.parametrize(
    "name",
    ["", "x.jpg", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00.jpg", "a" * 3000 + ".jpg", "x.svg", "x"],
)
def test_no_other_file_is_shown(shared_house: House, name: str) -> None:
    assert httpx.get(f"{shared_house.url}/media/{name}", params={"seat": "leader"}).status_code == 404
