"""A phone that comes with a command lies open nowhere; a post that ends leaves no case behind."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from handlers.appointing import Appoint, Dismiss
from handlers.handling import Accept
from handlers.refusal import Refusal
from models import Outbox
from tests.handlers.office import Office, office
from tests.handlers.test_handovers import renew
from tests.handlers.test_own_data import everything
from tests.town import Town, founded

DIGITS = "13900008888"


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as found:
        yield found


@pytest.mark.parametrize(
    "said",
    [
        ("任命 王小明 第二网格 网格员 13900008888",),
        ("任命 王小明 第二网格 13900008888", "1"),
        ("任命 王小明 13900008888 网格员",),
        ("任命 王小明 平安里网格 网格员 13900008888",),
        ("换号 李强 13900008888",),
        ("换号 无此人 13900008888",),
    ],
)
def test_a_phone_that_somebody_above_types_lies_open_nowhere(town: Town, said: tuple[str, ...]) -> None:
    for words in said:
        town.say("community", words)

    assert DIGITS not in everything(town)


def test_ones_own_wrong_phone_lies_open_nowhere(town: Town) -> None:
    for words in ("改我的电话 13900008888转", "改我的电话 13900008888"):
        town.say("resident", words)

    assert DIGITS not in everything(town)


@pytest.fixture
def both(migrated_url: str) -> Iterator[Office]:
    with office("default", migrated_url) as people:
        yield people


def test_cases_of_a_post_that_is_taken_away_go_to_who_is_there(both: Office) -> None:
    grid = both.world.tree.staff[both.id("worker2")].posts[0].grid_id
    number = both.reports()
    both.does("worker", Accept(incident=number))
    both.does("community", Appoint(post="李强", grid=grid, role="worker"))
    renew(both)
    both.does("community", Dismiss(post="李强 第一网格"))
    renew(both)

    assert both.case(number).owner_id not in (None, both.id("worker"))


def test_a_post_may_do_no_more_there_than_whoever_gives_it(both: Office) -> None:
    """Two posts: one that administers here, one that reviews elsewhere."""
    tree = both.world.tree
    elsewhere = tree.staff[both.id("许诺")].posts[0].grid_id
    refused = both.refused("community", Appoint(post="李强", grid=elsewhere, role="worker"))

    assert refused == "refusal.not_allowed"
    assert isinstance(both.tries("community", Appoint(post="李强", role="town_keeper")).outcome, Refusal)


def test_a_phone_that_is_shown_lies_sealed_in_its_letter(town: Town) -> None:
    town.say("worker", "登记住户 3栋501 张三 13900008888")
    told = town.say("worker", "看电话 张三")

    assert DIGITS in "".join(map(str, told))
    assert DIGITS not in everything(town)


def test_what_somebody_says_is_wrong_goes_on_without_numbers(town: Town) -> None:
    town.say("worker", "登记住户 3栋501 王芳 13900001111")
    town.say("resident", "我的信息不对 我的电话是13900008888")

    assert DIGITS not in everything(town)


def test_a_post_opens_no_door_to_what_a_resident_has_said(town: Town) -> None:
    """Whoever gives a post could give its door to anybody: the resident's own account stays theirs."""
    for words in ("改我的名字 欧阳小燕", "改我的电话 13900008888", "匿名举报 村书记收钱不办事"):
        town.say("居住者", words)
    town.say("community", "任命 欧阳小燕 第二网格 网格员 13900008888")
    code = re.search(r"绑定码：(\d+)", "".join(town.say("community", "邀请 欧阳小燕")))
    assert code is not None
    for words in (f"绑定 {code[1]}", "8888"):
        town.say("别人", words)

    assert "收钱" not in "".join(town.say("别人", "进度") + town.say("别人", "我的信息"))
    assert "不知道" not in "".join(town.say("居住者", "进度"))


def test_whoever_is_forgotten_leaves_no_unfinished_report(town: Town) -> None:
    for words in ("水管爆了 我叫司马小天 13900008888", "忘记我", "1"):
        town.say("司马", words)

    assert DIGITS not in everything(town)
    assert "司马小天" not in everything(town)


def test_somebody_called_as_a_field_can_be_forgotten_too(town: Town) -> None:
    for words in ("改我的名字 args", "幸福社区第一网格3栋楼下路灯坏了", "忘记我"):
        town.say("甲某", words)

    assert "已注销" in "".join(town.say("甲某", "1"))


def test_what_workers_read_of_somebody_goes_with_them(town: Town) -> None:
    town.say("worker", "登记住户 3栋501 司马小天 13900008888")
    town.say("worker", "查户 3栋501")
    for words in ("改我的名字 司马小天", "忘记我", "1"):
        town.say("司马", words)

    with Session(town.database.reader) as session:
        letters = session.execute(select(col(Outbox.args), col(Outbox.words))).all()
    assert "司马小天" not in str(letters)
