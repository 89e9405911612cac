"""Binding: who is invited becomes who they are, once, and nothing that was reported is lost."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import Session, col

from bot.lane import Lane
from handlers.actor import CLOCK
from handlers.command import Done, perform
from handlers.inviting import MakeAdministrator
from handlers.keys import GiveKey
from handlers.refusal import NotAllowed
from handlers.tokens import person_of
from handlers.tree import registry_changed
from handlers.writing import Writing
from models import Account, Incident, Invitation, Outbox, Part, Participant, Person, Post, Scope
from tests.town import Town, founded

LAMP = "第一网格3栋楼下路灯坏了"
DIGITS = "0006"
"""The end of the worker's phone."""
PRIVATE = "这件事请私聊我办"


@pytest.fixture
def town(migrated_url: str) -> Iterator[Town]:
    """Lend the example town on either database."""
    with founded("default", migrated_url) as one:
        yield one


@pytest.fixture
def small_town(sqlite_url: str) -> Iterator[Town]:
    """The same for what is no SQL."""
    with founded("default", sqlite_url) as one:
        yield one


def invited(town: Town, name: str = "李强", by: str = "community") -> tuple[str, str]:
    """Code and secret of the link, as whoever invites is told them."""
    told = town.say(by, f"邀请 {name}")[-1]
    code, secret = re.search(r"绑定码：(\d{6})", told), re.search(r"/join\?c=(b[0-9a-f]{32})", told)
    assert code, told
    assert secret, told
    return code[1], secret[1]


def person_behind(town: Town, handle: str) -> str:
    """Name of the person whose an account is."""
    query = select(col(Person.name)).join(Account, col(Account.person_id) == col(Person.id))
    with Session(town.database.reader) as session:
        return str(session.execute(query.where(col(Account.handle) == handle)).scalar_one())


def rows(town: Town, what: Any, *where: Any) -> int:
    """How many there are."""
    with Session(town.database.reader) as session:
        return int(session.execute(select(func.count()).select_from(what).where(*where)).scalar_one())


def write(town: Town, job: Any) -> None:
    """Change rows by hand."""
    town.lane.run_soon(job).result()


# ---- the account -----------------------------------------------------------------------------------------


def test_of_two_who_show_one_code_at_once_one_is_bound(town: Town) -> None:
    code, _ = invited(town)
    for who in ("甲号", "乙号"):
        town.say(who, f"绑定 {code}")
    lanes = [Lane(town.desk, writers=2) for _ in range(2)]
    for lane in lanes:
        lane.start()

    async def deliver() -> None:
        answers = (town.inbound("甲号", DIGITS), town.inbound("乙号", DIGITS))
        await asyncio.gather(*(lane.accept([one]) for lane, one in zip(lanes, answers, strict=True)))

    asyncio.run(deliver())
    for lane in lanes:
        lane.stop()
    asyncio.run(town.settle())

    told = [town.news(who)[-1] for who in ("甲号", "乙号")]
    assert sum("绑定好了" in words for words in told) == 1
    assert sum("绑定码不对、已经用过" in words for words in told) == 1
    assert sorted(person_behind(town, who) == "李强" for who in ("甲号", "乙号")) == [False, True]


def test_what_a_resident_reported_is_the_persons_and_the_empty_record_is_gone(town: Town) -> None:
    town.photo("新手机", LAMP)
    own = town.latest()
    town.say("worker", f"上报 {LAMP}")
    both = town.latest()
    town.say("新手机", "进度")
    write(town, lambda session: _report_it_too(session, "新手机", both.id or 0))
    people, mail = rows(town, Person), rows(town, Outbox, col(Outbox.person_id) == own.reporter_id)
    code, _ = invited(town)

    town.say("新手机", f"绑定 {code}")
    told = town.say("新手机", DIGITS)

    assert "绑定好了，您现在是网格员李强" in told[-1]
    assert town.incident(own.id or 0).reporter_id == both.reporter_id
    assert rows(town, Person) == people - 1
    assert rows(town, Participant, col(Participant.incident_id) == both.id) == 1
    assert rows(town, Outbox, col(Outbox.person_id) == both.reporter_id) >= mail
    assert str(own.id) in town.say("新手机", "进度")[-1]
    assert person_behind(town, "李强") == person_behind(town, "新手机") == "李强"


