"""Leave: who acts for somebody who is away, what reaches whom meanwhile, and what is left afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.render import words
from handlers.actor import CLOCK
from handlers.approving import Approve
from handlers.day_cards import SendDayCards, todo_cases
from handlers.handling import Accept, Finish
from handlers.leaves import EndLeave, TakeLeave, leaves_of
from handlers.requesting import Extend
from handlers.still import still_true
from handlers.work import Reading
from handlers.zero_boards import SendZeroBoards
from models import Leave
from tests.handlers.office import LAMP, Office, office

DAY = timedelta(days=1)


@pytest.fixture
def both(migrated_url: str) -> Iterator[Office]:
    """The people of the default place, on each database."""
    with office("default", migrated_url) as people:
        yield people


def goes(desk: Office, seat: str, days: str = "3天", deputy: str | None = None, by: str | None = None) -> int:
    """Somebody goes on leave; who will stand in for them."""
    command = TakeLeave(
        days=days,
        deputy=desk.id(deputy) if deputy else None,
        who=desk.id(seat) if by else None,
    )
    return int(desk.does(by or seat, command).data["deputy"])


def test_what_arrives_meanwhile_goes_to_the_deputy_and_what_lay_there_stays(both: Office) -> None:
    before = both.reports()
    goes(both, "worker", deputy="worker2")
    after = both.reports(what="5栋门口垃圾没人清")

    assert both.case(before).owner_id == both.id("worker")
    assert both.case(after).owner_id == both.id("worker2")
    assert "incident.new" in both.told("worker2")


def test_the_deputy_sees_the_table_and_acts_on_it_as_if_it_were_theirs(both: Office) -> None:
    number = both.reports()
    goes(both, "worker", deputy="worker2")
    actor = both.world.desk.tree(both.world.session).staff[both.id("worker2")]
    tree = both.world.desk.tree(both.world.session)
    rows = todo_cases(Reading(both.world.session, both.world.now, both.world.book, tree, actor))
    both.seats["worker2"] = actor

    assert [(heading, case.id) for heading, case in rows] == [("代同事办", number)]
    both.does("worker2", Accept(incident=number))
    both.does("worker2", Finish(incident=number, result="已更换灯泡"))
    assert both.case(number).handler_id == both.id("worker2")


def test_who_is_away_is_not_pressed_and_the_deputy_is(both: Office) -> None:
    number = both.reports()
    goes(both, "worker", days="5天", deputy="worker2")
    both.heard.clear()
    both.wait(days=1, hours=3)

    assert both.told("worker") == []
    mail = [one for one in both.mail("worker2") if one.incident_id == number]
    assert {one.text for one in mail} >= {"nudge.waiting"}
    assert {one.still for one in mail if one.text == "nudge.waiting"} == {f"mine@{both.id('worker')}"}


def test_what_is_said_to_a_deputy_holds_while_the_case_is_the_absents(desk: Office) -> None:
    number = desk.reports()
    still = f"mine@{desk.id('worker')}"
    holds = still_true(desk.world.session, still, number, desk.id("worker2"))
    other = still_true(desk.world.session, f"mine@{desk.id('community')}", number, desk.id("worker2"))

    assert (holds, other) == (True, False)


def test_without_a_deputy_or_with_one_who_is_away_it_is_the_level_above(both: Office) -> None:
    nobody = goes(both, "worker")
    goes(both, "worker2")
    away = goes(both, "worker", deputy="worker2")
    goes(both, "community", days="2天")
    number = both.reports()

    assert {nobody, away} == {both.id("community")}
    assert both.case(number).owner_id == both.id("town")


def test_at_the_top_somebody_must_be_named(both: Office) -> None:
    assert both.refused("county", TakeLeave(days="3天")) == "leave.nobody"
    assert goes(both, "county", deputy="town") == both.id("town")


def test_if_all_are_away_a_case_still_has_somebody(desk: Office) -> None:
    for seat in ("worker", "worker2", "community", "town"):
        goes(desk, seat)
    session = desk.world.session
    until = desk.world.now + DAY
    county = desk.id("county")
    session.add(Leave(person_id=county, since=desk.world.now, until=until, said_by=county))
    session.flush()
    desk.does("worker", EndLeave())
    goes_again = desk.tries("worker", TakeLeave(days="1天"))

    assert goes_again.outcome.text == "leave.nobody"  # type: ignore[union-attr]
    assert desk.case(desk.reports()).owner_id == desk.id("worker")


def test_a_leave_in_the_future_begins_and_ends_at_its_time(both: Office) -> None:
    goes(both, "worker", days="后天", deputy="worker2")
    owners = []
    for _ in range(4):
        owners.append(both.case(both.reports()).owner_id)
        both.world.now += DAY

    assert owners == [both.id(seat) for seat in ("worker", "worker", "worker2", "worker")]


def test_the_latest_word_holds_and_a_longer_leave_keeps_its_deputy(both: Office) -> None:
    goes(both, "worker", days="5天", deputy="worker2")
    both.world.now += DAY
    kept = goes(both, "worker", days="到周三")
    at = both.world.now

    rows = list(both.world.session.execute(select(Leave).order_by(col(Leave.id))).scalars())
    assert kept == both.id("worker2")
    assert rows[0].until == rows[1].since == at
    both.world.now += 2 * DAY
    assert both.case(both.reports()).owner_id == both.id("worker")


def test_back_before_the_time_and_not_going_after_all(both: Office) -> None:
    goes(both, "worker", days="3天", deputy="worker2")
    goes(both, "worker", days="12月10日", deputy="worker2")
    both.heard.clear()
    both.does("worker", EndLeave())

    assert both.told("worker2") == ["leave.back"]
    assert both.case(both.reports()).owner_id == both.id("worker")
    both.does("worker", EndLeave())
    assert both.refused("worker", EndLeave()) == "leave.none"
    assert leaves_of(both.world.asking(), both.id("worker")) == []


def test_who_stands_above_may_enter_it_and_nobody_else(both: Office) -> None:
    assert goes(both, "worker", deputy="worker2", by="community") == both.id("worker2")
    assert "leave.entered" in both.told("worker")
    for seat, whom in (("worker2", "worker"), ("worker", "community"), ("杨帆", "worker")):
        refused = both.refused(seat, TakeLeave(days="3天", who=both.id(whom)))
        assert refused == "refusal.not_allowed"


def test_what_makes_no_sense_is_refused(desk: Office) -> None:
    own, far = desk.id("worker"), desk.id("许诺")

    assert desk.refused("worker", TakeLeave(days="3天", deputy=own)) == "leave.own_deputy"
    assert desk.refused("worker", TakeLeave(days="3天", deputy=far)) == "leave.no_deputy"
    over = "2026-01-01T00:00+08:00/2026-01-02T00:00+08:00"
    for days in ("昨天", "很久", "20个月", over, "2026-01-01/2027"):
        assert desk.refused("worker", TakeLeave(days=days)) == "leave.unclear"
    assert desk.refused("resident", TakeLeave(days="3天")) == "refusal.not_allowed"


def test_the_upper_keeper_hears_it_in_one_line(desk: Office) -> None:
    goes(desk, "worker", days="11月25日", deputy="worker2")
    (mail,) = desk.mail("community")

    assert (
        words(desk.world.book, mail.text, mail.args) == "网格员李强请假，11月25日到11月25日，由网格员周丽代。"
    )


def test_requests_go_to_who_stands_in_for_the_approver(both: Office) -> None:
    number = both.reports()
    both.does("worker", Accept(incident=number))
    both.does("worker", Extend(incident=number, span="2d", reason="等配件"))
    goes(both, "community", deputy="杨帆")
    both.seats["杨帆"] = both.world.desk.tree(both.world.session).staff[both.id("杨帆")]

    both.does("杨帆", Approve(incident=number))
    assert both.case(number).request is None


def test_cards_and_boards_go_to_who_is_there(both: Office) -> None:
    number = both.reports(what=LAMP)
    goes(both, "worker", deputy="worker2")
    goes(both, "community", deputy="杨帆")
    both.heard.clear()
    for command in (SendDayCards(slot="2026-11-24"), SendZeroBoards(slot="2026-11-24")):
        both.heard += both.world.do(CLOCK, command, chat=False).mail

    assert [(m.text, m.choices[0]["known"]["incident"]) for m in both.mail("worker2")] == [
        ("todo.morning", number)
    ]
    assert both.told("杨帆") == ["zero.evening"]
    assert both.told("worker") == both.told("community") == []


def test_a_deputy_does_not_rise_above_their_own_post(desk: Office) -> None:
    goes(desk, "county", deputy="town")
    number = desk.reports()
    desk.wait(days=20)

    assert desk.case(number).owner_id == desk.id("town")
    assert desk.moves(number).count("climb") == 2


def test_a_units_people_are_stood_in_for_like_others(both: Office) -> None:
    session, desk = both.world.session, both.world.desk
    unit = both.who("高山").posts[0].unit_id or 0
    before = desk.tree(session).unit_people[unit]
    goes(both, "高山")

    assert before == (both.id("高山"),)
    assert desk.tree(session).unit_people[unit] == (both.id("town"),)
    assert desk.tree(session).keepers(both.who("town").posts[0].grid_id) == (both.id("town"),)
