"""Reporters of merged cases whose number changed, whose word was not heard, or who were never asked."""

from handlers.amending import AddMaterial, Withdraw
from handlers.confirming import Solved, Unsolved
from handlers.handling import Accept, Finish
from handlers.merging import Merge
from handlers.pressing import Urge
from handlers.rating import Explain, Rate
from handlers.reporting import ReportOnBehalf
from handlers.showing import Progress, Show
from tests.handlers.office import Office


def two(desk: Office) -> tuple[int, int]:
    """The resident's case, and the neighbour's which was merged into it."""
    main, other = desk.reports(), desk.reports("neighbour", "3号楼下面的路灯不亮了")
    desk.does("worker", Merge(incident=other, into=main))
    desk.told("neighbour")
    return main, other


def finish(desk: Office, number: int) -> None:
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Finish(incident=number, result="换了灯泡"))


def numbers(desk: Office, seat: str) -> set[str]:
    return {str(mail.args["number"]) for mail in desk.mail(seat) if "number" in mail.args}


def test_a_merged_reporter_reads_their_own_number_wherever_they_look(desk: Office) -> None:
    main, other = two(desk)

    desk.does("neighbour", Show(incident=other))
    desk.does("neighbour", Urge(incident=other))
    desk.does("neighbour", AddMaterial(incident=other, note="晚上才不亮"))
    desk.does("neighbour", Progress())
    finish(desk, main)
    desk.does("neighbour", Solved(incident=other))
    desk.does("resident", Solved(incident=main))
    desk.does("neighbour", Solved(incident=other))
    desk.does("neighbour", Rate(incident=other, rating="satisfied"))

    assert numbers(desk, "neighbour") == {str(other)}


def test_a_list_of_several_cases_shows_each_by_the_number_one_knows(desk: Office) -> None:
    _, other = two(desk)
    third = desk.reports("neighbour", "5栋门口垃圾没人清")
    desk.told("neighbour")

    desk.does("neighbour", Progress())

    (mail,) = desk.mail("neighbour")
    assert {item["number"] for item in mail.args["items"]} == {str(other), str(third)}
    assert {choice["known"]["incident"] for choice in mail.choices} == {other, third}


def test_a_merged_reporter_who_urges_is_heard_by_whoever_has_the_main_case(desk: Office) -> None:
    main, other = two(desk)
    desk.told("worker")

    desk.does("neighbour", Urge(incident=other))

    assert "urge.owner" in desk.told("worker")
    assert "urge" in desk.moves(main)


def test_what_a_merged_reporter_adds_reaches_the_main_case(desk: Office) -> None:
    main, other = two(desk)
    desk.told("worker")

    desk.does("neighbour", AddMaterial(incident=other, note="晚上才不亮"))
    desk.does("neighbour", Explain(incident=other, note="灯杆也斜了"))

    assert desk.told("worker") == ["material.owner", "material.owner"]
    assert desk.moves(main)[-2:] == ["note", "note"]


def test_a_word_follows_a_case_that_was_merged_twice(desk: Office) -> None:
    first, second, third = (desk.reports(seat) for seat in ("resident", "neighbour", "唐悦"))
    desk.does("worker", Merge(incident=third, into=second))
    desk.does("worker", Merge(incident=second, into=first))
    finish(desk, first)

    for seat, number in (("唐悦", third), ("neighbour", second)):
        desk.does(seat, Solved(incident=number))

    assert desk.case(first).state == "closed_solved"


def test_who_comes_to_a_case_that_waits_for_its_reporters_is_asked_too(desk: Office) -> None:
    main, other = desk.reports(), desk.reports("neighbour", "3号楼下面的路灯不亮了")
    finish(desk, main)
    desk.told("neighbour")

    desk.does("worker", Merge(incident=other, into=main))

    assert "close.ask" in desk.told("neighbour")
    desk.does("resident", Solved(incident=main))
    desk.does("neighbour", Unsolved(incident=other))
    assert desk.case(main).state == "dispatched"


def test_two_cases_that_are_one_are_not_merged_again_the_other_way_round(desk: Office) -> None:
    main, other = two(desk)

    assert desk.refused("worker", Merge(incident=main, into=other)) == "merge.circle"
    assert desk.refused("worker", Merge(incident=main, into=main)) == "merge.same"
    assert desk.refused("neighbour", Withdraw(incident=other)) == "withdraw.merged"


def test_a_case_others_have_reported_too_is_not_taken_back_by_one(desk: Office) -> None:
    main, _ = two(desk)

    assert desk.refused("resident", Withdraw(incident=main)) == "withdraw.shared"


def test_one_of_two_who_rates_does_not_close_it_for_both(desk: Office) -> None:
    main, _ = two(desk)
    finish(desk, main)

    desk.does("resident", Rate(incident=main, rating="satisfied"))

    assert desk.case(main).state == "waiting_reporter"
    assert desk.case(main).rating is None
    assert desk.told("resident")[-1] == "close.noted"


def test_a_rating_which_closes_is_told_to_the_others_and_to_the_handler(desk: Office) -> None:
    main, other = two(desk)
    finish(desk, main)
    desk.does("neighbour", Solved(incident=other))
    desk.heard.clear()

    desk.does("resident", Rate(incident=main, rating="satisfied"))

    assert desk.case(main).state == "closed_solved"
    assert desk.told("neighbour") == ["close.reporter"]
    assert desk.told("worker") == ["close.handler"]
    assert desk.told("resident") == ["rate.thanks"]


def test_who_filed_for_somebody_is_asked_for_their_word_also_after_a_merge(desk: Office) -> None:
    main = desk.reports()
    told = desk.does("community", ReportOnBehalf(what="3栋路灯不亮", who="张大爷", phone="13800009999"))
    other = int(told.data["number"])
    desk.does("community", Merge(incident=other, into=main))
    desk.heard.clear()

    finish(desk, main)

    assert "close.ask_filer" in desk.told("community")
    assert desk.told("resident").count("close.ask") == 1
    desk.does("community", Solved(incident=other))
    desk.does("resident", Solved(incident=main))
    assert desk.case(main).state == "closed_solved"
