"""Two records that are one person: found by reasons, joined by hand, taken back to the letter."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel, col

from handlers.residents.doubles import FindDoubles
from handlers.residents.joining import JoinResidents, KeepApart, UndoJoin
from handlers.residents.marking import Mark
from handlers.residents.moving import MoveTo
from handlers.residents.showing import LookUp
from models import Account, Incident, Person, Post
from tests.handlers.office import Office
from tests.residents.homes import details, lives, person, places

LEFT_OUT = {"audit_line", "audit_head", "joined", "outbox", "inbox", "registry_version", "alembic_version"}


def everything(desk: Office) -> dict[str, list[dict[str, Any]]]:
    """All rows but those that only tell that something happened."""
    return {
        table.name: sorted(
            (dict(row._mapping) for row in desk.world.session.execute(select(table))),
            key=str,
        )
        for table in SQLModel.metadata.sorted_tables
        if table.name not in LEFT_OUT
    }


def pair(desk: Office) -> tuple[int, int]:
    """Two records of one person with a place, a phone, a mark and a case each."""
    one = lives(desk, "3栋501", "张三", "13800009999")
    other = lives(desk, "3栋502", "章三", "13800009999")
    for number, words in ((one, "独居"), (other, "独居"), (other, "残疾")):
        desk.does("worker", Mark(who="x", resident=number, what=words, agreed=True))
    return one, other


def reported_by(desk: Office, number: int) -> int:
    case = desk.reports("resident")
    row = desk.world.session.get(Incident, case)
    assert row is not None
    row.reporter_id = number
    desk.world.session.flush()
    return case


def test_the_same_phone_and_sound_are_a_reason(desk: Office) -> None:
    one, other = pair(desk)
    lives(desk, "9栋901", "张三")

    pairs = desk.does("worker", FindDoubles()).data["pairs"]

    assert pairs == [{"one": one, "other": other, "reasons": ["phone_sound"]}]


def test_a_name_at_one_door_and_a_name_without_a_door_are_reasons(desk: Office) -> None:
    one, other = lives(desk, "3栋501", "李四"), lives(desk, "3栋501", "李肆")
    home = lives(desk, "3栋601", "王芳", another=True)

    pairs = desk.does("worker", FindDoubles()).data["pairs"]

    assert pairs == [
        {"one": one, "other": other, "reasons": ["door_sound"]},
        {"one": desk.id("resident"), "other": home, "reasons": ["address"]},
    ]


def test_doubles_are_found_in_ones_own_area_alone(desk: Office) -> None:
    pair(desk)

    assert desk.does("worker2", FindDoubles()).data["count"] == 0


def test_nothing_is_joined_before_both_were_shown(desk: Office) -> None:
    one, other = pair(desk)
    before = everything(desk)
    desk.does("worker", JoinResidents(one=one, other=other))

    assert everything(desk) == before


def test_joined_and_taken_back_all_is_as_it_was(either: Office) -> None:
    one, other = pair(either)
    case = reported_by(either, other)
    before = everything(either)
    done = either.does("worker", JoinResidents(one=one, other=other, sure=True))

    assert (done.data["kept"], done.data["gone"]) == (one, other)
    assert {(row.module, row.mark) for row in details(either, one)} == {
        ("care", "alone"),
        ("care", "disabled"),
    }
    assert details(either, other) == []
    assert either.case(case).reporter_id == one
    assert [home.until is None for home in places(either, one)] == [True]
    half = person(either, other)
    assert (half.phone, half.joined_into) == (None, one)
    assert either.refused("worker", LookUp(door="章三")) == "resident.alike"

    either.does("worker", UndoJoin(number=done.data["number"]))
    assert everything(either) == before


def test_what_was_changed_since_stays_changed(desk: Office) -> None:
    one, other = pair(desk)
    number = desk.does("worker", JoinResidents(one=one, other=other, sure=True)).data["number"]
    desk.does("worker", MoveTo(who="张三", to="7栋701", new=True))
    desk.does("worker", UndoJoin(number=number))

    assert [home.until is None for home in places(desk, one)] == [False, True]
    assert [home.until is None for home in places(desk, other)] == [True]
    assert desk.refused("worker", UndoJoin(number=number)) == "undo_join.nothing"


def test_who_speaks_through_an_account_is_kept(desk: Office) -> None:
    entered = lives(desk, "3栋501", "王芳", another=True)
    mine = desk.id("resident")
    desk.world.session.add(
        Account(channel="memory", handle="w", chat="w", person_id=mine, used_at=desk.world.now)
    )
    desk.world.session.flush()
    done = desk.does("worker", JoinResidents(one=entered, other=mine, sure=True))

    assert (done.data["kept"], done.data["gone"]) == (mine, entered)
    assert [home.until is None for home in places(desk, mine)] == [True]


@pytest.mark.parametrize("which", ["account", "post"])
def test_an_account_or_a_post_comes_to_nobody_by_joining(desk: Office, which: str) -> None:
    one, other = pair(desk)
    session, now = desk.world.session, desk.world.now
    for number in (one, other):
        account = Account(channel="memory", handle=f"h{number}", chat="c", person_id=number, used_at=now)
        grid = desk.who("worker").posts[0].grid_id
        post = Post(person_id=number, role="worker", grid_id=grid, since=now)
        session.add(account if which == "account" else post)
    session.flush()
    before = everything(desk)

    refused = desk.refused("worker", JoinResidents(one=one, other=other, sure=True))

    assert refused == f"join_residents.two_{which}s"
    assert everything(desk) == before


def test_two_people_who_look_alike_are_not_asked_about_again(desk: Office) -> None:
    one, other = pair(desk)
    desk.does("worker", KeepApart(one=other, other=one))
    desk.does("worker", KeepApart(one=one, other=other))

    assert desk.does("worker", FindDoubles()).data["count"] == 0
    assert desk.refused("worker", JoinResidents(one=one, other=other)) == "join_residents.apart"


def test_somebody_elses_join_is_taken_back_by_nobody_out_of_reach(desk: Office) -> None:
    one, other = pair(desk)
    number = desk.does("worker", JoinResidents(one=one, other=other, sure=True)).data["number"]

    assert desk.refused("worker2", UndoJoin(number=number)) == "resident.not_found"
    assert desk.refused("worker2", UndoJoin()) == "undo_join.nothing"
    assert (
        desk.world.session.execute(select(col(Person.joined_into)).where(col(Person.id) == other)).scalar()
        == one
    )
