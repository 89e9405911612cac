"""Lists of units: duties, hours and the 兜底, there and back."""

from sqlalchemy import select

from models import Post, Unit
from tests.registry.office import GRIDS, PEOPLE, Registry

UNITS = [
    ["部门名称", "服务范围", "职责", "上班时间", "兜底"],
    ["桂花物业", "幸福社区", "路灯照明", "物业班", ""],
    ["镇综合执法队", "桂花镇", "市容环境", "", "是"],
]


def test_units_come_with_duties_and_hours_and_go_out_the_same(office: Registry) -> None:
    report = office.brings(GRIDS, UNITS, PEOPLE)
    assert report["wrong"] == []
    with office.desk.session() as session:
        property_, force = session.execute(select(Unit).order_by(Unit.id)).scalars()  # type: ignore[arg-type]
        assert (property_.calendar, property_.backstop, len(property_.duties)) == ("property", False, 1)
        assert (force.calendar, force.backstop) == (None, True)
    assert office.brings(GRIDS, UNITS, PEOPLE)["counts"]["same"] == 7

    sheets = office.exported()
    assert office.brings(*sheets)["counts"]["changed"] == 0


def test_a_duty_nobody_knows_is_told_with_those_there_are(one: Registry) -> None:
    reasons = one.wrong(GRIDS, [UNITS[0], ["桂花物业", "幸福社区", "种地球", "", ""]])
    assert len(reasons) == 1
    assert "种地球" in reasons[0]


def test_what_somebody_is_besides_is_kept_in_the_books_words(one: Registry) -> None:
    people = [
        ["姓名", "手机", "职务", "网格", "人员身份"],
        ["李强", "13800000001", "网格员", "第一网格", "两委、包村干部"],
    ]
    one.brings(GRIDS, people)
    with one.desk.session() as session:
        (post,) = session.execute(select(Post)).scalars()
    assert post.standing == "村（社区）“两委”干部、乡镇包村干部"
