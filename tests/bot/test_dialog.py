"""Whatever is typed, in whatever order: every step asks, acts or ends, and words exist for it."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from handbook import open_book
from models import Inbox, InboxState
from tests.town import BUTTONS, Town, founded

BOOK = open_book("default")
PHRASES = sorted({phrase.strip("…") for spec in BOOK.data.intents.values() for phrase in spec.phrases})
REPORTS = ["3栋楼下路灯坏了", "2栋电梯坏了", "路上有个大坑", "5栋着火了", "下水道堵了", "丹桂里门口占道摆摊"]
TAILS = ["", " 1", " 1001", " 1001 原因是这样", " 2 好了", " 给 周丽 帮忙", " 3天 等配件", " 99999"]
ODD = [
    "",
    " ",
    "0",
    "１",
    "①",
    "一",
    "1、",
    "9",
    "-1",
    "{number}",
    "%s",
    "<b>",
    "'; drop table incident; --",
    "\u202e反",
    "🔥",
    "\ud800",
]

typed = st.one_of(
    st.sampled_from(ODD),
    st.integers(0, 12).map(str),
    st.sampled_from(REPORTS),
    st.builds(str.__add__, st.sampled_from(PHRASES), st.sampled_from(TAILS)),
    st.text(max_size=30),
)
people = st.sampled_from(["resident", "neighbour", "worker", "community", "town", "leader", "unit", "过路人"])


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url, can=BUTTONS) as town:
        yield town


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(people, typed), min_size=5, max_size=12))
def test_no_talk_ever_breaks(town: Town, said: list[tuple[str, str]]) -> None:
    for who, text in said:
        town.send(town.inbound(who, text))
    town.wait(minutes=2)

    with Session(town.database.reader) as session:
        trouble = session.execute(
            select(col(Inbox.body), col(Inbox.trouble)).where(
                (col(Inbox.state) != InboxState.DONE) | col(Inbox.trouble).is_not(None)
            )
        ).all()
    assert trouble == []


@pytest.mark.parametrize(
    "text", ["不上报", "别催了", "取消上报", "不要退回", "先不办结", "别接单", "不同意作废"]
)
def test_what_is_negated_is_never_done(town: Town, text: str) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    number = town.latest().id or 0
    before = town.incident(number)

    for who in ("resident", "worker", "community"):
        town.say(who, text)

    after = town.incident(number)
    assert (before.state, before.owner_id, before.version) == (after.state, after.owner_id, after.version)
    assert town.count() == 1


@pytest.mark.parametrize(
    ("typed", "means"), [("代办", "您有"), ("进读", "路灯"), ("帮住", "有事直接说"), ("daiban", "您有")]
)
def test_a_slip_of_one_sign_is_understood(town: Town, typed: str, means: str) -> None:
    town.say("resident", "3栋楼下路灯坏了")

    who = "worker" if means == "您有" else "resident"
    assert any(means in text for text in town.say(who, typed))


def test_a_number_for_an_old_list_does_nothing(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    town.say("neighbour", "5栋门口垃圾没人清")
    town.say("worker", "待办")
    town.say("worker", "菜单")

    answered = town.say("worker", "2")

    assert town.latest().version == 2
    assert not any("已接单" in text for text in answered)


def test_a_button_pressed_twice_acts_once_and_answers_alike(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    first = town.press("worker", "接单")
    offer = next(m for m in town.messages("worker") if any(label == "接单" for label, _ in m.buttons))
    payload = dict(offer.buttons)["接单"]

    again = town.say("worker", pressed=payload)

    assert first[-1].startswith("已接单")
    assert again[-1].startswith("您已接过")


def test_a_button_offered_to_somebody_else_is_refused(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    offer = next(m for m in town.messages("worker") if m.buttons)

    answered = town.say("neighbour", pressed=dict(offer.buttons)["接单"])

    assert town.latest().state == "dispatched"
    assert any("过时" in text for text in answered)


def test_the_twenty_first_message_of_a_minute_is_asked_to_wait(town: Town) -> None:
    answers = [town.say("resident", "帮助") for _ in range(23)]

    assert all("有事直接说" in answer[0] for answer in answers[:20])
    assert "请稍等" in answers[20][0]
    assert answers[21:] == [[], []]


def test_in_a_group_a_report_is_filed_without_anybodys_phone(town: Town) -> None:
    town.send(town.inbound("resident", "3栋楼下路灯坏了", chat="楼友群", group=True))

    told = town.channel.words("楼友群", town.name("resident"))
    assert told[0].startswith("已登记")
    assert not any(phone.isdigit() and len(phone) == 11 for phone in told[0].replace("(", " ").split())
    assert "1380000" not in told[0]


def test_in_a_group_lists_and_cases_are_not_shown(town: Town) -> None:
    town.send(town.inbound("resident", "3栋楼下路灯坏了"))
    town.send(town.inbound("worker", "待办", chat="楼友群", group=True))

    told = town.channel.words("楼友群", town.name("worker"))
    assert len(told) == 1
    assert "私聊" in told[0]


@pytest.mark.parametrize(
    "text", ["接单", "催办", "改", "撤回", "办结", "1", "1 接单", "进度", "督办", "看板"]
)
def test_in_a_group_no_command_shows_a_case_or_a_person(town: Town, text: str) -> None:
    for who in ("resident", "neighbour"):
        town.send(town.inbound(who, "3栋楼下路灯坏了"))
        town.send(town.inbound(who, "5栋门口垃圾没人清"))

    for who in ("resident", "worker", "leader"):
        town.send(town.inbound(who, text, chat="楼友群", group=True))

    for who in ("resident", "worker", "leader"):
        for told in town.channel.words("楼友群", town.name(who)):
            assert "路灯坏了" not in told
            assert town.name("resident") not in told


def test_a_button_pressed_in_a_group_tells_nothing_there(town: Town) -> None:
    town.send(town.inbound("resident", "3栋楼下路灯坏了"))
    offer = next(m for m in town.messages("worker") if m.buttons)
    payload = dict(offer.buttons)["接单"]

    town.send(town.inbound("worker", pressed=payload, chat="楼友群", group=True))

    assert town.latest().state == "dispatched"
    assert all("王芳" not in told for told in town.channel.words("楼友群", town.name("worker")))


def test_an_edited_message_puts_its_report_right(town: Town) -> None:
    town.say("resident", "3栋楼下路登坏了")

    town.say("resident", "3栋楼下路灯坏了,晚上看不见", edited=True)

    assert town.count() == 1
    assert town.latest().what.startswith("3栋楼下路灯坏了")


def test_an_alarm_is_heard_after_any_number_of_messages(town: Town) -> None:
    for _ in range(25):
        town.say("resident", "帮助")

    answered = town.say("resident", "着火了,5栋有人困在里面")

    assert any("119" in text for text in answered)
    assert town.latest().danger is not None


def test_an_alarm_is_heard_while_a_result_is_asked_for(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    town.say("worker", "接单")
    town.say("worker", "办结")

    answered = town.say("worker", "着火了,5栋有人困在里面")

    assert any("119" in text for text in answered)
    assert town.count() == 2


def test_a_half_filled_form_is_kept_while_a_list_is_looked_at(town: Town) -> None:
    town.say("resident", "3栋楼下路灯坏了")
    town.say("worker", "上报")

    looked = town.say("worker", "待办")
    resumed = town.say("worker", "继续")

    assert any("继续" in text for text in looked)
    assert any("什么事" in text for text in resumed)
