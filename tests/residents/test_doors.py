"""A door is found however it is typed, and only by those in whose area it lies."""

import pytest

from handbook.doors import door_words, names_in, split_door
from handlers.command import Command
from handlers.residents.correcting import CorrectResident
from handlers.residents.entering import AddResident
from handlers.residents.joining import JoinResidents, KeepApart
from handlers.residents.marking import Mark, Unmark
from handlers.residents.moving import Died, MoveOut, MoveTo
from handlers.residents.showing import LookUp, Reveal
from models import Deed
from tests.handlers.office import Office
from tests.residents.homes import lives, noted


@pytest.mark.parametrize(
    ("said", "numbers", "words"),
    [
        ("3栋501", ("3", "501"), ()),
        ("3号楼2单元501室", ("3", "2", "501"), ()),
        ("三栋五零一", ("3", "501"), ()),
        ("３栋５０１", ("3", "501"), ()),
        ("3-2-501", ("3", "2", "501"), ()),
        ("3#0501", ("3", "501"), ()),
        ("十二栋 一单元 101 室", ("12", "1", "101"), ()),
        ("A座502", ("a", "502"), ()),
        ("桂花苑3栋501", ("3", "501"), ("桂花苑",)),
        ("东街12号", ("12",), ("东街",)),
        ("第一队3栋2", ("3", "2"), ("第一队",)),
        ("王芳", (), ("王芳",)),
    ],
)
def test_an_address_is_numbers_in_an_order_and_words(
    said: str, numbers: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert (door_words(said).numbers, door_words(said).words) == (numbers, words)


def test_a_name_stands_behind_the_door_or_before_what_is_said_of_somebody() -> None:
    assert split_door("3栋501 张三 男") == ("3栋501", "张三 男")
    assert names_in("张三独居")[-1] == "张三"
    assert names_in("3栋501张三")[0] == "张三"
    assert names_in("王")[:1] == []


@pytest.mark.parametrize("said", ["3栋501", "三号楼五零一", "第一队3栋501室", "3-501", "3栋五〇一"])
def test_a_door_is_found_however_it_is_typed(desk: Office, said: str) -> None:
    number = lives(desk, "3栋501", "张三")

    found = desk.does("worker", LookUp(door=said))

    assert [one["name"] for one in found.data["residents"]] == ["张三"]
    assert number


def test_of_two_doors_that_fit_both_are_offered(desk: Office) -> None:
    for door, name in (("3栋1单元501", "张三"), ("3栋2单元501", "李四"), ("13栋501", "王五")):
        lives(desk, door, name)

    happened = desk.tries("worker", LookUp(door="3栋501"))

    choices = happened.outcome.args_["choices"]  # type: ignore[union-attr]
    assert [choice["label"] for choice in choices] == ["第一队3栋1单元501", "第一队3栋2单元501"]
    chosen = desk.does("worker", LookUp(**choices[1]["known"]))
    assert [one["name"] for one in chosen.data["residents"]] == ["李四"]


def test_a_door_is_entered_once_however_it_is_typed(desk: Office) -> None:
    lives(desk, "3栋501", "张三")
    lives(desk, "三号楼501室", "李四")

    found = desk.does("worker", LookUp(door="3栋501"))

    assert [one["name"] for one in found.data["residents"]] == ["张三", "李四"]


COMMANDS: tuple[Command, ...] = (
    LookUp(door="3栋501"),
    LookUp(door="张三"),
    Reveal(who="张三"),
    MoveOut(who="张三"),
    MoveTo(who="张三", to="3栋502"),
    Died(who="张三"),
    Mark(who="张三 残疾", agreed=True),
    Unmark(who="张三 残疾"),
    CorrectResident(who="张三 名字 张珊"),
    JoinResidents(who="张三"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.name}")
def test_who_is_not_yours_is_not_there(desk: Office, command: Command) -> None:
    number = lives(desk, "3栋501", "张三", "13800009999")
    lines = noted(desk)

    outcome = desk.refused("worker2", command)
    absent = desk.refused("worker2", type(command)(**_of_nobody(command)))

    assert outcome == absent
    assert number
    assert noted(desk) == lines


def _of_nobody(command: Command) -> dict[str, object]:
    """The same of somebody who is nowhere."""
    return {
        name: value.replace("张三", "赵六").replace("3栋501", "77栋701") if isinstance(value, str) else value
        for name, value in command.model_dump().items()
    }


@pytest.mark.parametrize("field", ["resident", "household"])
def test_a_number_from_a_list_of_somebody_else_opens_nothing(desk: Office, field: str) -> None:
    number = lives(desk, "3栋501", "张三", "13800009999")
    home = desk.does("worker", LookUp(door="3栋501")).data["household"]
    known = {"resident": number} if field == "resident" else {"household": home}

    assert desk.refused("worker2", LookUp(door="x", **known)) in (
        "resident.not_found",
        "household.not_found",
    )


def test_nobody_enters_somebody_in_a_grid_of_others(desk: Office) -> None:
    number = lives(desk, "3栋501", "张三")
    other = desk.who("worker2").posts[0].grid_id
    home = desk.does("worker", LookUp(door="3栋501")).data["household"]

    for grid in (other, 999_999):
        command = AddResident(door="3栋501", called="李四", grid=grid)
        assert desk.refused("worker", command) == "refusal.not_allowed"
    for household in (home, 999_999):
        command = AddResident(door="x", called="李四", household=household)
        assert desk.refused("worker2", command) == "household.not_found"
    for one in (number, 999_999):
        assert desk.refused("worker2", KeepApart(one=one, other=999_998)) == "resident.not_found"


def test_residents_and_the_unit_look_nobody_up(desk: Office) -> None:
    lives(desk, "3栋501", "张三")

    assert desk.refused("resident", LookUp(door="3栋501")) == "refusal.not_allowed"
    assert desk.refused("unit", LookUp(door="3栋501")) == "refusal.not_allowed"


def test_a_leader_sees_names_masked_and_no_phone(desk: Office) -> None:
    lives(desk, "3栋501", "张三丰", "13800009999")

    seen = desk.does("leader", LookUp(door="第一队3栋501")).data["residents"]

    assert [(one["name"], one["phone"]) for one in seen] == [("张**", "")]
    assert desk.refused("leader", Reveal(who="张三丰")) == "refusal.not_allowed"


def test_each_look_is_noted_for_each_who_was_looked_at(desk: Office) -> None:
    people = [lives(desk, "3栋501", "张三", "13800009999"), lives(desk, "3栋501", "张小妹")]
    desk.does("worker", LookUp(door="3栋501"))
    desk.does("worker", Reveal(who="张三"))

    looks = [(line.what, line.subject_id) for line in noted(desk) if line.what in (Deed.BRIEF, Deed.PHONE)]
    assert looks == [(Deed.BRIEF, people[0]), (Deed.BRIEF, people[1]), (Deed.PHONE, people[0])]
