"""The check of the tree: what fits the place's rules, what does not, and what nobody knows."""

from datetime import timedelta

from handlers.actor import CLOCK
from handlers.grid_check import line
from handlers.grids.arranging import console
from handlers.grids.checking import Result, check
from tests.registry.office import Registry
from tests.town import START

TOP = [
    ["编码", "名称", "上级", "层级", "类型", "专属类型", "主体数"],
    ["330212000000", "星河区", "", "县", "", "", ""],
    ["330212001000", "桂花镇", "330212000000", "乡镇", "", "", ""],
    ["330212001001", "幸福社区", "330212001000", "社区", "", "", ""],
]


def grid(number: int, kind: str = "", special: str = "", subjects: str = "", code: str = "") -> list[str]:
    code = code or f"330212001001{number:04d}"
    return [code, f"第{number}网格", "330212001001", "网格", kind, special, subjects]


def homes(*counts: tuple[int, int]) -> list[list[str]]:
    """Households of grids: number of the grid, how many."""
    found = [["网格", "楼栋", "门牌", "户主"]]
    for number, count in counts:
        found += [[f"第{number}网格", "", str(door), "户主"] for door in range(count)]
    return found


def looked_at(one: Registry) -> tuple[dict[str, Result], list[str]]:
    with one.desk.reading(CLOCK) as reading:
        reading.actor = console(reading.tree)
        results = check(reading)
        return {result.rule: result for result in results}, [line(reading, result, 3) for result in results]


def test_sizes_are_told_with_figures(one: Registry) -> None:
    one.brings([*TOP, *(grid(number) for number in (1, 2, 3))], homes((1, 300), (2, 20)))
    results, lines = looked_at(one)
    sizes = results["基础网格300-500户"]

    assert (sizes.fits, [misfit.found for misfit in sizes.misfits], sizes.unknown) == (1, ["20户"], 1)
    assert "基础网格300-500户：1个符合，1个不符：幸福社区第2网格（20户），1个没有数据" in lines
    assert "已登记住户：2个符合，1个不符：幸福社区第3网格" in lines


def test_one_of_several_measures_is_enough(one: Registry) -> None:
    grids = [
        grid(1, "商业专属网格", "", "20"),
        grid(2, "专属网格", "工业园区", "45"),
        grid(3, "专属网格", "楼宇"),
    ]
    one.brings([*TOP, *grids])
    rule = looked_at(one)[0]["专属网格至多1000人或至多1平方公里或至多30家主体"]

    assert (rule.fits, [misfit.found for misfit in rule.misfits], rule.unknown) == (1, ["45家主体"], 1)


def test_the_six_types_come_in_and_go_out_again(one: Registry) -> None:
    types = ["行政企事业", "工业", "商业", "楼宇", "基础设施", "拆建地块"]
    one.brings([*TOP, *(grid(at, f"{words}专属网格") for at, words in enumerate(types, start=1))])
    out = one.exported()[0]
    kind, special = out[0].index("类型"), out[0].index("专属类型")

    assert [row[kind] for row in out[-6:]] == ["专属网格"] * 6
    assert [row[special] for row in out[-6:]] == [
        "行政企事业单位",
        "工业园区",
        "商业街区",
        "商务楼宇",
        "基础设施",
        "拆建地块",
    ]
    assert one.brings(out)["counts"]["same"] == len(out) - 1
    wrong = one.wrong([*TOP, grid(9, "专属网格", "火星"), grid(8, subjects="很多")])
    assert wrong[0].startswith("专属类型“火星”不认识")
    assert wrong[1] == "主体数“很多”不是个数"


def test_codes_that_are_no_village_and_serial_are_named(one: Registry) -> None:
    one.brings([*TOP, grid(1), grid(2, code="330212009009" + "0001"), grid(3, code="A-3")])

    assert [misfit.found for misfit in looked_at(one)[0]["编码为村码加顺序号"].misfits] == [
        "3302120090090001",
        "A-3",
    ]


def test_a_code_of_former_times_is_not_taken_again(one: Registry) -> None:
    one.brings([*TOP, grid(1)])
    one.desk.now = lambda: START + timedelta(days=1)
    one.brings([TOP[0], [f"{grid(1)[0]}9", *grid(1)[1:]]])
    wrong = one.wrong([TOP[0], [grid(1)[0], *grid(7)[1:]]])

    assert wrong == [f"编码“{grid(1)[0]}”是以前用过的，不能再用"]


def test_three_members_of_the_party_are_a_hint(one: Registry) -> None:
    people = [["姓名", "手机", "职务", "网格", "身份"]]
    people += [[f"员{at}", f"1380000000{at}", "网格员", "第1网格", "党员"] for at in range(3)]
    one.brings([*TOP, grid(1), grid(2)], people)

    assert "党员3名以上的网格可建党小组：1个符合，1个不符：幸福社区第1网格（党员3名）" in looked_at(one)[1]