def _report_it_too(session: Writing, handle: str, number: int) -> None:
    person = session.execute(select(col(Account.person_id)).where(col(Account.handle) == handle)).scalar_one()
    session.add(Participant(incident_id=number, person_id=person, part=Part.REPORTER))
    session.flush()


def test_what_waits_for_the_resident_reaches_the_person(town: Town) -> None:
    town.say("新手机", LAMP)
    number = town.latest().id
    code, _ = invited(town, "周丽")
    town.say("新手机", f"绑定 {code}")
    town.say("新手机", "0008")
    town.say("worker", f"办结 {number} 已更换灯泡")

    assert "已更换灯泡" in "\n".join(town.news("新手机"))
    assert "满意" in town.say("新手机", f"已解决 {number}")[-1]


def test_a_message_delivered_again_binds_nothing_and_asks_nothing(town: Town) -> None:
    code, _ = invited(town)
    first, second = town.inbound("新手机", f"绑定 {code}"), town.inbound("新手机", DIGITS)
    town.send(first)
    town.restart()
    town.send(second)
    told = len(town.messages("新手机"))

    town.send(first, second)

    assert len(town.messages("新手机")) == told
    assert person_behind(town, "新手机") == "李强"


def test_an_account_of_somebody_with_a_post_changes_hands_without_their_cases(small_town: Town) -> None:
    town = small_town
    town.say("worker2", "上报 第二网格2栋路灯坏了")
    number, reporter = town.latest().id or 0, town.latest().reporter_id
    code, _ = invited(town)
    town.say("worker2", f"绑定 {code}")
    town.say("worker2", DIGITS)

    assert person_behind(town, "周丽") == "李强"
    assert town.incident(number).reporter_id == reporter


# ---- what proves it --------------------------------------------------------------------------------------


def test_a_link_into_the_chat_does_what_the_code_does(small_town: Town) -> None:
    town = small_town
    code, secret = invited(town)

    town.send(town.inbound("新手机", start=secret))
    assert "手机号的后四位" in town.news("新手机")[-1]
    assert "绑定好了" in town.say("新手机", "我的手机是 138 0000 0006")[-1]
    assert "这个账号已经绑定好了" in _opened(town, "新手机", secret)
    assert "绑定码不对、已经用过" in town.say("别人", f"绑定 {code}")[-1]
    assert "绑定码不对、已经用过" in _opened(town, "别人", secret)
    assert "我是" in _opened(town, "别人", "campaign-7")


def _opened(town: Town, who: str, payload: str) -> str:
    town.send(town.inbound(who, start=payload))
    return town.news(who)[-1]


def test_a_link_lasts_three_days_and_a_new_invitation_ends_the_old(small_town: Town) -> None:
    town = small_town
    _, first = invited(town)
    _, second = invited(town)
    assert "绑定码不对" in _opened(town, "新手机", first)
    town.wait(days=2, hours=23)
    assert "手机号的后四位" in _opened(town, "新手机", second)
    town.wait(hours=1)
    assert "绑定码不对" in _opened(town, "新手机", second)


def test_a_phone_that_ends_with_noughts_is_no_menu(small_town: Town) -> None:
    town = small_town
    assert "尾号0000" in town.say("community", "换号 李强 13800010000")[-1]
    code, _ = invited(town)
    town.say("新手机", f"绑定 {code}")

    assert "绑定好了" in town.say("新手机", "0000")[-1]


def test_without_a_phone_the_code_is_enough_and_whoever_invites_is_warned(small_town: Town) -> None:
    town = small_town
    write(town, _forget_phone)
    told = town.say("community", "邀请 李强")[-1]
    code = re.search(r"绑定码：(\d{6})", told)
    assert code

    assert "没有登记手机号" in told
    assert "绑定好了" in town.say("新手机", f"绑定{code[1]}")[-1]


def _forget_phone(session: Writing) -> None:
    session.execute(update(Person).where(col(Person.name) == "李强").values(phone=None))
    registry_changed(session)


