"""A phone that comes with a command lies open nowhere; a post that ends leaves no case behind."""

from collections.abc import Iterator

import pytest

from handlers.appointing import Appoint, Dismiss
from handlers.handling import Accept
from handlers.refusal import Refusal
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
