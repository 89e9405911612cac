"""Steps that were taken back by the wrong hand, or turned into something else."""

from handlers.amending import Withdraw
from handlers.catalogue import COMMANDS
from handlers.confirming import Solved
from handlers.dispatching import Dispatch, Join, PartDone, ReturnCase
from handlers.handling import Accept, Finish, Undo, Verify
from handlers.pressing import Urge
from tests.handlers.office import Office


def test_a_dispatch_that_is_taken_back_withdraws_nothing(desk: Office) -> None:
    number = desk.reports("community")
    desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))
    desk.does("community", Dispatch(incident=number, to=desk.id("worker2")))

    assert desk.refused("community", Undo()) == "undo.other"
    assert desk.case(number).state == "dispatched"


def test_whoever_passed_a_result_does_not_undo_the_handlers_work(desk: Office) -> None:
    number = desk.reports(what="3栋2单元着火了")
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Finish(incident=number, result="火已扑灭"))
    desk.does("community", Verify(incident=number))

    assert desk.refused("community", Undo()) == "undo.other"
    assert desk.case(number).state == "waiting_reporter"


def test_what_is_taken_back_is_not_taken_back_again(desk: Office) -> None:
    number = desk.reports()
    desk.does("resident", Undo())

    assert desk.refused("resident", Undo()) == "undo.withdrawn"
    assert desk.refused("resident", Withdraw(incident=number)) == "withdraw.already"


def test_a_resident_does_not_hear_a_workers_words(desk: Office) -> None:
    number = desk.reports()
    desk.wait(hours=1)
    desk.does("resident", Urge(incident=number))

    assert desk.refused("resident", Undo()) == "undo.said"


def test_too_late_to_take_back_says_what_to_do_instead(desk: Office) -> None:
    number = desk.finished()
    assert desk.refused("resident", Withdraw(incident=number)) == "withdraw.waiting"

    desk.does("resident", Solved(incident=number))
    assert desk.refused("resident", Withdraw(incident=number)) == "withdraw.closed"


def test_help_says_every_word_once(desk: Office) -> None:
    texts = desk.world.book.texts
    words = [texts[f"menu.{name}"] for name, kind in COMMANDS.items() if kind.in_menu]

    assert len(words) == len(set(words))


def test_a_part_that_is_done_is_told_once(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Join(incident=number, to=desk.id("worker2"), task="帮忙抽水"))
    for _ in range(2):
        desk.does("worker2", PartDone(incident=number, result="水泵已撤"))

    assert desk.moves(number).count("part_done") == 1
    assert desk.told("worker").count("join.part_done") == 1


def test_a_case_given_to_who_has_it_already_starts_no_clock(desk: Office) -> None:
    number = desk.reports()
    due = desk.case(number).accept_due
    desk.wait(hours=2)

    assert desk.refused("community", Dispatch(incident=number, to=desk.id("worker"))) == "transfer.same"
    assert desk.case(number).accept_due == due


def test_a_case_that_waits_for_its_reporters_is_not_urged_without_end(desk: Office) -> None:
    number = desk.finished()
    desk.does("resident", Urge(incident=number))

    assert desk.refused("resident", Urge(incident=number)) == "urge.too_soon"


def test_a_word_before_the_question_is_refused_by_the_number_one_knows(desk: Office) -> None:
    number = desk.reports()

    assert desk.refused("resident", Solved(incident=number)) == "incident.wrong_move"
