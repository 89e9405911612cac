"""Promises that were lost: two happenings had the same key, and the second was never told."""

from handlers.amending import Regrade
from handlers.dispatching import Arbitrate, Dispatch, ReturnCase
from handlers.handling import Accept
from tests.handlers.office import Office


def climbed(desk: Office) -> int:
    number = desk.reports()
    desk.wait(hours=25)
    assert desk.case(number).owner_id == desk.id("community")
    assert "climb.upper" in desk.told("community")
    return number


def test_a_case_that_climbs_again_after_a_new_grade_is_told_again(desk: Office) -> None:
    number = climbed(desk)
    desk.does("community", Regrade(incident=number, grade="sudden"))
    desk.does("town", Regrade(incident=number, grade="general"))
    assert desk.case(number).owner_id == desk.id("worker")
    desk.told("community")

    desk.wait(hours=25)

    assert desk.case(number).owner_id == desk.id("community")
    assert "climb.upper" in desk.told("community")


def test_a_new_clock_after_arbitration_nudges_anew(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.wait(hours=24)
    assert "nudge.accepted" in desk.told("worker")
    for _ in range(3):
        desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))
        if desk.case(number).state == "arbitration":
            break
        desk.does("community", Dispatch(incident=number, to=desk.id("worker")))
    desk.does("town", Arbitrate(incident=number, to=desk.id("worker"), reason="就在一网格"))
    desk.does("worker", Accept(incident=number))
    desk.told("worker")

    desk.wait(hours=24)

    assert "nudge.accepted" in desk.told("worker")
