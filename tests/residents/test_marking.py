"""What is kept beyond the minimum: only what the place switched on, with the resident's own yes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from handbook import Book, open_book
from handbook.modules import ResidentsSpec
from handlers.own_data import ExportMine, MyData
from handlers.refusal import Refusal
from handlers.residents.details import id_number
from handlers.residents.doubles import FindDoubles
from handlers.residents.marking import Mark, Unmark
from handlers.residents.own import WithdrawConsent
from handlers.residents.scope import DETAILS
from handlers.residents.segments import ListSegment, how_many, people_of
from handlers.residents.showing import LookUp, Reveal
from handlers.work import Reading
from models import Deed, Subject
from tests.handlers.office import Office, office
from tests.residents.homes import details, lives, noted

NUMBER = "11010519491231002X"
"""The example of GB 11643 itself."""


def with_all_on(book: Book) -> Book:
    """The same book with every module switched on."""
    modules = {key: spec.model_copy(update={"on": True}) for key, spec in book.residents.modules.items()}
    residents = book.residents.model_copy(update={"modules": modules})
    return replace(book, data=book.data.model_copy(update={"residents": residents}))


@pytest.fixture
def all_on(sqlite_url: str) -> Iterator[Office]:
    """A place that keeps everything."""
    with office("default", sqlite_url) as people:
        people.world.book = with_all_on(people.world.book)
        people.world.desk.book = people.world.book
        yield people


def test_what_is_off_cannot_be_kept_or_listed(sqlite_url: str) -> None:
    with office("default", sqlite_url) as desk:
        lives(desk, "3栋501", "张三")

        assert desk.refused("worker", Mark(who="张三 独居")) == "mark.all_off"
        assert desk.refused("worker", ListSegment(which="独居")) == "segment.unknown"


def test_nothing_is_kept_without_the_yes_that_it_needs(desk: Office) -> None:
    number = lives(desk, "3栋501", "张三")

    assert desk.does("worker", Mark(who="张三 独居")).data["needs"] == "agreed"
    by_api = desk.tries("worker", Mark(who="张三 独居"), chat=False).outcome
    assert isinstance(by_api, Refusal)
    assert by_api.text == "mark.ask_them"
    assert details(desk, number) == []
    desk.does("worker", Mark(who="张三 独居", agreed=True))
    assert desk.does("worker", Mark(who="张三 残疾")).data["new"]
    assert [row.mark for row in details(desk, number)] == ["alone", "disabled"]


def test_a_mark_is_kept_once_and_taken_out_without_a_trace(either: Office) -> None:
    number = lives(either, "3栋501", "张三")
    assert either.does("worker", Mark(who="张三 独居", agreed=True)).data["new"]
    either.does("worker", Mark(who="张三 一个人住"))
    assert len(details(either, number)) == 1
    either.does("worker", Unmark(who="张三 独居"))

    assert details(either, number) == []
    assert either.refused("worker", Unmark(who="张三 独居")) == "unmark.nothing"


def test_who_marked_a_door_is_noted_as_who_marked_somebody(all_on: Office) -> None:
    lives(all_on, "3栋501", "张三")
    door = all_on.does("worker", Mark(who="3栋501 出租")).data["household"]
    all_on.does("worker", Mark(who="3栋501 出租"))
    all_on.does("worker", Unmark(who="3栋501 出租"))

    lines = [line for line in noted(all_on) if line.subject_kind == Subject.HOUSEHOLD]
    assert [(line.what, line.subject_id, line.actor_id) for line in lines] == [
        (Deed.MARK, door, all_on.id("worker")),
        (Deed.UNMARK, door, all_on.id("worker")),
    ]


@pytest.mark.parametrize(
    ("said", "found"), [(NUMBER, NUMBER), (NUMBER.lower(), NUMBER), (NUMBER[:-1] + "1", "")]
)
def test_an_id_number_is_checked_by_its_check_sign(said: str, found: str) -> None:
    assert id_number(f"身份证 {said}") == found


def test_an_id_number_lies_sealed_and_is_found_by_its_digest(all_on: Office) -> None:
    one = lives(all_on, "3栋501", "张三")
    lives(all_on, "3栋502", "李四")
    asked = all_on.tries("worker", Mark(who=f"张三 身份证 {NUMBER}"))
    known = asked.mail[-1].choices[0]["known"]
    assert NUMBER not in str(asked.mail)
    all_on.does("worker", Mark(**known))
    all_on.world.commit()

    assert [(row.value, row.hidden) for row in details(all_on, one)] == [(None, NUMBER)]
    raw = all_on.world.session.execute(text("select hidden from detail")).scalar_one()
    assert NUMBER not in raw
    assert all_on.refused("worker", Mark(who=f"李四 身份证 {NUMBER}", agreed=True)) == "mark.number_taken"
    assert all_on.refused("worker", Mark(who="李四 身份证 110105194912310021")) == "mark.wrong_id_number"
    shown = all_on.does("worker", LookUp(door="3栋501")).data["residents"][0]["tags"]
    assert shown == "身份证号已登记"
    assert all_on.does("worker", Reveal(who="张三 身份证")).data["value"] == NUMBER


def test_the_same_id_number_is_the_strongest_reason_of_all(all_on: Office) -> None:
    one, other = lives(all_on, "3栋501", "张三"), lives(all_on, "8栋801", "张山川")
    all_on.does("worker", Mark(who=f"张三 身份证 {NUMBER}", agreed=True))
    row = details(all_on, one)[0]._asdict()
    all_on.world.session.execute(
        DETAILS.insert(), [{**row, "id": None, "person_id": other} | {"id": row["id"] + 1}]
    )

    pairs = all_on.does("worker", FindDoubles()).data["pairs"]
    assert pairs == [{"one": one, "other": other, "reasons": ["number"]}]


def test_what_is_sensitive_is_shown_to_those_alone_who_may_confide(desk: Office) -> None:
    lives(desk, "3栋501", "张三")
    desk.does("worker", Mark(who="张三 社区矫正"))
    desk.does("worker", Mark(who="张三 独居", agreed=True))

    def tags(seat: str) -> Any:
        return desk.does(seat, LookUp(door="第一队3栋501")).data["residents"][0]["tags"]

    assert tags("worker") == "社区矫正对象、独居"
    assert tags("江小燕") == "独居"
    assert tags("leader") == "独居"
    assert desk.refused("江小燕", Mark(who="张三 刑释")) == "refusal.not_allowed"
    assert desk.refused("leader", ListSegment(which="重点人员")) == "segment.unknown"
    assert desk.does("worker", ListSegment(which="重点人员")).data["count"] == 1


def test_a_door_has_marks_of_its_own(all_on: Office) -> None:
    lives(all_on, "3栋501", "张三")
    all_on.does("worker", Mark(who="3栋501 出租"))

    assert all_on.does("worker", LookUp(door="3栋501")).data["tags"] == "出租"
    all_on.does("worker", Unmark(who="3栋501 出租"))
    assert all_on.does("worker", LookUp(door="3栋501")).data["tags"] == ""


def test_a_list_counts_first_and_then_shows_page_by_page(desk: Office) -> None:
    for number in range(1, 12):
        name = f"张{'甲乙丙丁戊己庚辛壬癸子'[number - 1]}"
        resident = lives(desk, f"{number}栋101", name)
        desk.does("worker", Mark(who="x", resident=resident, what="独居", agreed=True))

    assert desk.does("worker", ListSegment(which="独居")).data == {"count": 11}
    first = desk.does("worker", ListSegment(which="独居", page=1)).data["residents"]
    second = desk.does("worker", ListSegment(which="独居", page=2)).data["residents"]
    assert (len(first), len(second)) == (8, 3)
    assert {one["name"] for one in first + second} == {"张*"}
    assert desk.does("worker", ListSegment(which="独居 3栋")).data == {"count": 1}
    assert desk.does("worker", ListSegment(which="楼栋 3栋")).data == {"count": 1}
    assert desk.refused("worker", ListSegment(which="楼栋")) == "segment.where"


def test_lists_can_be_read_by_other_handlers(desk: Office) -> None:
    number = lives(desk, "3栋501", "张三")
    desk.does("worker", Mark(who="张三 出生年份 1940"))
    world = desk.world
    reading = Reading(world.session, world.now, world.book, world.tree, desk.who("worker"))

    assert [one.id for one in people_of(reading, "old")] == [number]
    assert how_many(reading, "children") == 0


def test_a_yes_taken_back_deletes_what_was_kept_by_it(either: Office) -> None:
    mine = either.id("resident")
    either.does("worker", Mark(who="x", resident=mine, what="独居", agreed=True))
    either.does("worker", Mark(who="x", resident=mine, what="社区矫正"))
    own = either.does("resident", MyData()).data["details"]
    assert [(one["value"], one["consent"]) for one in own] == [("独居", True), ("社区矫正对象", False)]
    assert all(one["purpose"] for one in own)

    assert either.refused("resident", WithdrawConsent(what="重点人员")) == "withdraw_consent.by_duty"
    either.does("resident", WithdrawConsent(what="关怀对象"))
    assert [row.mark for row in details(either, mine)] == ["correction"]
    assert either.does("worker", Mark(who="x", resident=mine, what="独居")).data["needs"] == "agreed"
    assert [one["key"] for one in either.does("resident", ExportMine()).data["details"]] == ["key_person"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"form": "marks", "marks": {}}, "needs some"),
        ({"form": "id_number", "marks": {}}, "kept sealed"),
        ({"sealed": True}, "not sealed"),
    ],
)
def test_a_module_that_contradicts_itself_is_refused(change: dict[str, Any], told: str) -> None:
    plain = open_book("default").residents.model_dump()
    plain["modules"]["care"] |= change

    with pytest.raises(ValueError, match=told):
        ResidentsSpec.model_validate(plain)


def test_a_list_of_a_mark_that_is_not_there_stops_the_start() -> None:
    plain = open_book("default").residents.model_dump()
    plain["segments"]["alone"]["marks"] = {"care": ("moon",)}

    with pytest.raises(ValueError, match="care has no mark moon"):
        ResidentsSpec.model_validate(plain)
