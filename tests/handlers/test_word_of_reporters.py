"""The reporters' word: who is asked, what a majority says, what silence says, and when it is too late."""

from datetime import timedelta

import pytest

from handlers.confirming import Solved, Unsolved
from handlers.handling import Accept, Finish
from handlers.merging import Merge
from handlers.rating import Rate
from handlers.reporting import ReportOnBehalf, SelfHandle
from tests.handlers.office import Office

SEATS = ("resident", "neighbour", "唐悦")


def reported_by(desk: Office, count: int) -> dict[str, int]:
    """One case reported by so many people: each by the number they know."""
    numbers = {seat: desk.reports(seat) for seat in SEATS[:count]}
    main = numbers["resident"]
    for number in list(numbers.values())[1:]:
        desk.does("worker", Merge(incident=number, into=main))
    desk.does("worker", Accept(incident=main))
    desk.does("worker", Finish(incident=main, result="换了灯泡"))
    return numbers


# What each says, in this order (+ solved, - unsolved, . nothing), and where the case stands: at once, and
# when the place's days of silence are over.
WORDS = """
.    waiting_reporter  closed_solved
+    closed_solved     closed_solved
-    dispatched        dispatched
+.   waiting_reporter  closed_solved
-.   waiting_reporter  dispatched
..   waiting_reporter  closed_solved
++   closed_solved     closed_solved
--   dispatched        dispatched
+-   dispatched        dispatched
-+   dispatched        dispatched
+..  waiting_reporter  closed_solved
++.  closed_solved     closed_solved
-..  waiting_reporter  dispatched
--.  dispatched        dispatched
+-.  waiting_reporter  dispatched
-+.  waiting_reporter  dispatched
+-+  closed_solved     closed_solved
-+-  dispatched        dispatched
"""


@pytest.mark.parametrize("line", WORDS.strip().split("\n"), ids=lambda line: line.split()[0])
def test_more_than_half_decide_and_silence_lets_those_who_spoke_decide(desk: Office, line: str) -> None:
    said, at_once, in_the_end = line.split()
    numbers = reported_by(desk, len(said))
    main = numbers["resident"]

    for (seat, number), word in zip(numbers.items(), said, strict=True):
        if word != "." and desk.case(main).state == "waiting_reporter":
            desk.does(seat, Solved(incident=number) if word == "+" else Unsolved(incident=number))

    assert desk.case(main).state == at_once
    desk.wait(days=7, minutes=1)
    state = desk.case(main).state
    assert state == in_the_end or (in_the_end == "dispatched" and "reopen" in desk.moves(main))


def test_everybody_is_asked_and_told_by_their_own_number(desk: Office) -> None:
    numbers = reported_by(desk, 3)
    for seat, number in numbers.items():
        asked = [mail for mail in desk.mail(seat) if mail.text == "close.ask"]
        assert [mail.args["number"] for mail in asked] == [str(number)]
        assert [choice["known"]["incident"] for choice in asked[0].choices] == [number, number]


def test_silence_closes_and_says_so(desk: Office) -> None:
    number = desk.finished()
    desk.heard.clear()

    desk.wait(days=7, minutes=1)

    assert desk.case(number).state == "closed_solved"
    (told,) = desk.mail("resident")
    assert (told.text, told.args["days"]) == ("close.silent", 7)
    (heard,) = desk.mail("worker")
    assert (heard.text, "未回复" in heard.args["how"]) == ("close.handler", True)
    assert desk.world.events(number)[-1].data["silent"] is True


def test_a_word_closes_and_is_not_called_silence(desk: Office) -> None:
    number = desk.finished()
    desk.heard.clear()

    desk.does("resident", Solved(incident=number))

    assert desk.told("resident") == ["close.reporter"]
    (heard,) = desk.mail("worker")
    assert "未回复" not in heard.args["how"]


