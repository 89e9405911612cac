"""Every command, every role: a person or a grid that is not one's own is as one that is not there (row 98).

What commands say about cases is in test_access.py; here it is people and grids, and that none is forgotten.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from handlers import catalogue
from handlers.command import Command, Done, OwnCommand
from handlers.given_lists import BringList, Shown
from handlers.material import Media
from handlers.refusal import Refusal
from handlers.registry.pieces import Piece
from tests.handlers.office import Office
from tests.handlers.test_access import ABOUT_A_CASE, ABSENT, trying

SEATS = ("resident", "building_head", "worker", "unit", "community", "leader", "town", "admin", "county")
ELSEWHERE = ("杨帆", "许诺", "何军")
"""A keeper and a worker of another town, and an officer of a unit."""
VALUES: Mapping[str, Any] = {
    "days": "3天",
    "sure": True,
    "phone": "13900001111",
    "role": "worker",
    "called": "新网格",
    "parts": "东片、西片",
    "into": ABSENT,
    "to": ABSENT,
    "post": "李强",
}
PEOPLE = {
    "shut_out": "who",
    "change_number": "who",
    "invite": "who",
    "take_leave": "who",
    "end_leave": "who",
    "hand_over": "who",
    "leave_post": "who",
    "appoint": "post",
    "dismiss": "post",
}
"""Commands about another person -> the field that says who."""
_MORE = {"give_key": {"days": 1}}
CHANGED = ("split_grid", "merge_grids", "rename_grid", "move_grid")
GRIDS = {"appoint": "grid", "dismiss": "grid", "check_teams": "grid", "show_team": "grid"} | dict.fromkeys(
    CHANGED, "grid"
)
"""Commands about a grid -> the field that says which."""
OWN = {
    *("human", "report", "on_behalf", "self_handle", "todo", "looked", "progress", "zero", "board", "funnel"),
    "check_grids",
    "forwarded",
    *("undo", "bind", "my_accounts", "unbind", "sign_in", "my_data", "who_looked", "export_mine"),
    *("change_phone", "change_name", "forget_me", "withdraw_consent", "say_wrong"),
}
"""About oneself, one's own list, or a report: which anybody may make of any place."""
BY_FILE = {"import_lists", "undo_import", "draw_grids", "note_export"}
"""Given with a file by a route of its own (tests/registry, tests/web, tests/grids)."""
RESIDENTS = {
    *(
        "household",
        "reveal",
        "add_resident",
        "move_out",
        "move_to",
        "died",
        "restore_resident",
        "mark",
        "unmark",
    ),
    *("correct_resident", "segment", "doubles", "join_residents", "keep_apart", "undo_join"),
}
"""About whoever lives in one's area (tests/residents)."""
SENT = {
    *("how_to_import", "bring_list", "confirm_list", "drop_list", "take_back_import", "list_template"),
    "export_lists",
}
"""Of lists that one has sent oneself, and of one's own area (test_lists_of_others below, tests/bot)."""
NOTICES = {
    *("send_notice", "change_notice", "submit_notice", "approve_notice", "return_notice", "cancel_notice"),
    *("notice", "unread_notice", "recall_notice", "got_notice", "stop_notices", "want_notices"),
}
"""Of one's own area, and what one was sent (test_notices.py)."""
GROUPS = {
    *("bind_group", "bind_here", "unbind_group", "group_owner", "my_groups", "group_progress"),
    *("change_pack", "decline_pack"),
}
"""Groups of one's own area, and what one was handed for them (test_groups.py)."""
BY_THE_PROGRAM = {name for name, kind in catalogue.COMMANDS.items() if issubclass(kind, OwnCommand)}


def test_no_command_is_forgotten() -> None:
    told = [
        *ABOUT_A_CASE,
        "merge",
        *PEOPLE,
        *(set(GRIDS) - set(PEOPLE)),
        *OWN,
        *RESIDENTS,
        *BY_FILE,
        *SENT,
        *NOTICES,
        *GROUPS,
        *BY_THE_PROGRAM,
    ]

    assert sorted(told) == sorted(catalogue.COMMANDS)


