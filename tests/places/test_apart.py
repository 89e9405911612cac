"""Two places in one process: nothing of one opens anything in the other, and nobody is known in both."""

import re
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from bot.tracing import place as place_of_this_thread
from handlers.command import Done, perform
from handlers.inviting import MakeAdministrator
from handlers.tokens import issue
from handlers.writing import Writing
from models import Account, Inbox, Person, Scope
from models.sealing import SealingTrouble
from tests.places.system import SECRETS, System

BOTH = ("aa", "bb")
OTHER = {"aa": "bb", "bb": "aa"}
PHONE = Person.__table__.c.phone  # type: ignore[attr-defined]
UPDATE = {
    "update_id": 1,
    "message": {
        "message_id": 1,
        "date": 1_764_000_000,
        "chat": {"id": 7, "type": "private"},
        "from": {"id": 7, "is_bot": False, "first_name": "王"},
        "text": "路灯坏了",
    },
}


def token(system: System, place: str, scope: Scope) -> str:
    """A key of a place's leader."""
    program = system.program(place)

    def job(session: Writing) -> str:
        leader = session.execute(select(col(Person.id)).where(col(Person.seat) == "leader")).scalar_one()
        return issue(session, leader, scope, program.clock.now())

    return program.lane.run_soon(job).result(10)


def link(system: System, place: str) -> str:
    """The secret of an invitation."""
    program = system.program(place)

    def job(session: Writing) -> str:
        work = program.desk.work_in(session)
        done = perform(work, MakeAdministrator(who="孙怡", phone="13800003333"))
        assert isinstance(done, Done)
        work.flush()
        return str(done.data["links"][-1])

    return program.lane.run_soon(job).result(10)


def test_the_first_page_lists_the_places(system: System) -> None:
    page = system.get("/")

    assert 'href="/aa/"' in page.text
    assert "桐城市青草镇" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert system.get("/healthz").text == "aa: ok\nbb: ok\n"
    assert system.get("/aa/healthz").text == "ok\n"
    assert system.get("/aa", follow_redirects=False).headers["location"] == "/aa/"
    assert system.get("/cc/chat", headers={"accept": "text/html"}).status_code == 404


@pytest.mark.parametrize("place", ["aa", "bb"])
def test_every_link_of_a_place_stays_in_it(system: System, place: str) -> None:
    for path in ("/", "/chat", "/api/docs", "/nowhere"):
        page = system.get(f"/{place}{path}", headers={"accept": "text/html"}).text
        links = re.findall(r'(?:href|src|action)="([^"]*)"', page)
        assert links
        assert [one for one in links if not one.startswith(f"/{place}/")] == []
    assert system.get(f"/{place}/api/openapi.json").json()["servers"] == [{"url": f"/{place}"}]


@pytest.mark.parametrize("place", ["aa", "bb"])
def test_a_key_to_the_api_opens_one_place(system: System, place: str) -> None:
    bearer = {"authorization": f"Bearer {token(system, place, Scope.API)}"}

    assert system.get(f"/{place}/api/board", headers=bearer).status_code == 200
    assert system.get(f"/{OTHER[place]}/api/board", headers=bearer).status_code == 401


@pytest.mark.parametrize("place", ["aa", "bb"])
def test_a_board_opens_in_one_place_by_link_and_by_cookie(system: System, place: str) -> None:
    key = token(system, place, Scope.BOARD)
    with httpx.Client(base_url=system.url, follow_redirects=True, timeout=30) as browser:
        assert browser.get(f"/{OTHER[place]}/board", params={"t": key}).status_code == 403
        assert browser.get(f"/{place}/board", params={"t": key}).status_code == 200
        (cookie,) = browser.cookies.jar
        assert (cookie.name, cookie.path, cookie.value) == (f"xiaoge_board_{place}", f"/{place}", key)
        assert browser.get(f"/{place}/board").status_code == 200
        assert browser.get(f"/{OTHER[place]}/board").status_code == 401
    for name in ("xiaoge_board", f"xiaoge_board_{place}", f"xiaoge_board_{OTHER[place]}"):
        given = {"cookie": f"{name}={key}"}
        assert system.get(f"/{OTHER[place]}/board", headers=given).status_code == 401


def test_a_cookie_from_before_does_not_hide_the_new_one(system: System) -> None:
    key = token(system, "aa", Scope.BOARD)
    given = {"cookie": f"xiaoge_board_aa={key}; xiaoge_board=of-the-time-when-there-was-one-place"}

    assert system.get("/aa/board", headers=given).status_code == 200


