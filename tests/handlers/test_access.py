"""Who may give which command about whose case: not yours looks like not there (rows 97, 98)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from handlers import catalogue
from handlers.boards import board_cases
from handlers.command import Command, Done, ask_of
from handlers.day_cards import todo_cases
from handlers.reporting import Report
from handlers.work import Reading
from handlers.zero_boards import zero_rows
from tests.handlers.office import LAMP, Office

ABSENT = 999_999
VALUES: Mapping[str, Any] = {
    "reason": "等配件",
    "result": "已更换灯泡",
    "task": "帮忙抽水",
    "note": "晚上才坏",
    "words": "今天修好",
    "what": "3栋楼下路灯又坏了",
    "span": "3天",
    "category": "1601",
    "grade": "sudden",
    "rating": "satisfied",
    "media": (),
}
ABOUT_A_CASE = sorted(
    name for name, kind in catalogue.COMMANDS.items() if "incident" in kind.model_fields and name != "merge"
)
OUTSIDERS = ("neighbour", "唐悦", "过路人", "许诺", "杨帆", "unit", "worker2")
"""Other residents, a stranger, and workers and keepers of elsewhere."""
ONLOOKERS = ("building_head", "admin")
"""They see the cases of their area and have no hand in them."""


class Undone(Exception):
    """Thrown to take back what was only tried."""


@contextmanager
def trying(desk: Office) -> Iterator[None]:
    """Whatever is done in here is taken back afterwards."""
    world = desk.world
    marks = world.last_event, world.last_mail
    with suppress(Undone), world.session.part():
        yield
        raise Undone
    world.session.expire_all()
    world.last_event, world.last_mail = marks


def command(desk: Office, name: str, number: int) -> Command:
    """The command about a case, with a sound value for each of its other fields."""
    kind = catalogue.COMMANDS[name]
    row = desk.case(number)
    values: dict[str, Any] = {"incident": number}
    for field, info in kind.model_fields.items():
        if field == "to":
            values[field] = desk.id("worker2")
        elif field == "grid":
            values[field] = row.grid_id if row else desk.world.tree.root.id
        elif field in VALUES and (info.is_required() or ask_of(info).kind != "quiet"):
            values[field] = VALUES[field]
    return kind.model_validate(values)


def outcome(desk: Office, seat: str, given: Command) -> str:
    """What comes of a command, as a word: ok, or the key of the refusal."""
    with trying(desk):
        found = desk.tries(seat, given).outcome
    return "ok" if isinstance(found, Done) else found.text


# ---- outside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seat", OUTSIDERS)
def test_a_case_that_is_not_ones_own_looks_like_one_that_is_not_there(desk: Office, seat: str) -> None:
    number = desk.reports()

    for name in ABOUT_A_CASE:
        there, absent = (outcome(desk, seat, command(desk, name, n)) for n in (number, ABSENT))
        assert there == absent, f"{name} tells {seat} that {number} is there"
        assert there in ("incident.not_found", "refusal.not_allowed"), name


@pytest.mark.parametrize("seat", ONLOOKERS)
def test_who_only_looks_on_changes_nothing_but_may_add_what_they_know(desk: Office, seat: str) -> None:
    number = desk.reports()

    done = {name for name in ABOUT_A_CASE if outcome(desk, seat, command(desk, name, number)) == "ok"}

    assert done == {"show", "add_material"}


@pytest.mark.parametrize("seat", OUTSIDERS)
def test_both_refusals_are_alike_to_the_letter_but_for_the_number(desk: Office, seat: str) -> None:
    number = desk.reports()

    for name in ABOUT_A_CASE:
        said = [desk.tries(seat, command(desk, name, n)).outcome for n in (number, ABSENT)]
        args = [{k: v for k, v in found.args_.items() if k != "number"} for found in said]  # type: ignore[union-attr]
        gone = [found.gone for found in said]  # type: ignore[union-attr]
        assert args[0] == args[1], name
        assert gone[0] == gone[1], name


@pytest.mark.parametrize("seat", ["neighbour", "许诺", "杨帆", "unit", "worker2", "过路人"])
def test_no_list_shows_a_case_of_elsewhere(desk: Office, seat: str) -> None:
    desk.reports()
    world = desk.world
    reading = Reading(world.session, world.now, world.book, world.tree, desk.who(seat))

    assert todo_cases(reading) == []
    assert board_cases(reading) == []
    assert zero_rows(reading) == []


def test_a_merge_names_no_case_that_is_not_ones_own(desk: Office) -> None:
    mine = desk.reports()
    other = desk.reports("唐悦", grid=desk.who("唐悦").home_grid_id)
    merge = catalogue.COMMANDS["merge"]

    for into in (other, ABSENT):
        assert desk.refused("worker", merge(incident=mine, into=into)) == "incident.not_found"  # type: ignore[call-arg]
        assert desk.refused("worker", merge(incident=into, into=mine)) == "incident.not_found"  # type: ignore[call-arg]


# ---- inside ----------------------------------------------------------------------------------------------

INSIDE = """
                 resident worker community town leader county
