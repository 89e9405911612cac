"""People who could be reached and were given up, or were answered in the wrong chat."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.channel import Gone, Later
from bot.outbox import claim
from handlers.reporting import Report
from models import Account, MailState, Outbox
from tests.town import FOUNDING, PLAIN, Town, founded


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url, can=PLAIN) as town:
        yield town


def account(town: Town, handle: str) -> Account:
    with Session(town.database.reader, expire_on_commit=False) as session:
        found: Account = session.execute(select(Account).where(col(Account.handle) == handle)).scalar_one()
        return found


def second_account(town: Town) -> str:
    person = account(town, town.name("worker")).person_id
    with town.desk.session() as session:
        session.add(
            Account(
                channel="memory",
                handle="李强二号",
                chat="李强二号",
                person_id=person,
                used_at=FOUNDING - timedelta(days=9),
            )
        )
    return "李强二号"


def test_a_group_that_is_gone_leaves_its_members_reachable(town: Town) -> None:
    town.channel.script([Gone("the bot was removed")])
    town.say("worker", "待办", chat="g1", group=True)

    assert not account(town, town.name("worker")).gone


def test_an_answer_does_not_wander_to_another_chat(town: Town) -> None:
    second = second_account(town)
    town.channel.script([Gone("blocked")])
    town.say("worker", "菜单")

    assert town.channel.words(second) == []
    with Session(town.database.reader) as session:
        query = select(col(Outbox.outcome)).where(col(Outbox.state) == MailState.DEAD)
        assert session.execute(query).scalars().all() == ["gone: blocked"]


def test_whoever_writes_again_is_reachable_again(town: Town) -> None:
    town.channel.script([Gone("blocked")])
    town.say("worker", "菜单")
    assert account(town, town.name("worker")).gone

    town.say("worker", "菜单")

    assert not account(town, town.name("worker")).gone


def test_a_push_goes_to_the_account_that_was_used_last(town: Town) -> None:
    second = second_account(town)
    town.send(town.inbound(second, "菜单"))

    town.do(Report(what="3栋楼下路灯坏了", grid=town.grid("第一网格")), "community")
    asyncio.run(town.settle())

    assert any(text.startswith("新事件") for text in town.channel.words(second))


def test_what_is_urgent_goes_out_before_what_others_are_told(town: Town) -> None:
    town.channel.script([Later(60.0)] * 99)
    town.send(town.inbound("resident", "3栋楼下路灯坏了"))
    town.send(town.inbound("neighbour", "3栋2单元着火了"))
    town.now += timedelta(minutes=2)

    with town.desk.session() as session:
        first = claim(session, town.book, {town.channel.name: town.channel}, town.now, limit=3)
        query = select(col(Outbox.urgent)).where(col(Outbox.id).in_([letter.mail_id for letter in first]))
        assert all(session.execute(query).scalars())
