"""Cases that were taken back, or given back, and then lay with somebody below."""

from collections.abc import Iterator

import pytest

from handlers.amending import Regrade
from handlers.dispatching import ReturnCase, Transfer
from handlers.handling import Accept
from tests.handlers.office import Office, office


@pytest.fixture
def shexian(sqlite_url: str) -> Iterator[Office]:
    """A place whose small cases are taken back when their time is up."""
    with office("shexian", sqlite_url) as people:
        yield people


@pytest.fixture
def yinzhou(sqlite_url: str) -> Iterator[Office]:
    """A place whose bigger cases climb from the town to the district."""
    with office("yinzhou", sqlite_url) as people:
        yield people


def test_what_is_taken_back_goes_up(shexian: Office) -> None:
    number = shexian.reports()
    shexian.does("worker", Transfer(incident=number, to=shexian.id("community")))
    shexian.does("community", Accept(incident=number))

    shexian.wait(days=1)

    assert "auto_return" in shexian.moves(number)
    assert shexian.case(number).owner_id == shexian.id("town")


def test_what_the_top_has_accepted_is_not_taken_down_again(shexian: Office) -> None:
    number = shexian.reports()
    shexian.passes_up(number, "county")
    shexian.does("county", Accept(incident=number))

    shexian.wait(days=2)

    assert shexian.case(number).owner_id == shexian.id("county")


def test_what_the_town_gives_back_goes_to_the_district(yinzhou: Office) -> None:
    number = yinzhou.reports()
    yinzhou.does("worker", Regrade(incident=number, grade="level3"))
    assert yinzhou.case(number).owner_id == yinzhou.id("town")

    yinzhou.does("town", ReturnCase(incident=number, reason="要区里协调"))

    assert yinzhou.case(number).owner_id == yinzhou.id("county")
