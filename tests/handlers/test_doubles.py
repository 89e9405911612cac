"""A button pressed twice does what one press does; what has been done already is said, not done again."""

from collections.abc import Callable

import pytest

from handlers import (
    amending,
    approving,
    confirming,
    dispatching,
    handling,
    pausing,
    pressing,
    rating,
    requesting,
)
from handlers.command import Command, Done
from tests.handlers.office import Office

FIRE = "3栋2单元着火了"


def accepted(desk: Office) -> int:
    number = desk.reports()
    desk.does("worker", handling.Accept(incident=number))
    return number


def requested(desk: Office) -> int:
    number = accepted(desk)
    desk.does("worker", requesting.Extend(incident=number, span="3天", reason="等配件"))
    return number


def rested(desk: Office) -> int:
    number = accepted(desk)
    desk.does("worker", requesting.Suspend(incident=number, span="5天", reason="等天晴"))
    desk.grants("community", number)
    return number


def checked(desk: Office) -> int:
    number = desk.reports(what=FIRE)
    desk.does("worker", handling.Accept(incident=number))
    desk.does("worker", handling.Finish(incident=number, result="火已扑灭"))
    return number


def closed(desk: Office) -> int:
    number = desk.finished()
    desk.does("resident", confirming.Solved(incident=number))
    return number


def helped(desk: Office) -> int:
    number = accepted(desk)
    desk.does("worker", dispatching.Join(incident=number, to=desk.id("worker2"), task="帮忙抽水"))
    return number


Entry = tuple[str | Callable[[Office], int], str, Callable[[Office, int], Command], str]
"""What came before, who presses, what, and what the second press is answered."""
PRESSED_TWICE: list[Entry] = [
    ("reports", "worker", lambda d, n: handling.Accept(incident=n), "ok"),
    ("reports", "worker", lambda d, n: handling.Arrive(incident=n), "incident.wrong_move"),
    (
        "reports",
        "worker",
        lambda d, n: dispatching.ReturnCase(incident=n, reason="不归我"),
        "incident.not_owner",
    ),
    (
        "reports",
        "worker",
        lambda d, n: dispatching.Transfer(incident=n, to=d.id("worker2")),
        "refusal.not_allowed",
    ),
    (
        "reports",
        "community",
        lambda d, n: dispatching.Dispatch(incident=n, to=d.id("worker2")),
        "transfer.same",
    ),
    ("reports", "resident", lambda d, n: amending.Withdraw(incident=n), "withdraw.already"),
    ("reports", "resident", lambda d, n: pressing.Urge(incident=n), "urge.too_soon"),
    (accepted, "worker", lambda d, n: handling.Finish(incident=n, result="已换"), "incident.wrong_move"),
    (
        accepted,
        "worker",
        lambda d, n: requesting.Extend(incident=n, span="3天", reason="等配件"),
        "approval.pending",
    ),
    (accepted, "worker", lambda d, n: requesting.Void(incident=n, reason="是误报"), "approval.pending"),
    (
        accepted,
        "worker",
        lambda d, n: dispatching.Join(incident=n, to=d.id("worker2"), task="帮忙"),
        "join.already",
    ),
    (requested, "community", lambda d, n: approving.Approve(incident=n), "approval.none"),
    (requested, "community", lambda d, n: approving.Disapprove(incident=n), "approval.none"),
    (rested, "worker", lambda d, n: pausing.Unsuspend(incident=n), "resume.not_paused"),
    (helped, "worker2", lambda d, n: dispatching.PartDone(incident=n, result="水泵已撤"), "ok"),
    (checked, "community", lambda d, n: handling.Verify(incident=n), "incident.wrong_move"),
    (checked, "community", lambda d, n: handling.Rework(incident=n, reason="有余火"), "incident.wrong_move"),
    ("finished", "resident", lambda d, n: confirming.Solved(incident=n), "ok"),
    (
        "finished",
        "resident",
        lambda d, n: confirming.Unsolved(incident=n, reason="不亮"),
        "unsolved.still_open",
    ),
    (closed, "resident", lambda d, n: rating.Rate(incident=n, rating="satisfied"), "rate.already"),
    ("finished", "worker", lambda d, n: handling.Undo(), "undo.other"),
]


def name_of(entry: Entry) -> str:
    before = entry[0] if isinstance(entry[0], str) else entry[0].__name__
    return f"{before}-{entry[3]}"


@pytest.mark.parametrize("entry", PRESSED_TWICE, ids=name_of)
def test_the_second_press_moves_nothing_and_tells_nobody_else(desk: Office, entry: Entry) -> None:
    before, seat, make, answer = entry
    number: int = getattr(desk, before)() if isinstance(before, str) else before(desk)
    given = make(desk, number)
    desk.does(seat, given)
    moves, row = desk.moves(number), desk.case(number)
    desk.heard.clear()

    again = desk.tries(seat, given)

    assert ("ok" if isinstance(again.outcome, Done) else again.outcome.text) == answer
    assert desk.moves(number) == moves
    assert desk.case(number) == row
    assert {mail.person_id for mail in again.mail} <= {desk.id(seat)}
