"""Cases that left an arbiter without a word, or went to somebody who cannot take them."""

from dataclasses import replace

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import col

from handlers.actor import Held, actor_from
from handlers.amending import Relocate
from handlers.choices import options
from handlers.confirming import Solved, Unsolved
from handlers.dispatching import Dispatch, ReturnCase, Transfer
from handlers.handling import Accept, Finish, Verify
from handlers.merging import Merge
from handlers.reporting import Report, ReportOnBehalf
from handlers.work import Reading
from models import Grid
from tests.handlers.office import LAMP, Office


def in_arbitration(desk: Office) -> int:
    number = desk.reports()
    for _ in range(2):
        desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))
        desk.does("community", Dispatch(incident=number, to=desk.id("worker")))
    desk.does("worker", ReturnCase(incident=number, reason="还是不归我"))
    return number


def other_grid(desk: Office) -> int:
    query = select(col(Grid.id)).where(col(Grid.name) == "5栋").order_by(col(Grid.id))
    return int(list(desk.world.session.execute(query).scalars())[-1] or 0)


def test_an_arbiter_settles_a_case_and_does_not_pass_it_on(desk: Office) -> None:
    number = in_arbitration(desk)

    assert desk.refused("town", Transfer(incident=number, to=desk.id("worker"))) == "incident.wrong_move"
    assert desk.case(number).owner_id == desk.id("town")


def test_a_new_place_does_not_end_an_arbitration(desk: Office) -> None:
    number = in_arbitration(desk)

    desk.does("resident", Relocate(incident=number, grid=other_grid(desk)))

    assert desk.case(number).state == "arbitration"
    assert desk.case(number).owner_id == desk.id("town")
    assert desk.case(number).grid_id == other_grid(desk)


def test_a_reporter_does_not_choose_the_grade() -> None:
    with pytest.raises(ValidationError):
        Report.model_validate({"what": LAMP, "grade": "sudden"})


def test_who_may_handle_only_far_away_is_given_nothing_here(desk: Office) -> None:
    number = desk.reports()
    tree = desk.world.tree
    grid = tree.nodes[desk.case(number).grid_id]
    far = replace(grid, id=10**6, parent_id=tree.root.id, path=f"{tree.root.path}{10**6}/")
    tree.nodes[far.id] = far
    posts = (Held("building_head", grid.id, grid.path), Held("worker", far.id, far.path))
    somebody = desk.id("neighbour")
    tree.staff[somebody] = actor_from(desk.world.book, somebody, "两地", posts)

    assert desk.refused("worker", Transfer(incident=number, to=somebody)) == "transfer.too_far"


def test_a_case_does_not_jump_over_the_next_one_above(desk: Office) -> None:
    number = desk.reports()
    town = Transfer(incident=number, to=desk.id("town"))

    assert desk.refused("worker", town) == "transfer.too_high"
    assert desk.case(number).owner_id == desk.id("worker")

    desk.does("worker", Transfer(incident=number, to=desk.id("community")))
    desk.does("community", town)
    assert desk.case(number).owner_id == desk.id("town")


def test_only_those_within_reach_are_offered(desk: Office) -> None:
    world = desk.world

    def offered(seat: str) -> set[int | str]:
        reading = Reading(world.session, world.now, world.book, world.tree, desk.who(seat))
        return {option.value for option in options(reading, "colleagues")}

    assert desk.id("community") in offered("worker")
    assert desk.id("worker2") in offered("worker")
    assert desk.id("town") not in offered("worker")
    assert desk.id("town") in offered("community")


def test_one_of_two_who_says_unsolved_waits_for_the_other(desk: Office) -> None:
    number, other = desk.reports(), desk.reports("neighbour")
    desk.does("worker", Merge(incident=other, into=number))
    desk.does("worker", Accept(incident=number))
    finish(desk, number)

    desk.does("resident", Unsolved(incident=number))
    assert desk.case(number).state == "waiting_reporter"

    desk.does("neighbour", Solved(incident=other))
    assert desk.case(number).state == "dispatched"


def test_one_of_two_who_says_unsolved_is_heard_when_the_other_is_silent(desk: Office) -> None:
    number, other = desk.reports(), desk.reports("neighbour")
    desk.does("worker", Merge(incident=other, into=number))
    desk.does("worker", Accept(incident=number))
    finish(desk, number)

    desk.does("resident", Unsolved(incident=number))
    desk.wait(days=8)

    assert "reopen" in desk.moves(number)


def finish(desk: Office, number: int) -> None:
    desk.does("worker", Finish(incident=number, result="换了灯泡"))


def test_what_one_is_asked_in_ones_own_chat_is_still_checked_before_it_goes_out(desk: Office) -> None:
    grid = desk.who("resident").home_grid_id
    done = desk.does("community", ReportOnBehalf(what="3栋2单元着火了", grid=grid, who="老张"))
    number = int(done.data["number"])
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Finish(incident=number, result="火已扑灭"))
    desk.told("community")
    desk.does("community", Verify(incident=number))

    asked = next(mail for mail in desk.mail("community") if mail.text == "close.ask_filer")

    assert asked.still == "waiting"
    assert asked.key.startswith(f"incident:{number}:ask:")
    assert asked.chat is not None
