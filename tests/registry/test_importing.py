"""An office's own lists come in as one work: told before, recorded, and undone as one."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from handlers.actor import Actor, Held, actor_from
from handlers.command import Done
from handlers.importing import ImportLists
from handlers.refusal import NotAllowed, Refusal
from handlers.registry.divisions import divisions
from models import Account, CodeSerial, Grid, Household, Imported, Member, Person, Post, Unit
from tests.registry.office import GRIDS, HOMES, PEOPLE, Registry, lists
from tests.town import START, book_of


def test_a_county_comes_in_and_the_same_again_changes_nothing(office: Registry) -> None:
    first = office.brings(GRIDS, PEOPLE, HOMES)
    before = office.rows()
    again = office.brings(GRIDS, PEOPLE, HOMES)

    assert first["counts"] == {"new": 6, "changed": 0, "same": 0, "wrong": 0}
    assert again["counts"] == {"new": 0, "changed": 0, "same": 6, "wrong": 0}
    assert (first["number"], again["number"]) == (1, None)
    assert office.rows() == before
    assert [office.count(kind) for kind in (Grid, Person, Post, Household, Member)] == [4, 4, 1, 1, 3]
    with office.desk.reading(Actor(None, "")) as reading:
        (worker,) = reading.tree.staff.values()
        assert [reading.tree.nodes[post.grid_id].name for post in worker.posts] == ["第一网格"]


def test_a_dry_run_writes_nothing(office: Registry) -> None:
    before = office.rows()
    report = office.brings(GRIDS, PEOPLE, HOMES, dry_run=True)

    assert report["counts"]["new"] == 6
    assert office.rows() == before
    assert office.count(Imported) == 0


def test_an_import_is_undone_to_the_last_column(office: Registry) -> None:
    office.brings(GRIDS, PEOPLE, HOMES)
    before = office.rows()
    named = [["编码", "名称", "上级", "别名"], [code_of(office, "第一网格"), "一网格", "幸福社区", "桂花苑"]]
    moved = [
        HOMES[0],
        ["一网格", "3栋", "501", "王伟", "13900000002", "王二宝"],
        ["一网格", "4栋", "1", "赵明", "", ""],
    ]
    report = office.brings(named, [PEOPLE[0], ["李强", "13800000009", "网格员", "一网格"]], moved)

    assert report["counts"] == {"new": 1, "changed": 3, "same": 0, "wrong": 0}
    assert "第一网格→一网格" in report["changes"][0]["what"]
    assert "138****01→138****09" in report["changes"][1]["what"]
    assert office.rows() != before
    assert isinstance(office.takes_back(2), Done)
    assert office.rows() == before
    assert isinstance(office.takes_back(1), Done)
    assert office.is_empty()
    assert "import.undone_already" in str(office.takes_back(1))
    assert isinstance(office.takes_back(9), Refusal)


def code_of(office: Registry, name: str) -> str:
    with office.desk.session() as session:
        return str(session.execute(select(col(Grid.code)).where(col(Grid.name) == name)).scalar_one())


def test_what_stands_on_an_import_keeps_it(office: Registry) -> None:
    office.brings(GRIDS, PEOPLE, HOMES)
    with office.desk.session() as session:
        person = session.execute(select(col(Person.id)).where(col(Person.name) == "王芳")).scalar_one()
        session.add(Account(channel="memory", handle="王芳", chat="王芳", person_id=person, used_at=START))
    no = office.takes_back(1)

    assert isinstance(no, Refusal)
    assert no.args_ == {"number": 1, "what": "聊天账号 1 条"}
    assert office.count(Grid) == 4


def test_what_was_changed_since_is_not_undone(office: Registry) -> None:
    office.brings(GRIDS)
    office.brings([["名称", "上级", "别名"], ["第一网格", "幸福社区", "桂花苑"]])
    earlier = office.takes_back(1)
    with office.desk.session() as session:
        session.execute(update(Grid).where(col(Grid.name) == "第一网格").values(aliases=["丹桂里"]))
    later = office.takes_back(2)

    assert isinstance(earlier, Refusal)
    assert earlier.args_["what"] == "后来的第 2 号导入改过它"
    assert isinstance(later, Refusal)
    assert later.args_["what"] == "网格 1 条"


def test_a_code_is_never_given_out_again(office: Registry) -> None:
    office.brings([["编码", *GRIDS[0]], ["350121001001", "福龙社区", "", "县"]])
    more = [GRIDS[0], ["甲", "福龙社区", "网格"], ["乙", "福龙社区", "网格"]]
    office.brings(more)
    first = [code_of(office, name) for name in "甲乙"]
    office.takes_back(2)
    office.brings(more)

    assert first == ["3501210010010001", "3501210010010002"]
    assert [code_of(office, name) for name in "甲乙"] == ["3501210010010003", "3501210010010004"]
    assert office.count(CodeSerial) == 1


def test_wrong_lines_are_told_and_left_out(one: Registry) -> None:
    grids = [*GRIDS, ["第二网格", "没有的社区", "网格"], ["第三网格", "幸福社区", "县"], ["", "幸福社区", ""]]
    people = [*PEOPLE, ["周丽", "1380000", "网格员", "第一网格"],
              ["韩梅", "13800000001", "网格员", "第一网格"],
              ["杨帆", "", "飞行员", "第一网格"], PEOPLE[1]]  # fmt: skip
    homes = [*HOMES, ["第九网格", "1栋", "1", "甲", "", ""], ["第一网格", "3 栋", "５０１", "乙", "", ""]]
    report = one.brings(grids, people, homes)
    found = [(line["sheet"], line["row"], line["value"], line["reason"]) for line in report["wrong"]]

    assert found[:6] == [
        ("甲", 6, "没有的社区", "上级“没有的社区”找不到"),
        ("甲", 7, "县", "层级“县”不能放在“幸福社区”下面"),
        ("甲", 8, "", "“名称”没有填"),
        ("乙", 3, "138****00", "手机号“138****00”不是 11 位手机号"),
        ("乙", 4, "138****01", "手机号“138****01”在第 2 行写的是“李强”"),
        ("乙", 5, "飞行员", found[5][3]),
    ]
    assert found[6:] == [
        ("乙", 6, "李强", "与第 2 行重复"),
        ("丙", 3, "第九网格", "网格“第九网格”找不到"),
        ("丙", 4, "3 栋501", "与第 2 行重复"),
    ]
    assert "网格员" in found[5][3]
    assert report["counts"] == {"new": 6, "changed": 0, "same": 0, "wrong": 9}
    assert one.count(Grid) == 4


def test_a_name_several_grids_have_needs_the_one_above(one: Registry) -> None:
    grids = [*GRIDS, ["平安社区", "桂花镇", "社区"], ["第一网格", "平安社区", "网格"]]
    people = [PEOPLE[0], ["甲", "", "网格员", "第一网格"], ["乙", "", "网格员", "平安社区/第一网格"]]

    assert one.wrong(grids, people) == ["网格“第一网格”有 2 个，请写成“幸福社区/第一网格”这样"]


def test_lines_may_stand_in_any_order(one: Registry) -> None:
    upside_down = [GRIDS[0], *reversed(GRIDS[1:]), ["甲", "乙", "社区"], ["乙", "甲", "社区"]]
    report = one.brings(upside_down)

    assert report["counts"]["new"] == 4
    assert [line["reason"] for line in report["wrong"]] == ["上级“乙”找不到", "上级“甲”找不到"]


def test_sizes_are_told_and_never_a_hindrance(one: Registry) -> None:
    report = one.brings(GRIDS, HOMES)

    assert report["warnings"] == ["第一网格有 1 个住户，规定 300-500 个，偏少"]
    assert report["number"] == 1


def test_what_goes_out_comes_in_again_as_the_same(one: Registry) -> None:
    twins = [["平安社区", "桂花镇", "社区"], ["第一网格", "平安社区", "网格"]]
    people = [["姓名", "手机", "职务", "网格", "部门", "身份"],
              ["何军", "13800000012", "部门承办人", "幸福社区/第一网格", "物业", "党员"],
              ["甲", "", "网格员", "平安社区/第一网格", "", "群众"]]  # fmt: skip
    homes = [HOMES[0], ["幸福社区/第一网格", "-1栋", "=1", "王芳", "13900000001", "王伟、王小宝"]]
    assert one.brings([*GRIDS, *twins], people, homes)["counts"]["wrong"] == 0
    again = one.brings(*one.exported())

    assert again["counts"] == {"new": 0, "changed": 0, "same": 10, "wrong": 0}
    assert one.count(Unit) == 1


def test_the_official_names_are_the_skeleton(one: Registry) -> None:
    table = divisions(book_of("default"), "350121")
    outcome = one.gives(ImportLists(lists=lists([list(row.cells) for row in table.rows])))

    assert isinstance(outcome, Done)
    assert outcome.data["counts"]["new"] == one.count(Grid) > 337
    assert code_of(one, "福龙社区") == "350121001001"
    with pytest.raises(Refusal, match="no_divisions"):
        divisions(book_of("default"), "110101")


# ---- a leader's own area -----------------------------------------------------------------------------------


def leader(office: Registry, role: str, place: str) -> Actor:
    """Somebody with a post, who is nobody else's."""
    with office.desk.session() as session:
        grid = session.execute(select(Grid).where(col(Grid.name) == place)).scalar_one()
        person = Person(name=role)
        session.add(person)
        session.flush()
        assert person.id is not None
        assert grid.id is not None
        session.add(Post(person_id=person.id, role=role, grid_id=grid.id, since=START - timedelta(days=1)))
    return actor_from(office.desk.book, person.id, role, (Held(role, grid.id, grid.path),))


