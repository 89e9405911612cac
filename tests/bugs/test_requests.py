"""Requests that outlived their reason, and requests that were decided by the wrong person."""

from handlers.approving import Approve
from handlers.dispatching import ReturnCase
from handlers.handling import Accept, Arrive, Finish
from handlers.requesting import Extend, Suspend, Unsolvable
from tests.handlers.office import Office


def asked(desk: Office, seat: str = "worker") -> int:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    if seat != "worker":
        desk.passes_up(number, seat)
        desk.does(seat, Accept(incident=number))
    desk.does(seat, Extend(incident=number, span="3天", reason="等配件"))
    return number


def test_what_is_finished_needs_no_more_time(desk: Office) -> None:
    number = asked(desk)

    desk.does("worker", Finish(incident=number, result="配件到了，已换好"))

    assert desk.case(number).request is None
    assert desk.refused("community", Approve(incident=number)) == "approval.none"
    desk.wait(days=2)
    assert "note" not in desk.moves(number)


def test_what_is_given_back_takes_its_request_along(desk: Office) -> None:
    number = asked(desk)

    desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))

    assert desk.case(number).request is None


def test_a_request_stays_while_its_owner_gets_on_with_it(desk: Office) -> None:
    number = asked(desk)

    desk.does("worker", Arrive(incident=number))
    desk.grants("community", number)

    assert desk.case(number).extensions == 1


def test_a_result_that_is_being_checked_cannot_be_given_more_time(desk: Office) -> None:
    number = desk.reports(what="3栋2单元着火了")
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Finish(incident=number, result="火已扑灭"))
    assert desk.case(number).owner_id == desk.id("community")

    assert (
        desk.refused("community", Extend(incident=number, span="3天", reason="再看看"))
        == "incident.wrong_move"
    )


def test_a_request_nobody_answers_goes_up_and_never_down_again(desk: Office) -> None:
    number = asked(desk)
    approvers = [desk.case(number).approver_id]

    for _ in range(6):
        desk.wait(days=1)
        approvers.append(desk.case(number).approver_id)

    while_it_stood = [approver for approver in approvers if approver is not None]
    assert list(dict.fromkeys(while_it_stood)) == [desk.id(seat) for seat in ("community", "town", "county")]
    assert while_it_stood[-1] == desk.id("county")


def test_more_time_is_allowed_by_somebody_above_not_below(desk: Office) -> None:
    number = asked(desk, "town")

    assert desk.case(number).approver_id == desk.id("county")


def test_whoever_stands_at_the_top_is_allowed_by_a_second_person_all_the_same(desk: Office) -> None:
    number = asked(desk, "county")

    assert desk.case(number).approver_id not in (None, desk.id("county"))


def test_a_rest_that_was_granted_after_its_end_is_over_at_once(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Suspend(incident=number, span="30分钟", reason="等人开门"))
    desk.world.now = desk.world.now.replace(hour=3)
    desk.grants("community", number)

    desk.wait()

    assert desk.case(number).state == "accepted"


def test_an_honest_end_asked_for_while_at_rest_can_be_granted(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Suspend(incident=number, span="5天", reason="等天晴"))
    desk.grants("community", number)
    desk.does("worker", Unsolvable(incident=number, reason="古树不能砍"))

    desk.grants("community", number)

    assert desk.case(number).state == "closed_unsolved"
