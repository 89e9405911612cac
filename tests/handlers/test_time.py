"""What time does to a case, and what people can do about time: to the minute."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from handlers.approving import Approve, Disapprove
from handlers.dispatching import Transfer
from handlers.handling import Accept, Arrive, Finish, Verify
from handlers.pausing import Unsuspend
from handlers.reporting import Report, SelfHandle
from handlers.requesting import Extend, Suspend
from tests.handlers.office import Office, office

FIRE = "3栋2单元着火了,有人困在里面"


@pytest.fixture
def shexian(sqlite_url: str) -> Iterator[Office]:
    """A place whose small cases are taken back when their time is up."""
    with office("shexian", sqlite_url) as people:
        yield people


def accepted(desk: Office, seat: str = "worker", **more: str) -> int:
    number = desk.reports(**more)
    desk.does(seat, Accept(incident=number))
    return number


def local(desk: Office, moment: datetime) -> str:
    return f"{moment.astimezone(desk.world.book.zone):%m-%d %H:%M}"


# ---- more time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "due"),
    [("2天", "11-30 17:30"), ("1天", "11-27 17:30"), ("4小时", "11-27 14:30"), ("30分钟", "11-27 09:00")],
)
def test_an_extension_is_counted_on_from_the_deadline(desk: Office, span: str, due: str) -> None:
    number = accepted(desk)
    assert local(desk, desk.case(number).resolve_due) == "11-26 17:30"
    desk.does("worker", Extend(incident=number, span=span, reason="等配件"))
    assert local(desk, desk.case(number).resolve_due) == "11-26 17:30"

    desk.grants("community", number)

    assert local(desk, desk.case(number).resolve_due) == due


def test_a_request_stops_no_clock_and_a_no_changes_nothing(desk: Office) -> None:
    number = accepted(desk)
    before = desk.case(number)
    desk.does("worker", Extend(incident=number, span="3天", reason="等配件"))

    desk.does("community", Disapprove(incident=number, reason="今天就有货"))

    after = desk.case(number)
    assert (after.resolve_due, after.extensions, after.request) == (before.resolve_due, 0, None)
    assert "approval.refused" in desk.told("worker")


def test_there_is_more_time_twice_and_the_second_is_allowed_by_the_next_above(desk: Office) -> None:
    number = accepted(desk)
    approvers = []
    for seat in ("community", "town"):
        desk.does("worker", Extend(incident=number, span="1天", reason="等配件"))
        approvers.append(desk.case(number).approver_id)
        desk.grants(seat, number)

    assert approvers == [desk.id("community"), desk.id("town")]
    assert desk.refused("worker", Extend(incident=number, span="1天", reason="还要等")) == "extend.too_often"


def test_nobody_allows_their_own_request(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Transfer(incident=number, to=desk.id("community")))
    desk.does("community", Accept(incident=number))
    desk.does("community", Extend(incident=number, span="1天", reason="等配件"))

    assert desk.refused("community", Approve(incident=number)) == "approval.own"
    assert desk.case(number).approver_id == desk.id("town")


# ---- rest ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [1, 3, 26, 24 * 5])
def test_a_rest_moves_the_deadline_by_exactly_its_own_length(desk: Office, hours: int) -> None:
    number = accepted(desk, what=FIRE)
    due = desk.case(number).resolve_due
    desk.does("worker", Suspend(incident=number, span="20天", reason="等专家"))
    desk.grants("community", number)
    assert desk.case(number).resolve_due is None

    desk.wait(hours=hours)
    desk.does("worker", Unsuspend(incident=number))

    assert desk.case(number).resolve_due == due + timedelta(hours=hours)


def test_a_rest_of_two_working_days_takes_two_working_days_out(desk: Office) -> None:
    number = accepted(desk)
    desk.does("worker", Suspend(incident=number, span="2天", reason="等天晴"))
    desk.grants("community", number)

    desk.wait(days=3)

    assert desk.case(number).state == "accepted"
    assert local(desk, desk.world.events(number)[-1].at) == "11-25 17:30"
    assert local(desk, desk.case(number).resolve_due) == "11-30 17:30"


def test_a_resting_case_is_neither_nudged_nor_raised(desk: Office) -> None:
    number = accepted(desk)
    desk.does("worker", Suspend(incident=number, span="20天", reason="等天晴"))
    desk.grants("community", number)
    desk.told("worker")

    desk.wait(days=15)

    assert desk.told("worker") == []
    assert desk.case(number).owner_id == desk.id("worker")


# ---- nudges and climbs -----------------------------------------------------------------------------------


def test_three_nudges_come_once_each_and_in_time(desk: Office) -> None:
    number = accepted(desk)
    began, due = desk.world.now, desk.case(number).resolve_due

    desk.wait(days=3, hours=7)

    nudged = [e for e in desk.world.events(number) if e.move == "nudge"]
    assert [event.data["percent"] for event in nudged] == [25, 50, 75]
    assert began < nudged[0].at < nudged[1].at < nudged[2].at < due
    assert desk.told("worker").count("nudge.accepted") == 3


def test_after_a_long_night_only_the_last_nudge_is_sent(desk: Office) -> None:
    number = accepted(desk)
    desk.told("worker")

    desk.sleeps(days=3)

    nudged = [e for e in desk.world.events(number) if e.move == "nudge"]
    assert [event.data["percent"] for event in nudged] == [75]
    assert desk.told("worker") == ["nudge.accepted"]


def test_after_weeks_a_case_climbs_one_rung_with_a_fresh_clock(desk: Office) -> None:
    number = desk.reports()
    desk.heard.clear()

    desk.sleeps(days=30)

    row = desk.case(number)
    assert (row.owner_id, row.step) == (desk.id("community"), 1)
    assert row.accept_due > desk.world.now
    assert desk.told("worker") == ["climb.former"]
    assert desk.told("resident") == ["climb.reporter"]
    assert desk.told("community") == ["climb.upper"]


def test_a_case_nobody_takes_climbs_to_the_top_and_its_top_is_reminded(desk: Office) -> None:
    number = desk.reports()

    desk.wait(days=40)

    climbs = [e.data["to"] for e in desk.world.events(number) if e.move == "climb"]
    assert climbs == [desk.id("community"), desk.id("town")]
    reminders = desk.told("town").count("climb.top")
    assert 5 <= reminders <= 12, "daily at first, then weekly"


def test_a_case_that_is_accepted_is_not_raised_for_not_being_accepted(desk: Office) -> None:
    number = accepted(desk)

    desk.wait(days=2)

    assert "climb" not in desk.moves(number)


def test_a_small_case_is_taken_back_when_its_day_is_over(shexian: Office) -> None:
    number = accepted(shexian)
    shexian.told("worker")

    shexian.wait(hours=9)

    row = shexian.case(number)
    assert (row.state, row.owner_id) == ("returned", shexian.id("community"))
    assert shexian.moves(number)[-2:] == ["auto_return", "warn"]
    assert "auto_return.upper" in shexian.told("community")
    assert "climb.former" in shexian.told("worker")
    assert row.returns == 0, "nobody gave it back"


def test_a_bigger_case_is_not_taken_back_but_raised(desk: Office) -> None:
    number = accepted(desk)

    desk.wait(days=5)

    assert "auto_return" not in desk.moves(number)
    assert "climb" in desk.moves(number)


# ---- danger ----------------------------------------------------------------------------------------------


def test_danger_names_the_number_first_and_wakes_the_whole_ladder(desk: Office) -> None:
    number = desk.reports(what=FIRE)

    (answer,) = desk.mail("resident")
    assert answer.text == "report.filed_danger"
    assert "119" in answer.args["advice"]
    assert desk.told("worker") == ["incident.new"]
    for seat in ("community", "town", "county"):
        assert [mail.urgent for mail in desk.mail(seat) if mail.text == "incident.alarm"] == [True]
    row = desk.case(number)
    assert (row.grade, row.danger) == (desk.world.book.incidents.danger_grade, "fire")
    assert row.accept_due == desk.world.now + timedelta(minutes=5)
    assert row.arrive_due == desk.world.now + timedelta(minutes=15)


@pytest.mark.parametrize("hour", [3, 23])
def test_danger_knows_no_office_hours(desk: Office, hour: int) -> None:
    desk.world.now = desk.world.now.replace(hour=(hour - 8) % 24) + timedelta(days=6)
    number = desk.reports(what=FIRE)
    desk.told("community")

    desk.wait(minutes=6)

    assert desk.case(number).owner_id == desk.id("community")
    assert "climb.upper" in desk.told("community")


def test_danger_is_nobodys_to_settle_alone(desk: Office) -> None:
    assert desk.refused("worker", SelfHandle(what="3栋着火了,已经扑灭,但还在冒烟")) == "self_handle.danger"


def test_a_late_arrival_is_told_and_the_case_stays_with_who_is_on_the_way(desk: Office) -> None:
    number = accepted(desk, what=FIRE)
    desk.heard.clear()

    desk.wait(minutes=16)

    assert desk.told("worker") == ["arrive.late"]
    assert desk.told("community") == ["arrive.late_upper"]
    assert desk.case(number).owner_id == desk.id("worker")
    desk.does("worker", Arrive(incident=number))
    assert desk.case(number).arrive_due is None


def test_danger_that_a_stranger_reports_from_nobody_knows_where_has_an_owner_at_once(desk: Office) -> None:
    done = desk.does("过路人", Report(what="河边有人落水了"))

    assert desk.case(int(done.data["number"])).owner_id == desk.id("county")
    assert desk.told("county") == ["incident.new"]


# ---- a second pair of eyes -------------------------------------------------------------------------------


def test_a_grave_case_is_checked_by_somebody_else(desk: Office) -> None:
    number = accepted(desk, what=FIRE)
    desk.told("resident")

    desk.does("worker", Finish(incident=number, result="火已扑灭"))

    assert (desk.case(number).state, desk.case(number).owner_id) == ("handled", desk.id("community"))
    assert desk.told("resident") == []
    assert desk.refused("worker", Verify(incident=number)) == "refusal.not_allowed"
    desk.does("community", Verify(incident=number))
    assert (desk.case(number).state, desk.case(number).owner_id) == ("waiting_reporter", desk.id("worker"))
    assert "close.ask" in desk.told("resident")


def test_who_did_it_does_not_check_it(desk: Office) -> None:
    number = desk.reports(what=FIRE)
    desk.does("worker", Transfer(incident=number, to=desk.id("community")))
    desk.does("community", Accept(incident=number))
    desk.does("community", Finish(incident=number, result="火已扑灭"))

    assert desk.case(number).owner_id == desk.id("town")
    assert desk.refused("community", Verify(incident=number)) == "verify.own"


def test_what_nobody_checks_in_time_goes_to_the_reporter(desk: Office) -> None:
    number = accepted(desk, what=FIRE)
    desk.does("worker", Finish(incident=number, result="火已扑灭"))
    desk.told("resident")

    desk.wait(hours=5)

    assert desk.case(number).state == "waiting_reporter"
    assert desk.told("resident") == ["close.ask"]
    assert desk.world.events(number)[-2].data["auto"] is True


def test_an_ordinary_case_needs_no_second_pair_of_eyes(desk: Office) -> None:
    assert desk.case(desk.finished()).state == "waiting_reporter"
