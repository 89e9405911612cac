"""Clocks that stood for ever, ran when they should have stood, or struck after the hour."""

from datetime import timedelta

from handlers.amending import Recategorise, Regrade
from handlers.confirming import Unsolved
from handlers.handling import Accept, Finish, Rework, Undo
from handlers.requesting import Suspend, Unsolvable
from tests.handlers.office import Office, office


def test_a_case_that_ended_while_at_rest_has_running_clocks_when_it_is_opened_again(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Suspend(incident=number, span="5天", reason="等天晴"))
    desk.grants("community", number)
    desk.does("worker", Unsolvable(incident=number, reason="古树不能砍"))
    desk.grants("community", number)

    desk.does("resident", Unsolved(incident=number))

    row = desk.case(number)
    assert row.accept_due is not None
    assert row.resolve_due is not None
    assert row.next_due <= row.accept_due


def test_a_new_grade_starts_the_clock_anew(desk: Office) -> None:
    number = desk.reports()
    desk.wait(hours=3)
    now = desk.world.now

    desk.does("community", Regrade(incident=number, grade="sudden"))

    assert desk.case(number).resolve_due == now + timedelta(hours=2)
    assert desk.case(number).accept_due == now + timedelta(minutes=5)


def test_a_grade_one_gives_ones_own_case_wins_no_time(desk: Office) -> None:
    number = desk.reports()
    opened = desk.world.now
    desk.wait(hours=3)

    desk.does("worker", Regrade(incident=number, grade="sudden"))

    assert desk.case(number).resolve_due == opened + timedelta(hours=2)


def test_a_grade_given_by_hand_stays_when_the_kind_changes(desk: Office) -> None:
    number = desk.reports()
    desk.does("community", Regrade(incident=number, grade="coordinated"))

    desk.does("resident", Recategorise(incident=number, category="1604"))

    assert desk.case(number).category == "1604"
    assert desk.case(number).grade == "coordinated"


def test_a_new_kind_goes_to_the_unit_that_is_named_for_it(sqlite_url: str) -> None:
    with office("shexian", sqlite_url) as desk:
        number = desk.reports()

        desk.does("resident", Recategorise(incident=number, category="0402"))

        unit = desk.world.tree.units[desk.case(number).unit_id]
        assert unit.name == desk.world.book.incidents.by_category["0402"].unit
        assert desk.case(number).owner_id in desk.world.tree.unit_people[unit.id]


def test_the_same_grade_wins_no_time(desk: Office) -> None:
    number = desk.reports()
    due = desk.case(number).resolve_due
    desk.wait(hours=3)

    desk.does("worker", Regrade(incident=number, grade="general"))

    assert desk.case(number).resolve_due == due
    assert "transfer" not in desk.moves(number)


def test_the_clock_stands_while_a_result_is_checked(desk: Office) -> None:
    number = desk.reports(what="3栋2单元着火了")
    desk.does("worker", Accept(incident=number))
    due = desk.case(number).resolve_due
    desk.wait(minutes=20)
    desk.does("worker", Finish(incident=number, result="火已扑灭"))
    desk.wait(hours=3)

    desk.does("community", Rework(incident=number, reason="还有余火"))

    assert desk.case(number).resolve_due == due + timedelta(hours=3)


def test_taking_a_finish_back_wins_no_time(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    due = desk.case(number).resolve_due
    desk.wait(hours=2)
    desk.does("worker", Finish(incident=number, result="已换灯泡"))
    desk.wait(minutes=1)

    desk.does("worker", Undo())

    assert desk.case(number).resolve_due == due


def test_nobody_is_told_that_three_quarters_are_over_when_all_of_it_is(desk: Office) -> None:
    number = desk.reports()
    desk.wait(days=3)
    assert desk.case(number).owner_id == desk.id("town")
    desk.does("town", Accept(incident=number))
    desk.told("town")

    desk.sleeps(days=10)

    told = desk.told("town")
    assert "climb.top" in told
    assert "nudge.accepted" not in told


def test_two_clocks_that_ran_out_together_are_told_once(desk: Office) -> None:
    number = desk.reports()
    desk.wait(days=3)
    assert desk.case(number).owner_id == desk.id("town")
    desk.told("town")

    desk.sleeps(days=10)

    assert desk.told("town") == ["climb.top"]