def test_only_digests_are_kept_and_none_beyond_its_time(small_town: Town) -> None:
    town = small_town
    code, secret = invited(town)
    with Session(town.database.reader) as session:
        kept = str([row._asdict() for row in session.execute(select(Invitation.__table__)).all()])  # type: ignore[attr-defined]
    town.wait(days=4)
    invited(town, "周丽")

    assert code not in kept
    assert secret not in kept
    assert rows(town, Invitation, col(Invitation.digest).is_not(None)) == 2


# ---- where and by whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["邀请 李强", "绑定 123456", "我的账号", "解绑", "登录", "停用 李强", "换号 李强 13900000000"]
)
def test_in_a_group_it_is_only_said_that_it_must_be_private(small_town: Town, words: str) -> None:
    town = small_town
    town.send(town.inbound("community", words, chat="网格群", group=True))

    told = ["\n".join(message.parts) for message in town.channel.sent["网格群", "陈静"]]
    reminded = [line for line in told if line.startswith("为了大家的安全")]
    assert told[-1].startswith(PRIVATE)
    assert len(reminded) == len(told) - 1 == ("139" in words)
    assert not any("139" in line for line in told)
    assert rows(town, Invitation) == 0


@pytest.mark.parametrize("name", ["孙伟", "杨帆", "王芳", "谁也不是"])
def test_nobody_is_invited_from_outside_ones_area_or_from_below(small_town: Town, name: str) -> None:
    assert f"没有叫“{name}”" in small_town.say("community", f"邀请 {name}")[-1]
    assert rows(small_town, Invitation) == 0


def test_of_several_with_one_name_one_is_chosen(small_town: Town) -> None:
    town = small_town
    write(town, lambda session: _second_of_that_name(session, town.grid("第二网格")))
    asked = town.say("community", "邀请 李强")[-1]
    assert "有几位叫“李强”" in asked

    town.press("community", "幸福社区第二网格网格员李强")
    told = ["\n".join(message.parts) for message in town.messages("community")][-1]
    code = re.search(r"绑定码：(\d{6})", told)
    assert code
    assert "绑定好了" in town.say("新手机", f"绑定 {code[1]}")[-1]
    assert "第二" not in person_behind(town, "新手机")
    town.say("community", "停用 李强")
    town.press("community", "确定")
    town.press("community", "幸福社区第一网格网格员李强")
    asked = town.messages("community")[-1].parts[0]
    assert re.search(r"要停用李强#\d+的所有账号", asked)


def _second_of_that_name(session: Writing, grid: int) -> None:
    person = Person(name="李强")
    session.add(person)
    session.flush()
    since = session.execute(select(func.min(col(Post.since)))).scalar_one()
    session.add(Post(person_id=person.id or 0, role="worker", grid_id=grid, since=since))
    registry_changed(session)


def test_who_lost_a_phone_is_shut_out_everywhere(town: Town) -> None:
    _, secret = invited(town)
    town.say("worker", f"上报 {LAMP}")
    case = town.latest()
    key = town.lane.run_soon(lambda session: _key(town, session, case.reporter_id)).result()
    town.say("community", "停用 李强")
    town.press("community", "确定")
    with Session(town.database.reader) as session:
        assert person_of(session, key, Scope.BOARD, town.now) is None

    assert person_behind(town, "李强") == "居民"
    assert "绑定码不对" in _opened(town, "新手机", secret)
    assert "没有找到" in town.say("worker", f"查 {case.id}")[-1]
    assert town.incident(case.id or 0).reporter_id == case.reporter_id
    assert "已登记" in town.say("worker", f"{LAMP}，又灭了")[-1]
    assert town.latest().reporter_id != case.reporter_id


def _key(town: Town, session: Writing, person: int) -> str:
    done = perform(town.desk.work_in(session, CLOCK), GiveKey(person=person, scope=Scope.BOARD, days=2))
    assert isinstance(done, Done)
    return str(done.data["key"])


def test_nobody_makes_themselves_an_administrator(small_town: Town) -> None:
    command = MakeAdministrator(who="王芳", phone="13900000000")

    assert isinstance(small_town.do(command, "county"), NotAllowed)
    assert rows(small_town, Post, col(Post.role) == "admin") == 1
    assert rows(small_town, Incident) == 0
