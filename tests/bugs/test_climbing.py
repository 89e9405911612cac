"""Cases that went down the tree instead of up, and a backstop that could give a case back."""

import pytest

from handlers.amending import Regrade
from handlers.confirming import Unsolved
from handlers.dispatching import Arbitrate, Dispatch, ReturnCase, Transfer
from handlers.handling import Accept, Finish
from tests.handlers.office import Office


def returned_thrice(desk: Office) -> int:
    number = desk.reports()
    for _ in range(2):
        desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))
        desk.does("community", Dispatch(incident=number, to=desk.id("worker")))
    desk.does("worker", ReturnCase(incident=number, reason="还是不归我"))
    assert desk.case(number).state == "arbitration"
    return number


def test_an_arbiter_who_is_late_is_reminded_and_nobody_below_gets_the_case(desk: Office) -> None:
    number = returned_thrice(desk)
    assert desk.case(number).owner_id == desk.id("town")
    desk.told("town")

    desk.wait(days=3)

    assert desk.case(number).state == "arbitration"
    assert desk.case(number).owner_id == desk.id("town")
    assert "climb.top" in desk.told("town")


def test_a_case_passed_up_and_left_lying_does_not_climb_down(desk: Office) -> None:
    number = desk.reports()
    desk.passes_up(number, "town")

    desk.wait(days=3)

    assert desk.case(number).owner_id == desk.id("town")


def test_a_case_passed_down_from_the_top_climbs_back(desk: Office) -> None:
    number = desk.reports()
    desk.wait(days=3)
    assert desk.case(number).owner_id == desk.id("town")
    desk.does("town", Transfer(incident=number, to=desk.id("worker")))

    desk.wait(days=3)

    assert desk.case(number).owner_id == desk.id("town")


def test_what_the_town_did_not_solve_is_not_reopened_below_it(desk: Office) -> None:
    number = desk.reports()
    desk.passes_up(number, "town")
    desk.does("town", Accept(incident=number))
    desk.does("town", Finish(incident=number, result="已安排"))

    desk.does("resident", Unsolved(incident=number, reason="还是不亮"))

    assert desk.case(number).owner_id == desk.id("town")


@pytest.mark.parametrize("seat", ["town", "county"])
def test_the_backstop_cannot_give_back_what_was_passed_to_it(desk: Office, seat: str) -> None:
    number = desk.reports()
    desk.passes_up(number, seat)

    assert desk.refused(seat, ReturnCase(incident=number, reason="不归我管")) == "return.backstop"


def test_a_worker_is_no_backstop_though_the_case_has_been_at_the_top(desk: Office) -> None:
    number = desk.reports()
    desk.wait(days=3)
    desk.does("town", Transfer(incident=number, to=desk.id("worker2")))

    desk.does("worker2", ReturnCase(incident=number, reason="不在我的网格"))

    assert desk.case(number).state == "returned"


def test_an_arbitrated_case_cannot_be_pulled_out_by_a_new_grade_at_once(desk: Office) -> None:
    number = returned_thrice(desk)
    desk.does("town", Arbitrate(incident=number, to=desk.id("worker"), reason="在一网格范围内"))

    assert desk.refused("worker", ReturnCase(incident=number, reason="我不服")) == "return.arbitrated"


def test_only_who_settles_it_takes_a_case_out_of_arbitration(desk: Office) -> None:
    number = returned_thrice(desk)

    assert (
        desk.refused("community", Dispatch(incident=number, to=desk.id("worker2"))) == "incident.wrong_move"
    )
    assert (
        desk.refused("community", Transfer(incident=number, to=desk.id("worker2"))) == "incident.wrong_move"
    )
    assert desk.refused("community", Regrade(incident=number, grade="sudden")) == "incident.wrong_move"


def test_an_arrival_that_is_late_is_told_to_somebody_above_not_below(desk: Office) -> None:
    number = desk.reports(what="3栋2单元着火了")
    desk.passes_up(number, "town")
    desk.does("town", Accept(incident=number))
    desk.told("county")

    desk.wait(minutes=20)

    assert "arrive.late_upper" not in desk.told("community")
    assert "arrive.late_upper" in desk.told("county")
