"""What people say and who they are stays out of the log, however much is logged."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import select, text
from sqlmodel import Session, col

from app.log import set_up
from models import Account, Person, Scope
from tests.channels.pictures import picture
from tests.web.house import SECRET, House
from tests.web.pane import Pane
from tests.web.test_photos import upload

Sit = Callable[[str], Pane]
PHONE = "13912345678"
SAID = (
    "3栋楼下路灯坏了",
    "隔壁老周家半夜吵架",
    f"我是孙小曼，电话{PHONE}，幸福社区第一网格2栋漏水",
    "已经联系电工换好了灯泡",
    "帮助",
    "进度",
    "撤回",
    "待办",
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, libraries' chatter too; what was set up before is put back."""
    loggers = [
        logging.getLogger(),
        *map(logging.getLogger, ("xiaoge", "app", "bot", "handlers", "scheduler", "web")),
    ]
    before = [(one, one.handlers[:], one.level) for one in loggers]
    stream = io.StringIO()
    set_up("debug", stream)
    loggers[0].setLevel(logging.DEBUG)
    yield stream
    for one, handlers, level in before:
        one.handlers[:] = handlers
        one.setLevel(level)
    logging.captureWarnings(False)


def secrets_of(house: House) -> set[str]:
    """Everybody's name and phone, and every sentence."""
    with Session(house.database.reader) as session:
        people = session.execute(select(col(Person.name), col(Person.phone))).all()
    found = {word for row in people for word in row if word and word != "居民"}
    assert len(found) > 20
    return found | set(SAID) | {PHONE, "孙小曼", "老周"}


def assert_silent(house: House, log: io.StringIO) -> None:
    """Find nobody in the log."""
    assert [word for word in secrets_of(house) if word in log.getvalue()] == []


def test_a_day_of_talks_leaves_nobody_in_the_log(house: House, sit: Sit, log: io.StringIO) -> None:
    resident, worker, leader = sit("resident"), sit("worker"), sit("leader")
    for pane in (resident, worker, leader):
        for words in SAID:
            pane.say(words)
    upload(resident, picture())
    resident.hear()
    guest = Pane(house.url)
    guest.say(SAID[2])
    guest.close()
    httpx.post(f"{house.url}/demo/clock", data={"minutes": str(3 * 24 * 60)}, timeout=60)
    httpx.get(f"{house.url}/board?seat=leader")

    assert log.getvalue().count(" says=performed ") > 10
    assert " message=webchat:p" in log.getvalue()
    assert_silent(house, log)


def test_other_doors_leave_nobody_in_the_log(house: House, log: io.StringIO) -> None:
    headers = {"authorization": f"Bearer {house.token('worker', Scope.API)}"}
    for body in ({"what": SAID[0], "grid": 5}, {"what": [SAID[1]]}, {"what": SAID[1], "grid": PHONE}):
        httpx.post(f"{house.url}/api/commands/report", json=body, headers=headers)
    trusted = {"x-memory-secret": SECRET}
    said = {"message_id": "m1", "chat": "c1", "handle": "h1", "sender_name": "孙小曼", "text": SAID[2]}
    for sent in (said, {**said, "message_id": [SAID[1]]}, [SAID[1]]):
        httpx.post(f"{house.url}/hooks/memory", content=json.dumps(sent).encode(), headers=trusted)
    house.write(lambda _: None)

    assert " message=memory:m1" in log.getvalue()
    assert_silent(house, log)


def test_what_breaks_leaves_nobody_in_the_log(house: House, sit: Sit, log: io.StringIO) -> None:
    resident = sit("resident")
    resident.say(SAID[0])
    refuse = "CREATE TRIGGER no BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'no'); END"
    house.write(lambda session: session.execute(text(refuse)))
    resident.send(SAID[1])
    house.write(lambda _: None)

    assert "a message could not be decided" in log.getvalue()
    assert "IntegrityError" in log.getvalue()
    assert_silent(house, log)


def test_the_demos_accounts_are_not_called_by_names(house: House) -> None:
    with Session(house.database.reader) as session:
        names = set(session.execute(select(col(Person.name))).scalars())
        handles = set(session.execute(select(col(Account.handle))).scalars())

    assert len(handles) == len(names)
    assert not [name for name in names if any(name in handle for handle in handles)]
