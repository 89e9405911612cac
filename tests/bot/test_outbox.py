"""What was promised is told once, in order, while it is true; trouble is kept and told apart."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.channel import Broken, Closed, Gone, Later, Refused
from bot.outbox import claim
from handlers.handling import Accept
from handlers.reporting import Report
from models import Account, MailState, Outbox
from tests.town import FOUNDING, PLAIN, Town, founded


@pytest.fixture
def town(migrated_url: str) -> Iterator[Town]:
    with founded("default", migrated_url, can=PLAIN) as town:
        yield town


def _mail(town: Town, state: MailState) -> list[Outbox]:
    with Session(town.database.reader, expire_on_commit=False) as session:
        query = select(Outbox).where(col(Outbox.state) == state).order_by(col(Outbox.id))
        return list(session.execute(query).scalars())


def test_words_that_were_sent_are_kept_on_the_row(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")

    kept = [mail.words for mail in _mail(town, MailState.SENT)]
    told = ["\n".join(message.parts) for message in town.messages("resident")]
    assert told[0] in kept


def test_a_later_message_waits_for_the_one_before_it(town: Town) -> None:
    town.channel.script([Broken("net down")])
    town.say("worker", "菜单")
    town.say("worker", "帮助")

    assert town.messages("worker") == []

    town.wait(minutes=2)
    first, second = (message.parts[0] for message in town.messages("worker"))
    assert "请回复数字" in first
    assert "待办" in second


def test_asked_to_wait_is_no_failed_try(town: Town) -> None:
    town.channel.script([Later(30.0)])
    town.say("worker", "菜单")

    assert [mail.tries for mail in _mail(town, MailState.WAITING)] == [0]

    town.wait(seconds=31)
    assert len(town.messages("worker")) == 1


def test_after_the_last_try_the_letter_is_dead_and_says_why(town: Town) -> None:
    town.channel.script([Broken("net down")] * 8)
    town.say("worker", "菜单")
    for _ in range(9):
        town.wait(hours=2)

    assert [mail.outcome for mail in _mail(town, MailState.DEAD)] == ["gave up: net down"]


def test_a_refused_letter_is_dead_at_once_and_does_not_hold_up_the_next(town: Town) -> None:
    town.channel.script([Refused("too odd")])
    town.say("worker", "菜单")
    town.say("worker", "帮助")

    assert len(town.messages("worker")) == 1
    assert [mail.outcome for mail in _mail(town, MailState.DEAD)] == ["refused: too odd"]


def test_a_gone_account_gives_way_to_the_persons_next_one(town: Town) -> None:
    with town.desk.session() as session:
        account = session.execute(
            select(Account).where(col(Account.handle) == town.name("worker"))
        ).scalar_one()
        session.add(
            Account(
                channel="memory",
                handle="李强二号",
                chat="李强二号",
                person_id=account.person_id,
                used_at=FOUNDING - timedelta(days=9),
            )
        )
    town.channel.script([Gone("blocked")])
    town.do(Report(what="3栋楼下路灯坏了", grid=town.grid("第一网格")), "community")
    asyncio.run(town.settle())

    assert any(text.startswith("新事件") for text in town.channel.words("李强二号"))
    assert town.messages("worker") == []


def test_a_reminder_is_dropped_when_its_case_has_moved_on(town: Town) -> None:
    town.channel.script([Broken("net down")])
    town.send(town.inbound("resident", "3栋楼下路灯坏了"))
    number = town.latest().id or 0
    waiting = [mail.text for mail in _mail(town, MailState.WAITING)]
    town.do(Accept(incident=number), "worker")
    town.wait(minutes=1)

    dropped = [mail.outcome for mail in _mail(town, MailState.DROPPED)]
    told = [m for message in town.messages("worker") for m in message.parts]
    if "incident.new" in waiting:
        assert dropped == ["no longer not_accepted"]
        assert not any(text.startswith("新事件") for text in told)
    else:
        assert any(text.startswith("新事件") for text in told)


def test_a_push_never_steals_the_numbers_of_an_open_question(town: Town) -> None:
    town.say("worker", "3栋楼下路灯坏了")
    town.say("worker", "上报")
    town.send(town.inbound("resident", "5栋门口垃圾没人清"))
    pushed = next(text for text in town.news("worker") if text.startswith("新事件"))

    assert "1 接单" not in pushed
    assert any("已登记" in text for text in town.say("worker", "3栋门口积水"))


def _second_account(town: Town, handle: str) -> None:
    with town.desk.session() as session:
        query = select(Account).where(col(Account.handle) == town.name("worker"))
        person = session.execute(query).scalar_one().person_id
        used = FOUNDING - timedelta(days=9)
        session.add(Account(channel="memory", handle=handle, chat=handle, person_id=person, used_at=used))


def _new_case(town: Town) -> None:
    town.do(Report(what="3栋楼下路灯坏了", grid=town.grid("第一网格")), "community")
    asyncio.run(town.settle())


def test_a_closed_account_gives_way_to_the_next_one_and_is_no_gone_one(town: Town) -> None:
    _second_account(town, "李强二号")
    town.channel.script([Closed("45015")])
    _new_case(town)

    assert any(text.startswith("新事件") for text in town.channel.words("李强二号"))
    with Session(town.database.reader) as session:
        closed = session.execute(select(Account).where(col(Account.closed_until).is_not(None))).scalar_one()
    assert (closed.handle, closed.gone) == (town.name("worker"), False)


def test_what_nobody_may_be_told_now_is_told_first_when_they_write_again(town: Town) -> None:
    town.channel.script([Closed("45015")])
    _new_case(town)
    town.wait(minutes=5)

    assert town.messages("worker") == []
    assert [mail.outcome for mail in _mail(town, MailState.WAITING)] == ["closed: 45015"]

    town.say("worker", "帮助")
    told = [message.parts[0] for message in town.messages("worker")]
    assert told[0].startswith("新事件")
    assert len(told) == 2


def test_a_closed_account_is_tried_again_half_a_day_later(town: Town) -> None:
    town.channel.script([Closed("48001")])
    _new_case(town)
    town.wait(hours=13)

    assert any("新事件" in message.parts[0] for message in town.messages("worker"))


def test_what_waited_too_long_for_its_reader_is_dead_and_says_why(town: Town) -> None:
    town.channel.script([Closed("45015")] * 20)
    town.say("worker", "帮助")
    for _ in range(8):
        town.wait(hours=13)

    dead = _mail(town, MailState.DEAD)
    assert dead, [(m.text, m.state, m.outcome, m.not_before) for m in _mail(town, MailState.WAITING)]
    assert {mail.outcome for mail in dead} == {"closed: 45015"}


def test_a_channel_that_keeps_the_order_is_handed_what_follows_as_well(town: Town) -> None:
    town.channel.can = replace(PLAIN, in_row=3)
    asked = [town.inbound("worker", "帮助") for _ in range(5)] + [town.inbound("resident", "帮助")]

    async def decided() -> None:
        await town.lane.accept(asked)
        while town.lane.waiting:
            await town.lane.run(lambda _: None)

    town.run(decided())
    with town.desk.session() as session:
        found = claim(session, town.desk.book, {"memory": town.channel}, town.desk.now(), 1)
        handles = [letter.message.handle for letter in found]
        assert handles == [town.name("worker")] * 3
        assert [letter.mail_id for letter in found] == sorted(letter.mail_id for letter in found)
        rest = claim(session, town.desk.book, {"memory": town.channel}, town.desk.now(), 50)
        assert [letter.message.handle for letter in rest] == [town.name("resident")]