# ---- opened again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "minutes", "opened"), [(0, 1, True), (6, 1439, True), (7, 1, False)])
def test_a_closed_case_is_opened_again_within_the_places_days(
    desk: Office, days: int, minutes: int, opened: bool
) -> None:
    number = desk.finished()
    desk.does("resident", Solved(incident=number))
    desk.wait(days=days, minutes=minutes)

    if opened:
        desk.does("resident", Unsolved(incident=number, reason="又坏了"))
        assert (desk.case(number).state, desk.case(number).round) == ("dispatched", 2)
    else:
        assert desk.refused("resident", Unsolved(incident=number)) == "unsolved.too_late"


def test_opening_again_takes_it_one_level_up_with_a_new_clock(desk: Office) -> None:
    number = desk.finished()
    desk.does("resident", Solved(incident=number))
    desk.does("resident", Rate(incident=number, rating="satisfied"))
    desk.wait(days=2)
    desk.heard.clear()
    now = desk.world.now

    desk.does("resident", Unsolved(incident=number, reason="又坏了"))

    row = desk.case(number)
    assert (row.owner_id, row.step, row.round) == (desk.id("community"), 1, 2)
    assert (row.rating, row.returns, row.extensions) == (None, 0, 0)
    assert row.resolve_due > row.accept_due > now
    assert desk.told("worker") == ["reopen.former"]
    assert desk.told("resident") == ["reopen.reporter"]
    assert "incident.new" in desk.told("community")


def test_each_round_goes_up_until_there_is_nobody_above(desk: Office) -> None:
    number = desk.finished()
    owners = []
    for seat in ("community", "town", "town"):
        desk.does("resident", Unsolved(incident=number, reason="还是不亮"))
        owners.append(desk.case(number).owner_id)
        desk.does(seat, Accept(incident=number))
        desk.does(seat, Finish(incident=number, result="再修一次"))

    assert owners == [desk.id("community"), desk.id("town"), desk.id("town")]
    assert desk.case(number).round == 4


# ---- ratings ---------------------------------------------------------------------------------------------


def test_whoever_did_the_work_does_not_rate_it(desk: Office) -> None:
    done = desk.does(
        "worker", ReportOnBehalf(what="3栋路灯不亮", grid=desk.who("resident").home_grid_id, who="张大爷")
    )
    number = int(done.data["number"])
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Finish(incident=number, result="已更换"))

    assert desk.refused("worker", Rate(incident=number, rating="satisfied")) in (
        "rate.own",
        "close.not_reporter",
    )


def test_whoever_dealt_with_it_alone_does_not_rate_it(desk: Office) -> None:
    done = desk.does("worker", SelfHandle(what="3栋楼道杂物已清走"))
    number = int(done.data["number"])

    assert desk.refused("worker", Rate(incident=number, rating="satisfied")) == "rate.own"


def test_a_rating_is_given_once_and_its_reason_later(desk: Office) -> None:
    number = desk.finished()
    desk.does("resident", Solved(incident=number))

    done = desk.does("resident", Rate(incident=number, rating="dissatisfied"))

    assert done.follow == "explain"
    assert desk.refused("resident", Rate(incident=number, rating="satisfied")) == "rate.already"
    assert desk.case(number).rating == "dissatisfied"


@pytest.mark.parametrize("seat", ["neighbour", "community", "town"])
def test_nobody_else_speaks_for_the_reporter(desk: Office, seat: str) -> None:
    number = desk.finished()

    for command in (
        Solved(incident=number),
        Unsolved(incident=number),
        Rate(incident=number, rating="satisfied"),
    ):
        assert desk.refused(seat, command) in ("close.not_reporter", "incident.not_found")


def test_who_filed_for_somebody_without_a_phone_is_asked_for_their_word(desk: Office) -> None:
    grid = desk.who("resident").home_grid_id
    done = desk.does(
        "community", ReportOnBehalf(what="3栋路灯不亮", grid=grid, who="张大爷", phone="13800009999")
    )
    number = int(done.data["number"])
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Finish(incident=number, result="已更换"))

    assert "close.ask_filer" in desk.told("community")
    desk.does("community", Solved(incident=number))
    assert desk.case(number).state == "closed_solved"


def test_the_days_of_silence_are_the_places_own(desk: Office) -> None:
    number = desk.finished()

    assert desk.case(number).next_due == desk.world.now + timedelta(days=7)