def given(name: str, **known: Any) -> Command:
    """A command with a sound value for each field it needs."""
    kind = catalogue.COMMANDS[name]
    values = {
        field: VALUES[field]
        for field, info in kind.model_fields.items()
        if field in VALUES and field not in known and info.is_required()
    }
    return kind.model_validate({**values, **known})


def said(desk: Office, seat: str, command: Command) -> tuple[str, dict[str, Any]]:
    """What comes of a command, tried and taken back: the words, and what stands in them."""
    with trying(desk):
        found = desk.tries(seat, command).outcome
    return ("ok", {}) if isinstance(found, Done) else (found.text, dict(found.args_))


@pytest.mark.parametrize("seat", SEATS)
def test_a_person_of_elsewhere_is_as_one_who_is_not_there(desk: Office, seat: str) -> None:
    outside = [one for one in ELSEWHERE if not covers(desk, seat, one)]
    for name, field in PEOPLE.items():
        for person in outside:
            is_number = catalogue.COMMANDS[name].model_fields[field].annotation is not str
            there, absent = (desk.id(person), ABSENT) if is_number else (person, "无此人")
            extra = {"to": there} if name == "hand_over" else {}
            one = said(desk, seat, given(name, **{field: there}, **extra))
            other = said(desk, seat, given(name, **{field: absent}, **({"to": absent} if extra else {})))
            assert one[0] == other[0], f"{name} tells {seat} that {person} is there"
            assert one[0] != "ok", f"{seat} may {name} {person}"


@pytest.mark.parametrize("seat", SEATS)
def test_a_grid_of_elsewhere_is_as_one_that_is_not_there(desk: Office, seat: str) -> None:
    tree = desk.world.tree
    for name, field in GRIDS.items():
        for grid in tree.nodes:
            if any(post.covers(tree.nodes[grid].path) for post in desk.who(seat).posts):
                continue
            one, other = (said(desk, seat, given(name, **{field: which})) for which in (grid, ABSENT))
            assert one == other, f"{name} tells {seat} of {tree.nodes[grid].name}"
            assert one[0] != "ok", f"{seat} may {name} {tree.nodes[grid].name}"


@pytest.mark.parametrize("seat", SEATS)
def test_what_the_program_says_is_said_by_nobody_else(desk: Office, seat: str) -> None:
    fields: dict[str, Any] = {
        "person": 1,
        "scope": "api",
        "slot": "2026-11-23",
        "who": "李强",
        "phone": "13900001111",
    }
    fields |= {"secret": "x", "key": "x", "channel": "webchat", "number": 1, "kinds": ("phone",)}
    fields |= {"lease": timedelta(1), "say": True, "why": Refusal("given.over"), "digest": "x"}
    fields |= {"found": Shown("x", {}, [], [], [], "x"), "piece": Piece(1, lambda work, imported: None)}
    for name in sorted(BY_THE_PROGRAM):
        kind = catalogue.COMMANDS[name]
        command = kind.model_validate(
            {f: v for f, v in fields.items() if f in kind.model_fields} | _MORE.get(name, {})
        )
        assert said(desk, seat, command)[0] == "refusal.not_allowed", name


@pytest.mark.parametrize("seat", SEATS)
def test_a_list_of_another_is_as_one_that_is_not_there(desk: Office, seat: str) -> None:
    owner = next(one for one in ("county", "town") if one != seat)
    file = Media(kind="file", key="list:x", name="甲.csv")
    number = desk.does(owner, BringList(file=file)).data["list"]
    for name in ("confirm_list", "drop_list", "take_back_import"):
        there, absent = (said(desk, seat, given(name, number=which)) for which in (number, ABSENT))
        assert there[0] == absent[0] != "ok", f"{name} tells {seat} of another's list"


def covers(desk: Office, seat: str, person: str) -> bool:
    """Whether a person is the one on a seat, or all their posts lie in that one's area."""
    if desk.id(person) == desk.id(seat):
        return True
    theirs = desk.world.tree.staff[desk.id(person)].posts
    mine = desk.who(seat).posts
    return all(any(post.covers(one.path) for post in mine) for one in theirs)
