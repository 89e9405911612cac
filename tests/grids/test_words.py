"""What people say about grids, and what only sounds like it."""

import pytest

from bot.regridding import _said
from handbook.cutting import parts_of


@pytest.mark.parametrize(
    ("words", "command", "grids"),
    [
        ("拆分 第一网格 为 东片、西片", "split_grid", {"grid": "第一网格"}),
        ("把第一网格拆成东片（1栋）、西片", "split_grid", {"grid": "第一网格"}),
        ("拆分网格 幸福社区第一网格 成 甲、乙", "split_grid", {"grid": "幸福社区第一网格"}),
        ("合并 第一网格、第二网格", "merge_grids", {"into": "第一网格", "grid": "第二网格"}),
        ("把第一网格和第二网格合并叫东片", "merge_grids", {"into": "第一网格", "grid": "第二网格"}),
        ("第二网格并入第一网格", "merge_grids", {"grid": "第二网格", "into": "第一网格"}),
        ("请把第二网格合并到第一网格", "merge_grids", {"grid": "第二网格", "into": "第一网格"}),
        ("第一网格改名为东片", "rename_grid", {"grid": "第一网格"}),
        ("网格改名 第一网格 为 东片", "rename_grid", {"grid": "第一网格"}),
        ("第一网格改叫东片", "rename_grid", {"grid": "第一网格"}),
        ("第一网格移到平安村", "move_grid", {"grid": "第一网格", "to": "平安村"}),
        ("把第一网格划归平安村管", "move_grid", {"grid": "第一网格", "to": "平安村"}),
        ("移动网格 第一网格 到 平安村", "move_grid", {"grid": "第一网格", "to": "平安村"}),
    ],
)
def test_sentences_about_grids(words: str, command: str, grids: dict[str, str]) -> None:
    said = _said(words)

    assert said is not None
    assert (said.command, said.grids) == (command, grids)


@pytest.mark.parametrize(
    "words", ["路灯改成LED", "3栋楼下路灯坏了", "合并 1001 1002", "网格检查", "待办", "退回 不是我的片区"]
)
def test_other_sentences_are_about_something_else(words: str) -> None:
    assert _said(words) is None


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("东片、西片", [("东片", ()), ("西片", ())]),
        ("东片（1栋、3-5栋）、西片", [("东片", ("1栋", "3栋", "4栋", "5栋")), ("西片", ())]),
        ("东片(1栋 2栋)西片(3栋)", [("东片", ("1栋", "2栋")), ("西片", ("3栋",))]),
        ("东片和西片", [("东片", ()), ("西片", ())]),
        ("东片（1栋到3栋），西片", [("东片", ("1栋", "2栋", "3栋")), ("西片", ())]),
        ("东片", [("东片", ())]),
        ("东片（9-1栋）、西片", [("东片", ("9-1栋",)), ("西片", ())]),
    ],
)
def test_parts_and_their_buildings(words: str, wanted: list[tuple[str, tuple[str, ...]]]) -> None:
    assert parts_of(words) == wanted
