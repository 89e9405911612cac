"""One's own data: what is left of it where, once it was put right or forgotten."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Row, inspect, select, table, text
from sqlmodel import Session, col

from handlers.audit import prove
from models import Account, Incident, MailState, Outbox, Person, Token
from tests.town import Town, founded

PHONE = "13800009999"


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    """A town in which somebody who holds no seat has reported something."""
    with founded("default", sqlite_url) as town:
        town.say("赵小兰", "幸福社区第一网格3栋楼下路灯坏了")
        town.say("赵小兰", f"改我的电话 {PHONE}")
        yield town


def everything(town: Town) -> str:
    """All that lies in the database, as one text."""
    with town.database.reader.connect() as connection:
        rows = [row for name in inspect(connection).get_table_names() for row in _rows(connection, name)]
    return "\n".join(map(str, rows))


def _rows(connection: Connection, name: str) -> Sequence[Row[Any]]:
    return connection.execute(select(text("*")).select_from(table(name))).all()


def person(town: Town, **known: Any) -> Person:
    """The one person of whom this is known."""
    with Session(town.database.reader) as session:
        found: Person = session.execute(select(Person).filter_by(**known)).scalar_one()
        return found


def test_a_phone_lies_nowhere_in_the_database_as_it_is(town: Town) -> None:
    assert person(town, name="赵小兰").phone == PHONE
    assert PHONE not in everything(town)
    assert "138****9999" in everything(town)


def test_a_phone_a_worker_files_with_does_neither(town: Town) -> None:
    town.say("worker", "代报 张大爷 139 0000 8888 幸福社区第一网格3栋楼道灯不亮")

    assert person(town, name="张大爷").phone == "13900008888"
    said = [row for row in everything(town).splitlines() if "代报" in row]
    assert said
    assert not any("139 0000 8888" in row or "13900008888" in row for row in said)


def forgotten(town: Town) -> None:
    """They have themselves forgotten."""
    town.say("赵小兰", "忘记我")
    town.press("赵小兰", "确定")


def test_of_somebody_who_is_forgotten_only_the_case_is_left(town: Town) -> None:
    before = person(town, name="赵小兰")
    town.say("worker", f"查 {town.latest().id}")
    forgotten(town)

    gone = person(town, id=before.id)
    assert (gone.name, gone.phone, gone.phone_digest, gone.home_grid_id) == ("已注销居民", None, None, None)
    assert PHONE not in everything(town)
    assert "138****9999" not in everything(town)
    assert "改我的电话" not in everything(town)
    assert "上报人：赵小兰" not in everything(town)
    with Session(town.database.reader) as session:
        assert session.execute(select(Account).where(col(Account.person_id) == before.id)).first() is None
        assert session.execute(select(Token).where(col(Token.person_id) == before.id)).first() is None
        assert session.execute(select(col(Incident.reporter_id))).scalars().all() == [before.id]
        assert prove(session).broken_at is None


def test_whoever_comes_back_is_somebody_new(town: Town) -> None:
    number = town.latest().id
    forgotten(town)
    town.send(
        *(town.inbound("赵小兰", words) for words in ("幸福社区第一网格5栋门口垃圾没人清", f"查 {number}"))
    )

    assert person(town, name="赵小兰").id == town.latest().reporter_id
    assert any(f"没有找到编号{number}" in told for told in town.news("赵小兰"))


def test_in_one_batch_what_is_said_after_being_forgotten_is_anothers(town: Town) -> None:
    before = person(town, name="赵小兰").id
    town.say("赵小兰", "忘记我")
    town.send(*(town.inbound("赵小兰", words) for words in ("是", "幸福社区第一网格5栋门口垃圾没人清")))

    assert person(town, id=before).name == "已注销居民"
    assert town.latest().reporter_id != before


def test_letters_to_somebody_forgotten_are_dropped_and_no_trouble(town: Town) -> None:
    number = town.latest().id
    forgotten(town)
    town.say("worker", f"接单 {number}")
    town.say("worker", f"办结 {number} 已更换灯泡")

    with Session(town.database.reader) as session:
        states = set(session.execute(select(col(Outbox.state))).scalars())
    assert MailState.DEAD not in states
    assert MailState.DROPPED in states


@pytest.mark.parametrize(
    "words", ["我的信息", "谁看过我", "导出我的信息", f"改我的电话 {PHONE}", "改我的名字 赵兰", "忘记我"]
)
def test_in_a_group_nothing_of_it_is_said(town: Town, words: str) -> None:
    before = person(town, name="赵小兰")
    town.send(town.inbound("赵小兰", words, chat="楼友群", group=True))

    (told,) = town.channel.sent["楼友群", "赵小兰"]
    assert told.parts == ("这件事请私聊我办，群里只登记上报。",)
    assert person(town, id=before.id) == before
