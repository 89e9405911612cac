"""Boards that counted wrongly, put the wrong case first, or called two places by one name."""

import pytest

from handbook import open_book
from handlers.command import Done, perform
from handlers.day_cards import SendDayCards, todo_cases
from handlers.dispatching import Join
from handlers.handling import Accept
from handlers.requesting import Extend
from handlers.work import Reading
from handlers.zero_boards import Zero, zero_rows
from models import Incident
from tests.handlers.office import LAMP, Office, office


def reading(desk: Office, seat: str) -> Reading:
    world = desk.world
    return Reading(world.session, world.now, world.book, world.tree, desk.who(seat))


def test_a_case_without_a_deadline_does_not_come_first(desk: Office) -> None:
    first, second = desk.reports(), desk.reports("neighbour")
    incident = desk.world.session.get(Incident, first)
    assert incident is not None
    incident.resolve_due = None
    desk.world.session.flush()

    assert [case.id for _, case in todo_cases(reading(desk, "worker"))] == [second, first]


def test_the_zero_board_counts_all_that_is_open(migrated_url: str) -> None:
    with office("default", migrated_url) as desk:
        for number in range(210):
            desk.reports(what=f"{LAMP}，第{number}盏")
        desk.reports(what="3栋2单元着火了")

        [(_, small, big, worst)] = zero_rows(reading(desk, "town"))

        assert (small, big) == (210, 1)
        assert len(worst) <= 200


@pytest.mark.parametrize(
    ("place", "level"),
    [
        ("default", "community"),
        ("minhou", "village"),
        ("qingcao", "first"),
        ("yulin", "community"),
        ("shexian", "community"),
        ("yinzhou", "community"),
    ],
)
def test_zero_is_counted_by_the_village(place: str, level: str, sqlite_url: str) -> None:
    assert open_book(place).incidents.zero_level == level
    with office(place, sqlite_url) as desk:
        desk.reports()
        items = desk.does("town", Zero()).data["items"]

        named = {
            desk.world.tree.named(node.id) for node in desk.world.tree.nodes.values() if node.level == level
        }
        assert [item["area"] in named for item in items] == [True]


def test_places_of_one_name_are_told_apart(sqlite_url: str) -> None:
    with office("minhou", sqlite_url) as desk:
        tree = desk.world.tree
        by_name: dict[str, list[int]] = {}
        for grid_id in tree.nodes:
            by_name.setdefault(tree.named(grid_id), []).append(grid_id)
        alike = next(ids for ids in by_name.values() if len(ids) > 1)

        names = tree.told_apart(alike)

        assert len(set(names)) == len(alike)
        assert all(name.endswith(tree.nodes[i].name) for name, i in zip(names, alike, strict=True))


def test_a_name_that_stands_alone_stays_short(desk: Office) -> None:
    tree = desk.world.tree
    grid = desk.who("resident").home_grid_id
    assert grid is not None

    assert tree.told_apart([grid]) == [tree.named(grid)]


def test_who_must_approve_or_help_gets_a_day_card_too(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Join(incident=number, to=desk.id("worker2"), task="帮忙抽水"))
    desk.does("worker", Extend(incident=number, span="1天", reason="等配件"))
    cards = desk.world.desk.work_in(desk.world.session, message_id="cards")

    assert isinstance(perform(cards, SendDayCards(slot="2026-11-24")), Done)

    told = {mail["person_id"] for mail in cards._mail if mail["text"] == "todo.morning"}
    assert told == {desk.id("worker"), desk.id("worker2"), desk.id("community")}