accept           not_allowed ok not_owner not_owner not_allowed not_owner
add_material     ok ok ok ok ok ok
amend            ok ok ok ok ok ok
approve          not_allowed not_allowed none none none none
arbitrate        not_allowed not_allowed not_allowed wrong_move wrong_move wrong_move
arrive           not_allowed ok not_owner not_owner not_allowed not_owner
disapprove       not_allowed not_allowed none none none none
dispatch         not_allowed not_allowed ok ok not_allowed ok
explain          ok not_reporter not_reporter not_reporter not_reporter not_reporter
extend           not_allowed ok not_owner not_owner not_allowed not_owner
finish           not_allowed ok not_owner not_owner not_allowed not_owner
hush             ok not_reporter not_reporter not_reporter not_reporter not_reporter
join             not_allowed ok ok ok not_allowed ok
not_ours         not_allowed ok not_owner not_owner not_allowed not_owner
part_done        not_allowed not_helper not_helper not_helper not_allowed not_helper
rate             wrong_move not_reporter not_reporter not_reporter not_reporter not_reporter
recategorise     ok ok ok ok ok ok
regrade          not_allowed ok ok ok not_allowed ok
relocate         ok ok ok ok ok ok
return_case      not_allowed ok not_owner not_owner not_allowed not_owner
reword           ok ok ok ok ok ok
rework           not_allowed not_allowed wrong_move wrong_move wrong_move wrong_move
show             ok ok ok ok ok ok
solved           wrong_move not_reporter not_reporter not_reporter not_reporter not_reporter
supervise        not_allowed not_allowed ok ok ok ok
suspend          not_allowed ok not_owner not_owner not_allowed not_owner
tell_more        ok not_reporter not_reporter not_reporter not_reporter not_reporter
transfer         not_allowed ok ok ok not_allowed ok
unsolvable       not_allowed ok not_owner not_owner not_allowed not_owner
unsolved         still_open not_reporter not_reporter not_reporter not_reporter not_reporter
unsuspend        not_allowed not_paused not_paused not_paused not_allowed not_paused
urge             ok not_reporter not_reporter not_reporter not_reporter not_reporter
verify           not_allowed not_allowed wrong_move wrong_move wrong_move wrong_move
void             not_allowed ok not_owner not_owner not_allowed not_owner
withdraw         ok not_yours not_yours not_yours not_yours not_yours
"""
SEATS = INSIDE.split("\n")[1].split()
ROWS = {row.split()[0]: row.split()[1:] for row in INSIDE.strip().split("\n")[1:]}


def test_the_table_names_every_command_about_a_case() -> None:
    assert sorted(ROWS) == ABOUT_A_CASE


@pytest.mark.parametrize("seat", SEATS)
def test_what_each_role_may_do_with_a_new_case_of_its_area(desk: Office, seat: str) -> None:
    number = desk.reports()

    found = {
        name: outcome(desk, seat, command(desk, name, number)).rpartition(".")[2] for name in ABOUT_A_CASE
    }

    assert found == {name: row[SEATS.index(seat)] for name, row in ROWS.items()}


# ---- anonymous and secret --------------------------------------------------------------------------------


def test_a_secret_case_is_hidden_from_all_of_the_area_but_owner_arbiter_and_supervisor(desk: Office) -> None:
    number = int(desk.does("resident", Report(what=LAMP, privacy="secret")).data["number"])  # type: ignore[arg-type]

    seen = {
        seat: outcome(desk, seat, command(desk, "show", number)) for seat in (*SEATS, "admin", "neighbour")
    }

    assert seen == {
        **dict.fromkeys(("resident", "worker", "community", "town", "leader", "county"), "ok"),
        **dict.fromkeys(("admin", "neighbour"), "incident.not_found"),
    }


def test_who_does_not_own_a_secret_case_finds_it_as_little_as_none(desk: Office) -> None:
    number = int(desk.does("resident", Report(what=LAMP, privacy="secret")).data["number"])  # type: ignore[arg-type]

    for name in ABOUT_A_CASE:
        there, absent = (outcome(desk, "admin", command(desk, name, n)) for n in (number, ABSENT))
        assert there == absent, name