def test_a_guest_of_one_place_is_a_stranger_in_the_other(system: System) -> None:
    with httpx.Client(base_url=system.url, timeout=30) as browser:
        browser.get("/aa/chat")
        said = {"id": "message-0001", "text": "我是上面那家的，水管爆了"}
        assert browser.post("/aa/chat/send", json=said).status_code == 200
        secret = browser.cookies["xiaoge_guest_aa"]
        assert "水管爆了" in browser.get("/aa/chat").text
        assert "水管爆了" not in browser.get("/bb/chat").text
        assert browser.cookies["xiaoge_guest_bb"] != secret
    taken = {"cookie": f"xiaoge_guest_bb={secret}"}
    assert "水管爆了" not in system.get("/bb/chat", headers=taken).text


def test_an_invitation_binds_in_one_place(system: System) -> None:
    found = link(system, "aa")
    secret = found.partition("?c=")[2]

    assert "/aa/join?c=b" in found
    with httpx.Client(base_url=system.url, timeout=30, follow_redirects=True) as browser:
        asked = [
            browser.post(f"/{place}/join", data={"c": secret, "id": f"form-{place}-1"}).text
            for place in ("bb", "aa")
        ]
    assert ["后四位" in page for page in asked] == [False, True]


def test_a_webhooks_secret_is_believed_in_one_place(system: System) -> None:
    for place, other in OTHER.items():
        header = {"x-telegram-bot-api-secret-token": SECRETS[place]}
        for where, status in ((other, 403), (place, 200)):
            url = f"{system.url}/{where}/hooks/telegram"
            assert httpx.post(url, json=UPDATE, headers=header).status_code == status
    assert httpx.post(f"{system.url}/hooks/telegram", json=UPDATE).status_code == 404


def test_one_handle_is_two_people(system: System) -> None:
    for place in BOTH:
        assert system.say(place, "zhang", f"我在{place}，路灯坏了").status_code == 200
        system.settle(place)
    said = select(col(Inbox.body)).where(col(Inbox.channel) == "memory")
    texts = {place: [body.get("text") for body in system.rows(place, said)] for place in BOTH}

    assert texts == {place: [f"我在{place}，路灯坏了"] for place in BOTH}
    handles = select(col(Account.person_id)).where(col(Account.handle) == "zhang")
    assert [len(system.rows(place, handles)) for place in BOTH] == [1, 1]


def test_phones_of_one_place_cannot_be_read_with_the_others_keys(system: System) -> None:
    query = text("SELECT phone, phone_digest FROM person WHERE phone IS NOT NULL ORDER BY id LIMIT 1")
    raw = {}
    for place in BOTH:
        with system.program(place).database.reader.connect() as connection:
            raw[place] = connection.execute(query).one()
    keys = {place: system.program(place).database.keys for place in BOTH}

    for place in BOTH:
        mine, others = keys[place], keys[OTHER[place]]
        assert mine is not None
        assert others is not None
        phone = mine.open(raw[place][0], "person.phone")
        assert phone.startswith("138")
        assert mine.digest(phone, "person.phone") == raw[place][1] != others.digest(phone, "person.phone")
        with pytest.raises(SealingTrouble):
            others.open(raw[place][0], "person.phone")


def test_without_a_place_no_phone_is_read_at_all(system: System) -> None:
    with system.program("aa").database.reader.connect() as connection, pytest.raises(SealingTrouble):
        connection.execute(select(PHONE).where(PHONE.is_not(None))).all()


def test_the_log_names_the_place(system: System) -> None:
    said = []

    def note(session: Writing) -> None:
        said.append(place_of_this_thread())

    for place in BOTH:
        system.program(place).lane.run_soon(note).result(10)

    assert said == list(BOTH)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/aa/../bb/chat", 404), ("/aa//chat", 404), ("//aa/chat", 404), ("/aa%2Fchat", 200), ("/AA/chat", 404)],
)
def test_odd_paths_lead_nowhere_else(system: System, path: str, status: int) -> None:
    line = HTTPConnection(system.url.removeprefix("http://"), timeout=30)
    with closing(line):
        line.request("GET", path)  # as it is: other clients tidy it up
        answer = line.getresponse()

    assert answer.status == status
    assert "xiaoge_guest_bb" not in (answer.getheader("set-cookie") or "")