def test_a_leader_reaches_their_own_area_and_appoints_nobody_above_them(one: Registry) -> None:
    one.brings([*GRIDS, ["清溪镇", "星河县", "乡镇"]])
    town = leader(one, "town_keeper", "桂花镇")
    grids = [GRIDS[0], ["第二网格", "幸福社区", "网格"], ["山下村", "清溪镇", "社区"], ["外县", "", "县"]]
    people = [PEOPLE[0], ["甲", "", "系统管理员", "桂花镇"], ["乙", "", "网格员", "第一网格"]]
    report = one.brings(grids, people, actor=town)

    assert report["counts"] == {"new": 2, "changed": 0, "same": 0, "wrong": 3}
    assert [line["reason"] for line in report["wrong"]] == [
        "上级“清溪镇”找不到",
        "“上级”没有填",
        "职务“系统管理员”超出您能任命的范围",
    ]
    assert isinstance(one.takes_back(1, town), Refusal)
    assert isinstance(one.takes_back(2, town), Done)


def test_a_leader_gives_no_new_phone_to_whoever_also_stands_above(one: Registry) -> None:
    chief = [PEOPLE[0], ["吴洁", "13800000002", "系统管理员", "星河县"]]
    home = [HOMES[0], ["第一网格", "1栋", "1", "吴洁", "13800000002", ""]]
    one.brings(GRIDS, chief, home)
    town = leader(one, "town_keeper", "桂花镇")
    other = [HOMES[0], ["第一网格", "1栋", "1", "吴洁", "13800000666", ""]]

    assert one.brings(other, actor=town)["counts"]["changed"] == 0
    assert one.brings(other)["counts"]["changed"] == 1


