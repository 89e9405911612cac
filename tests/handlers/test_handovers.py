"""Handing over: nothing that somebody who leaves had on their table is ever nowhere."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from handlers.actor import CLOCK
from handlers.approving import Approve
from handlers.confirming import Unsolved
from handlers.day_cards import SendDayCards
from handlers.dispatching import Join
from handlers.handling import Accept
from handlers.handovers import HandOver, LeavePost
from handlers.leaves import TakeLeave
from handlers.requesting import Extend
from handlers.tokens import issue, person_of
from handlers.tree import registry_changed
from handlers.watching import TellTrouble
from models import OPEN, Leave, Post, Scope
from tests.handlers.office import Office, office


@pytest.fixture
def both(migrated_url: str) -> Iterator[Office]:
    """The people of the default place, on each database."""
    with office("default", migrated_url) as people:
        yield people


def hands_over(desk: Office, who: str, to: str, by: str = "community") -> list[int]:
    done = desk.does(by, HandOver(who=desk.id(who), to=desk.id(to), sure=True))
    renew(desk)
    return list(done.data["cases"])


def renew(desk: Office) -> None:
    """Everybody is who they are by the posts of now."""
    desk.world.actors = desk.world._actors()
    named = {actor.id: actor for actor in desk.world.actors}
    desk.seats = {seat: named[actor.id] for seat, actor in desk.seats.items()}


def posts(desk: Office, seat: str) -> list[tuple[str, bool]]:
    rows = desk.world.session.execute(
        select(Post).where(col(Post.person_id) == desk.id(seat)).order_by(col(Post.id))
    ).scalars()
    return [(row.role, row.until is None) for row in rows]


def test_posts_and_the_whole_table_go_to_the_successor(both: Office) -> None:
    first, second = both.reports(), both.reports("neighbour", what="5栋门口垃圾没人清")
    both.does("worker", Accept(incident=first))
    before = {n: (both.case(n).state, both.case(n).next_due) for n in (first, second)}
    both.heard.clear()

    assert hands_over(both, "worker", "worker2") == [first, second]
    assert {n: (both.case(n).state, both.case(n).next_due) for n in before} == before
    assert {both.case(n).owner_id for n in before} == {both.id("worker2")}
    assert [both.moves(n).count("hand_over") for n in before] == [1, 1]
    assert posts(both, "worker") == [("worker", False)]
    assert posts(both, "worker2") == [("worker", True), ("worker", True)]
    assert both.told("worker2") == ["hand_over.received"]
    assert both.told("worker") == ["hand_over.leaver"]
    assert both.told("resident") == both.told("neighbour") == ["hand_over.reporter"]


def test_it_is_asked_first_what_moves_and_nothing_happens(desk: Office) -> None:
    desk.reports()
    who, to = desk.id("worker"), desk.id("worker2")

    assert desk.refused("community", HandOver(who=who, to=to)) == "hand_over.sure"
    assert desk.refused("community", LeavePost(who=who)) == "leave_post.sure"
    assert posts(desk, "worker") == [("worker", True)]


def test_only_who_stands_above_both_may(desk: Office) -> None:
    worker, other, far = desk.id("worker"), desk.id("worker2"), desk.id("许诺")

    assert desk.refused("community", HandOver(who=worker, to=far, sure=True)) == "refusal.not_allowed"
    assert desk.refused("worker2", HandOver(who=worker, to=other, sure=True)) == "refusal.not_allowed"
    assert desk.refused("worker", LeavePost(who=worker, sure=True)) == "refusal.not_allowed"
    assert desk.refused("community", HandOver(who=worker, to=worker, sure=True)) == "hand_over.same"
    assert desk.does("town", HandOver(who=worker, to=far, sure=True)).data["posts"] == 1


def test_what_was_asked_for_stays_asked_and_nobody_decides_on_their_own(both: Office) -> None:
    number = both.reports()
    both.does("worker", Accept(incident=number))
    both.does("worker", Extend(incident=number, span="2d", reason="等配件"))
    hands_over(both, "worker", "worker2")

    assert both.case(number).request["by"] == both.id("worker2")
    assert both.case(number).approver_id == both.id("community")
    both.does("town", LeavePost(who=both.id("worker2"), sure=True))
    renew(both)
    assert both.case(number).owner_id == both.id("community")
    assert both.case(number).approver_id == both.id("town")
    both.does("town", Approve(incident=number))
    assert both.told("community")[-1] == "approval.granted"


def test_a_part_in_somebody_elses_case_goes_along(both: Office) -> None:
    number = both.reports()
    both.does("worker", Join(incident=number, to=both.id("worker2"), task="帮忙抽水"))
    hands_over(both, "worker2", "冯远")
    parts = [part.person_id for part in both.world.parts(number) if part.part == "helper"]
    hands_over(both, "冯远", "worker")
    done = [part.done_at for part in both.world.parts(number) if part.part == "helper"]

    assert parts == [both.id("冯远")]
    assert done != [None]
    assert both.case(number).owner_id == both.id("worker")


def test_what_comes_back_to_the_handler_comes_to_the_successor(both: Office) -> None:
    number = both.finished()
    hands_over(both, "worker", "worker2")
    handler = both.case(number).handler_id
    both.does("resident", Unsolved(incident=number))

    assert handler == both.id("worker2")
    assert both.case(number).owner_id == both.id("community")


def test_without_a_successor_cases_go_one_level_up_and_the_empty_grid_is_told(both: Office) -> None:
    number = both.reports()
    both.heard.clear()
    both.does("town", LeavePost(who=both.id("worker"), sure=True))
    renew(both)

    assert both.case(number).owner_id == both.id("community")
    assert both.told("community") == ["leave_post.received", "leave_post.vacant"]
    assert both.told("resident") == ["hand_over.reporter"]
    assert both.case(both.reports()).owner_id == both.id("community")


def test_a_colleague_on_the_same_post_comes_first(both: Office) -> None:
    number = both.reports()
    both.world.session.add(
        Post(
            person_id=both.id("worker2"),
            role="worker",
            grid_id=both.who("worker").posts[0].grid_id,
            since=both.world.now,
        )
    )
    both.world.session.flush()
    both.heard.clear()
    both.does("community", LeavePost(who=both.id("worker"), sure=True))

    assert both.case(number).owner_id == both.id("worker2")
    assert both.told("community") == ["leave_post.done"]


def test_if_everybody_leaves_each_case_still_has_somebody(both: Office) -> None:
    numbers = [both.reports(), both.reports(what="水管爆了，没有水"), both.finished()]
    for seat, by in (("worker", "community"), ("community", "town"), ("town", "county")):
        both.does(by, LeavePost(who=both.id(seat), sure=True))
        renew(both)
    cases = [both.case(number) for number in numbers]

    assert {case.owner_id for case in cases if case.state in OPEN} <= {both.id("county"), both.id("高山")}
    assert [number for number in numbers if both.case(number).next_due is None] == []


def test_leaves_end_and_keys_close_with_the_post(both: Office) -> None:
    worker, session = both.id("worker"), both.world.session
    both.does("worker", TakeLeave(days="3天"))
    both.does("worker2", TakeLeave(days="3天", deputy=worker))
    key = issue(session, worker, Scope.BOARD, both.world.now)
    hands_over(both, "worker", "冯远")
    rows = list(session.execute(select(Leave).order_by(col(Leave.id))).scalars())

    assert rows[0].until == both.world.now
    assert rows[1].deputy_id == both.id("冯远")
    assert person_of(session, key, Scope.BOARD, both.world.now) is None


def test_an_empty_grid_is_told_once_a_week(desk: Office) -> None:
    desk.does("community", LeavePost(who=desk.id("worker"), sure=True))
    told = []
    for _ in range(8):
        mail = desk.world.do(CLOCK, TellTrouble(), chat=False).mail
        told.append(sum(one.text == "watch.vacant" and one.person_id == desk.id("county") for one in mail))
        desk.world.now += timedelta(days=1)

    assert told == [1, 0, 0, 0, 0, 0, 0, 1]


def test_what_lies_with_somebody_whose_post_ended_is_taken_up_in_the_morning(both: Office) -> None:
    number = both.reports()
    ends = both.world.now + timedelta(hours=1)
    both.world.session.execute(
        update(Post).where(col(Post.person_id) == both.id("worker")).values(until=ends)
    )
    registry_changed(both.world.session)
    both.world.now += timedelta(days=1)
    mail = both.world.do(CLOCK, SendDayCards(slot="2026-11-24"), chat=False).mail

    assert both.case(number).owner_id == both.id("community")
    assert both.moves(number)[-1] == "hand_over"
    told = [one.text for one in mail if one.person_id == both.id("community")]
    assert told == ["leave_post.received", "todo.morning"]
