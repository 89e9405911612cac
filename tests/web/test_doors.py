"""Doors that open once: a link looked at is not used up, a link used twice opens nothing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from handlers.accounts import ShutOut
from handlers.command import Command, perform
from handlers.inviting import Invite
from handlers.links import Links
from handlers.signing_in import SignIn
from handlers.tokens import actor_of
from handlers.work import Return
from handlers.writing import Writing
from models import Outbox, Scope, Token
from tests.web.house import House, build_house, serving
from tests.web.pane import Pane

DIGITS = "0006"


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a town as it is served in earnest; its clock stands until it is moved."""
    made = build_house(sqlite_url, tmp_path, demo=False, running=False)
    made.desk.links = Links("http://pages.example")
    with serving(made) as running:
        yield running


def told(house: House, seat: str, command: Command) -> str:
    """What a person is answered to a command in their own chat."""

    def job(session: Writing) -> str:
        number = session.execute(select(func.count()).select_from(Outbox)).scalar_one()
        actor = actor_of(session, house.desk.tree(session), house.seats[seat])
        assert actor is not None
        back = Return("memory", seat, seat)
        work = house.desk.work_in(session, actor, channel="memory", message_id=f"m{number}", back=back)
        perform(work, command)
        work.flush()
        mail = session.execute(select(col(Outbox.args)).order_by(col(Outbox.id).desc()).limit(1)).scalar_one()
        return str(mail.get("link") or mail.get("links"))

    return house.write(job)


def link_in(words: str, path: str) -> str:
    """The secret of a link."""
    found = re.search(rf"http://pages\.example{path}\?c=(b[0-9a-f]{{32}})", words)
    assert found, words
    return found[1]


def signing_in(house: House, seat: str) -> str:
    return link_in(told(house, seat, SignIn()), "/in")


def come_in(house: House, browser: httpx.Client, secret: str) -> httpx.Response:
    """Open the link, then press its button."""
    shown = browser.get(f"{house.url}/in", params={"c": secret})
    assert shown.status_code == 200
    assert 'action="/in"' in shown.text
    return browser.post(f"{house.url}/in", data={"c": secret}, headers={"accept": "text/html"})


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """Lend a browser without a person."""
    with httpx.Client(follow_redirects=True, headers={"accept": "text/html"}) as one:
        yield one


def test_a_link_that_was_only_looked_at_still_opens_and_then_no_more(
    house: House, browser: httpx.Client
) -> None:
    secret = signing_in(house, "leader")
    for _ in range(3):
        httpx.get(f"{house.url}/in", params={"c": secret})

    first = come_in(house, browser, secret)
    with httpx.Client(follow_redirects=True) as other:
        second = come_in(house, other, secret)

    assert first.url.path == "/board"
    assert first.status_code == 200
    assert "刘涛" in first.text
    assert second.status_code == 403
    assert "已经用过或者过了时间" in second.text
    assert secret not in str(browser.cookies)


def test_a_worker_comes_to_their_own_chat(house: House, browser: httpx.Client) -> None:
    shown = come_in(house, browser, signing_in(house, "worker"))

    assert shown.url.path == "/chat"
    assert "网格员李强" in shown.text


def test_asking_again_ends_the_link_before_and_ten_minutes_end_any(
    house: House, browser: httpx.Client
) -> None:
    old, late = signing_in(house, "leader"), signing_in(house, "leader")

    assert come_in(house, browser, old).status_code == 403
    house.clock.move(timedelta(minutes=10))
    assert come_in(house, browser, late).status_code == 403


def test_a_session_in_use_stays_and_one_that_rests_twelve_hours_ends(
    house: House, browser: httpx.Client
) -> None:
    come_in(house, browser, signing_in(house, "leader"))
    for _ in range(3):
        house.clock.move(timedelta(hours=11))
        assert browser.get(f"{house.url}/board").status_code == 200
    house.clock.move(timedelta(hours=12))
    ended = browser.get(f"{house.url}/board")

    assert ended.status_code == 401
    assert "登录" in ended.text


def test_whose_key_is_over_is_told_so_before_they_are_a_guest(house: House, browser: httpx.Client) -> None:
    come_in(house, browser, signing_in(house, "worker"))
    house.clock.move(timedelta(hours=12))

    sent = browser.post(f"{house.url}/chat/send", json={"id": "message-1", "text": "待办"})
    ended, after = browser.get(f"{house.url}/chat"), browser.get(f"{house.url}/chat")

    assert sent.status_code == 401
    assert ended.status_code == 401
    assert "登录已经过期" in ended.text
    assert after.status_code == 200
    assert "网格员" not in after.text


def test_a_key_that_was_given_for_days_is_not_put_off(house: House) -> None:
    until = house.clock.now() + timedelta(days=2)
    pane = Pane(house.url, token=house.token("worker", Scope.CHAT, until))
    house.clock.move(timedelta(days=1))
    pane.open()
    house.clock.move(timedelta(days=1))

    assert pane.open().status_code == 401
    pane.close()


def test_an_invitation_makes_the_browsers_chat_a_workers_until_they_are_shut_out(house: House) -> None:
    secret = link_in(told(house, "community", Invite(who="李强")), "/join")
    pane = Pane(house.url)
    pane.say("第一网格3栋楼下路灯坏了")
    shown = pane.http.get("/join", params={"c": secret})
    form = {"c": secret, "id": "form-12345678"}
    for _ in range(2):
        pane.heard = pane.newest()["id"]
        pane.http.post("/join", data=form, headers={"accept": "text/html"})

    assert 'action="/join"' in shown.text
    assert pane.shown().count("手机号的后四位") == 1
    assert secret not in pane.page.text
    assert "绑定好了，您现在是网格员李强" in pane.say(DIGITS)
    assert "网格员李强" in pane.shown()
    assert "已登记" in pane.page.text
    told(house, "community", ShutOut(who="李强"))
    after = pane.shown()
    assert "网格员李强" not in after
    assert "已登记" not in after
    pane.close()


def test_somebody_elses_key_is_put_away_when_a_browser_becomes_anothers(house: House) -> None:
    secret = link_in(told(house, "community", Invite(who="李强")), "/join")
    pane = Pane(house.url, token=house.token("community", Scope.CHAT))
    pane.http.post("/join", data={"c": secret}, headers={"accept": "text/html"})

    assert "手机号的后四位" in pane.shown()
    assert "陈静" not in pane.page.text
    pane.close()


@pytest.mark.parametrize("path", ["/in", "/join"])
@pytest.mark.parametrize("secret", ["", "b", "b" + "0" * 31 + "G", "<script>", "b" + "0" * 400, "\x00"])
def test_what_is_no_secret_is_no_door(
    shared_house: House, browser: httpx.Client, path: str, secret: str
) -> None:
    shown = browser.get(f"{shared_house.url}{path}", params={"c": secret})
    posted = browser.post(f"{shared_house.url}{path}", data={"c": secret})

    assert shown.status_code in (404, 422)
    assert posted.status_code == 404
    assert "<script>" not in shown.text


def test_a_guess_opens_nothing_and_leaves_no_key(house: House, browser: httpx.Client) -> None:
    assert browser.post(f"{house.url}/in", data={"c": "b" + "0" * 32}).status_code == 403
    assert house.count(select(col(Token.id))) == 0


def test_another_site_cannot_press_the_button(house: House, browser: httpx.Client) -> None:
    secret = signing_in(house, "leader")
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}

    assert browser.post(f"{house.url}/in", data={"c": secret}, headers=foreign).status_code == 403
    assert come_in(house, browser, secret).status_code == 200
