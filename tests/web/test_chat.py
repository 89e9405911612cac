"""The chat page: said once and answered, in order, to the right person, with and without its script."""

import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, event, select, text
from sqlmodel import Session, col

from models import Account, Inbox, Incident, Person, Scope
from tests.web.house import House, build_house, serving
from tests.web.pane import Pane, words_of

Sit = Callable[[str], Pane]


def test_one_sentence_is_filed_and_reaches_the_worker(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")

    assert "已登记：1001" in resident.say("3栋楼下路灯坏了")
    assert "新事件1001" in worker.hear()
    assert {"1 接单", "2 退回", "3 转派"} == set(worker.buttons())


def test_a_button_does_what_it_says_and_is_shown_as_said(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    resident.say("3栋楼下路灯坏了")
    worker.hear()

    assert "已接单：1001" in worker.say(pressed=worker.buttons()["1 接单"])
    assert re.search(r"接单\s+\d\d:\d\d 已送达", worker.shown())
    assert "已接单" in resident.hear()


def test_a_number_answers_too(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    resident.say("3栋楼下路灯坏了")
    worker.hear()

    assert "已接单：1001" in worker.say("1")


def test_somebody_elses_button_does_nothing(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    resident.say("3栋楼下路灯坏了")
    worker.hear()

    assert "过时" in resident.say(pressed=worker.buttons()["1 接单"])


def test_only_the_latest_prompt_has_numbers(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    resident.say("3栋楼下路灯坏了")
    worker.hear()
    resident.say("5栋门口垃圾没人收")
    worker.hear()

    labels = re.findall(r'name="pressed"[^>]*>([^<]*)<', worker.open().text)
    assert labels == ["接单", "退回", "转派", "1 接单", "2 退回", "3 转派"]


def test_what_is_sent_again_acts_once(house: House, sit: Sit) -> None:
    pane = sit("resident")
    sent = {"id": "the-same-one", "text": "3栋楼下路灯坏了"}
    with ThreadPoolExecutor(3) as together:
        answers = list(together.map(lambda _: pane.post(json=sent).status_code, range(3)))
    pane.hear()

    assert answers == [200, 200, 200]
    assert house.count(select(col(Incident.id))) == 1


def test_two_chats_may_use_the_same_message_id(house: House, sit: Sit) -> None:
    for seat, words in (("resident", "3栋楼下路灯坏了"), ("neighbour", "5栋门口垃圾没人收")):
        pane = sit(seat)
        assert pane.post(json={"id": "the-same-one", "text": words}).status_code == 200
        pane.hear()

    assert house.count(select(col(Incident.id))) == 2


# ---- without its script ----------------------------------------------------------------------------------


def form_id(pane: Pane) -> str:
    found = re.search(r'name="id" value="(\w+)"', pane.open().text)
    assert found is not None
    return found[1]


def test_a_form_is_sent_back_to_a_page_with_the_answer(sit: Sit) -> None:
    pane = sit("resident")
    answer = pane.post(data={"id": form_id(pane), "text": "3栋楼下路灯坏了"})

    assert [step.status_code for step in answer.history] == [303]
    assert "已登记：1001" in words_of(answer.text)


def test_a_form_sent_twice_acts_once_and_other_words_from_an_old_page_act_too(house: House, sit: Sit) -> None:
    pane = sit("resident")
    page = form_id(pane)
    for words in ("3栋楼下路灯坏了", "3栋楼下路灯坏了", "5栋门口垃圾没人收"):
        assert pane.post(data={"id": page, "text": words}).status_code == 200

    assert house.count(select(col(Incident.id))) == 2


def test_buttons_and_quick_words_work_as_plain_forms(sit: Sit) -> None:
    resident, worker = sit("resident"), sit("worker")
    resident.say("3栋楼下路灯坏了")
    worker.hear()
    pressed = {"id": form_id(worker), "text": "", "pressed": worker.buttons()["1 接单"]}

    assert "已接单：1001" in words_of(worker.post(data=pressed).text)
    assert "【办理中】" in words_of(worker.post(data={"id": form_id(worker), "quick": "待办"}).text)


# ---- what is shown ---------------------------------------------------------------------------------------

STRANGE = (
    "<script>alert(1)</script><b>3栋路灯坏了</b>",
    "'; DROP TABLE incident; -- 3栋路灯坏了",
    "3栋路灯坏了\u202etxet desrever\u202c \u2067\u0645\u0631\u062d\u0628\u0627\u2069",
    "3栋路灯坏了 \ud83d half an emoji",
    "3栋路灯坏了 \x00 \x1b[31m",
    "3栋路灯坏了 👨‍👩‍👧‍👦🏳️‍🌈",
    "{{ 7*7 }} {% raw %} ${7*7} 3栋路灯坏了",
)


@pytest.mark.parametrize("words", STRANGE)
def test_strange_words_break_no_page(sit: Sit, words: str) -> None:
    pane = sit("resident")
    body = f'{{"id": "strange-one", "text": {ascii_json(words)}}}'
    answer = pane.post(content=body, headers={"content-type": "application/json"})
    pane.hear()
    page = pane.open()

    assert 200 == answer.status_code == page.status_code
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert "49" not in words_of(page.text)
    assert page.text.rstrip().endswith("</html>")


def ascii_json(words: str) -> str:
    """As a JSON text whose odd characters are all escaped."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else escaped(c) for c in words) + '"'


def escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def test_a_standing_clock_leaves_questions_before_answers(sqlite_url: str, tmp_path: Path) -> None:
    with serving(build_house(sqlite_url, tmp_path, running=False)) as house:
        pane = Pane(house.url, "resident")
        for words in ("帮助", "进度", "谢谢"):
            pane.say(words)
        ids = re.findall(r'<div class="b[^"]*" id="(\w)', pane.open().text)
        pane.close()

    assert "".join(ids) == "ioioio"


def test_a_phone_number_can_be_tapped(sit: Sit) -> None:
    pane = sit("resident")
    pane.say("3栋楼下路灯坏了")

    assert '<a href="tel:13800000006">' in pane.newest()["html"]


def test_a_new_day_is_named_once(house: House, sit: Sit) -> None:
    pane = sit("resident")
    pane.say("帮助")
    house.clock.move(timedelta(days=1))
    pane.say("帮助")

    assert re.findall(r'class="day">([^<]*)<', pane.open().text) == ["11月23日(周一)", "11月24日(周二)"]


# ---- who somebody is -------------------------------------------------------------------------------------


def test_a_guest_can_report_at_once_and_is_known_again(earnest_house: House) -> None:
    guest = Pane(earnest_house.url)
    guest.say("幸福社区第一网格3栋楼下路灯坏了")
    cookie = guest.http.cookies["xiaoge_guest"]
    again = httpx.get(f"{earnest_house.url}/chat", cookies={"xiaoge_guest": cookie})

    assert "已登记：1001" in words_of(again.text)
    assert cookie not in again.text
    guest.close()


def test_guests_do_not_see_each_other(earnest_house: House) -> None:
    one, other = Pane(earnest_house.url), Pane(earnest_house.url)
    one.say("幸福社区第一网格3栋楼下路灯坏了")

    assert "路灯坏了" not in other.shown().split("如：3栋路灯坏了")[0]
    one.close()
    other.close()


def test_looking_at_the_page_writes_nothing(earnest_house: House) -> None:
    people = earnest_house.count(select(col(Person.id)))
    httpx.get(f"{earnest_house.url}/chat")

    assert people == earnest_house.count(select(col(Person.id)))


def test_a_link_brings_its_person_and_hides_its_token(earnest_house: House) -> None:
    token = earnest_house.token("worker", Scope.CHAT)
    pane = Pane(earnest_house.url, token=token)

    assert "网格员李强" in words_of(pane.page.text)
    assert token not in str(pane.page.url)
    assert "HttpOnly" in pane.page.history[0].headers["set-cookie"]
    assert "SameSite=lax" in pane.page.history[0].headers["set-cookie"]
    pane.close()


def test_a_link_that_opens_nothing_is_refused(earnest_house: House) -> None:
    board = earnest_house.token("worker", Scope.BOARD)
    old = earnest_house.token("worker", Scope.CHAT, until=earnest_house.clock.now() + timedelta(hours=1))
    earnest_house.clock.move(timedelta(hours=2))

    for token in ("guessed", "", board, old, "x" * 5000, "%ff%00"):
        assert httpx.get(f"{earnest_house.url}/chat", params={"t": token}).status_code == 403


def test_a_person_without_an_account_is_given_one_by_the_link(earnest_house: House) -> None:
    earnest_house.write(forget_accounts)
    pane = Pane(earnest_house.url, token=earnest_house.token("worker", Scope.CHAT))

    assert "没有" in pane.say("待办")
    pane.close()


def forget_accounts(session: Session) -> None:
    session.execute(delete(Account))


def test_seats_cannot_be_taken_outside_the_demo(earnest_house: House) -> None:
    page = httpx.get(f"{earnest_house.url}/chat", params={"seat": "leader"})

    assert "刘涛" not in page.text


def test_nobody_sits_on_a_seat_that_is_not_there(shared_house: House) -> None:
    for seat in ("nobody", "", "<script>", "\x00"):
        assert httpx.get(f"{shared_house.url}/chat", params={"seat": seat}).status_code == 404


def test_without_a_cookie_nothing_is_taken(earnest_house: House) -> None:
    url = f"{earnest_house.url}/chat"
    sent = {"id": "message-1", "text": "3栋楼下路灯坏了"}

    assert httpx.post(f"{url}/send", json=sent).status_code == 401
    assert httpx.get(f"{url}/updates").status_code == 401
    assert httpx.get(f"{url}/events").status_code == 401
    assert earnest_house.count(select(col(Inbox.id))) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-site", "origin": "OURS"},
        {"sec-fetch-site": "whatever"},
        {"origin": "https://example.org"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"origin": ""},
    ],
)
def test_another_origins_page_cannot_post(shared_house: House, headers: dict[str, str]) -> None:
    assert posted(shared_house, headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": "OURS"},
        {"sec-fetch-site": "none"},
        {"origin": "OURS"},
    ],
)
def test_our_own_pages_and_programs_may_post(shared_house: House, headers: dict[str, str]) -> None:
    assert posted(shared_house, headers) == 200


def posted(house: House, headers: dict[str, str]) -> int:
    """What a post with these headers is answered."""
    sent = {name: house.url if value == "OURS" else value for name, value in headers.items()}
    pane = Pane(house.url, "neighbour")
    answer = pane.post(json={"id": f"from-{len(sent)}-{abs(hash(str(sent)))}", "text": "帮助"}, headers=sent)
    pane.close()
    return answer.status_code


def test_a_caller_who_hangs_up_in_mid_sentence_is_one_line(
    shared_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    plain, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    seat = "?seat=resident"
    hang_up(shared_house, "/chat/send" + seat, "application/json")
    hang_up(shared_house, "/chat/send" + seat, plain)
    hang_up(shared_house, "/chat/photo" + seat, parts)
    hang_up(shared_house, "/hooks/memory", "application/json")
    hang_up(shared_house, "/demo/clock", plain)
    for _ in range(1000):
        if caplog.messages.count("a caller hung up") == 5:
            break
        httpx.get(f"{shared_house.url}/robots.txt")

    assert caplog.messages.count("a caller hung up") == 5
    assert {record.levelname for record in caplog.records if "hung up" in record.getMessage()} == {"INFO"}
    assert [record for record in caplog.records if record.exc_info] == []


def hang_up(house: House, path: str, kind: str) -> None:
    """Announce more than is sent."""
    host, port = house.url.removeprefix("http://").split(":")
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: {kind}\r\ncontent-length: 999\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as caller:
        caller.sendall(
            head.encode()
            + b'content-length: 999\r\n\r\n--x\r\ncontent-disposition: form-data; name="id"\r\n\r\nmess'
        )


# ---- what is new -----------------------------------------------------------------------------------------


def test_waiting_ends_with_the_news(sit: Sit) -> None:
    pane = sit("resident")
    pane.updates()
    with ThreadPoolExecutor(1) as meanwhile:
        waiting = meanwhile.submit(pane.updates, 20)
        sit("resident").send("帮助")
        news = waiting.result(10)

    assert news["items"]


def test_waiting_ends_without_news(sit: Sit) -> None:
    pane = sit("resident")
    pane.updates()

    assert {"tag": pane.tag, "items": []} == pane.updates(wait=0.2)


def test_the_stream_tells_what_is_new(house: House, sit: Sit) -> None:
    pane = sit("resident")
    pane.updates()
    query = {**pane.query, "after": pane.tag}
    with pane.http.stream("GET", "/chat/events", params=query) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        sit("resident").send("帮助")
        data = next(line for line in lines if line.startswith("data: "))

    assert "帮助" in data


def test_a_page_that_missed_much_is_told_so(sit: Sit) -> None:
    pane = sit("resident")
    for _ in range(11):
        pane.say("帮助")

    assert {
        name: len(value) if name == "items" else value
        for name, value in pane.http.get("/chat/updates", params=pane.query).json().items()
        if name != "tag"
    } == {"more": True, "items": 20}


# ---- what cannot be taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\x00", 400),
        (b"[" * 100_000, 400),
        (b'{"id":"message-1","text":"x","lat":NaN,"lon":1}', 400),
        (b'{"id":"message-1","text":"x","lat":1e999,"lon":1}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"text":"x"}', 422),
        (b'{"id":"../etc","text":"x"}', 422),
        (b'{"id":"message-1"}', 422),
        (b'{"id":"message-1","text":"  "}', 422),
        (b'{"id":"message-1","text":5}', 422),
        (b'{"id":"message-1","lat":91,"lon":0}', 422),
        (b'{"id":"message-1","text":"' + b"x" * 2001 + b'"}', 422),
        (b'{"id":"message-1","text":"' + b"x" * 1_100_000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_message_is_refused_in_plain_words(shared_house: House, body: bytes, status: int) -> None:
    address = f"{shared_house.url}/chat/send?seat=resident"
    answer = httpx.post(address, content=body, headers={"content-type": "application/json"})

    assert status == answer.status_code
    assert answer.json()["message"].endswith("。")


def test_a_full_disk_is_told_and_survived(house: House, sit: Sit) -> None:
    pane = sit("resident")
    house.write(lambda session: fill_disk(session, "1"))
    refused = [pane.send("3栋楼下路灯坏了" + "很急" * 900) for _ in range(30)]
    house.write(lambda session: fill_disk(session, "1073741823"))

    assert refused[-1].status_code == 503
    assert "稍后" in refused[-1].json()["message"]
    assert pane.send("帮助").status_code == 200


def fill_disk(session: Session, pages: str) -> None:
    """SQLite refuses more pages than the file has already."""
    session.execute(text(f"PRAGMA max_page_count={pages}"))


def test_a_page_without_its_script_is_told_by_a_page(sit: Sit) -> None:
    pane = sit("resident")
    answer = pane.post(data={"id": form_id(pane), "text": ""}, headers={"accept": "text/html"})

    assert answer.status_code == 422
    assert "请先写点什么" in words_of(answer.text)


def test_the_history_is_found_by_an_index(house: House, sit: Sit) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(house.database.reader, "before_cursor_execute", note)
    sit("resident")
    event.remove(house.database.reader, "before_cursor_execute", note)
    with house.database.reader.connect() as connection:
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
            for statement, parameters in asked
            if "FROM inbox" in statement or "FROM outbox" in statement
        ]

    assert len(plans) >= 2
    assert all("ix_inbox_webchat" in plan or "ix_outbox_webchat" in plan for plan in plans)