def test_whoever_may_not_enrol_is_refused(one: Registry) -> None:
    one.brings(GRIDS)
    worker = leader(one, "worker", "第一网格")

    assert isinstance(one.gives(ImportLists(lists=lists(GRIDS)), worker), NotAllowed)
    assert isinstance(one.takes_back(1, worker), NotAllowed)


# ---- a whole county ----------------------------------------------------------------------------------------


def test_a_county_of_two_thousand_grids_comes_and_goes(office: Registry) -> None:
    towns = [[f"镇{town}", "星河县", "乡镇"] for town in range(10)]
    villages = [[f"村{town}-{at}", f"镇{town}", "社区"] for town in range(10) for at in range(20)]
    grids = [[f"第{at}网格", village, "网格"] for village, _, _ in villages for at in range(10)]
    people = [["员", f"138{at:08d}", "网格员", f"{up}/{name}"] for at, (name, up, _) in enumerate(grids)]
    homes = [[f"{up}/{name}", "1栋", "101", "户", "", ""] for name, up, _ in grids]
    sheets = ([*GRIDS[:2], *towns, *villages, *grids], [PEOPLE[0], *people], [HOMES[0], *homes])
    report = office.brings(*sheets)

    assert report["counts"] == {"new": 6211, "changed": 0, "same": 0, "wrong": 0}
    with office.desk.session() as session:
        assert len(kept(session).made["grid"]) == 1
    assert isinstance(office.takes_back(1), Done)
    assert office.is_empty()


def kept(session: Session) -> Imported:
    """The first import's own row."""
    found = session.get(Imported, 1)
    assert found is not None
    return found
