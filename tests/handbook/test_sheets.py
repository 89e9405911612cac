"""Sheets are plain data, and every word knows where it was written."""

from pathlib import Path

import pytest

from handbook.sheets import BookError, Piece, join_by_name, lay_over, read_sheet


def sheet(folder: Path, text: str, name: str = "spot/grid.yaml") -> Piece:
    path = folder / "sheet.yaml"
    path.write_text(text, encoding="utf-8")
    return read_sheet(path, name)


def fault(folder: Path, text: str) -> str:
    with pytest.raises(BookError) as caught:
        sheet(folder, text)
    return str(caught.value)


def test_words_are_read_as_in_yaml_1_2(tmp_path: Path) -> None:
    text = "time: 17:12\ndate: 2021-11-02\nword: yes\ncode: 0101\nna: n\n"
    more = "number: 12\nshare: 0.5\nflag: true\nnone: null\n"

    assert sheet(tmp_path, text + more).plain() == {
        "time": "17:12",
        "date": "2021-11-02",
        "word": "yes",
        "code": "0101",
        "na": "n",
        "number": 12,
        "share": 0.5,
        "flag": True,
        "none": None,
    }


def test_an_empty_sheet_says_nothing(tmp_path: Path) -> None:
    assert sheet(tmp_path, "# nothing differs here\n").plain() == {}


def test_a_key_written_twice_is_shown_with_its_line(tmp_path: Path) -> None:
    assert (
        fault(tmp_path, "roles:\n  worker: a\n  worker: b\n") == "spot/grid.yaml:3: worker is written twice"
    )


def test_broken_yaml_is_shown_with_its_line(tmp_path: Path) -> None:
    assert fault(tmp_path, "a: 1\nb: [1, 2\nc: 3\n").startswith("spot/grid.yaml:3: ")


def test_two_documents_in_one_sheet_are_a_fault(tmp_path: Path) -> None:
    assert fault(tmp_path, "a: 1\n---\nb: 2\n").startswith("spot/grid.yaml:2: ")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [true]\n",
        "a: !!python/name:os.system\n",
        "a: !own {b: 1}\n",
        "a: !!set {b, c}\n",
        "a: !!int twelve\n",
        "a: !!bool yes\n",
    ],
)
def test_a_tag_is_a_fault_and_never_carried_out(tmp_path: Path, text: str) -> None:
    assert fault(tmp_path, text).startswith("spot/grid.yaml:1: ")


def test_a_part_which_holds_itself_is_a_fault(tmp_path: Path) -> None:
    assert fault(tmp_path, "a: &a\n  b: *a\n") == "spot/grid.yaml:2: this part holds itself"


def test_text_which_is_no_utf8_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "sheet.yaml").write_bytes("名: 甲".encode("gb18030"))

    with pytest.raises(BookError, match=r"^spot/grid\.yaml:1: "):
        read_sheet(tmp_path / "sheet.yaml", "spot/grid.yaml")


def test_mappings_join_and_everything_else_replaces(tmp_path: Path) -> None:
    default = sheet(tmp_path, "a: {x: 1, y: [1, 2]}\nb: 3\nc: {z: 4}\n")
    own = sheet(tmp_path, "a: {y: [9]}\nb: {new: 5}\nc: null\n")

    assert lay_over(default, own).plain() == {"a": {"x": 1, "y": [9]}, "b": {"new": 5}}


def test_what_was_laid_over_keeps_its_own_lines(tmp_path: Path) -> None:
    default = sheet(tmp_path, "a:\n  x: 1\n  y: 2\n", "default/grid.yaml")
    own = sheet(tmp_path, "# ours\n\na:\n  y: 3\n", "spot/grid.yaml")

    joined = lay_over(default, own)

    kept, changed = joined.nearest(["a", "x"]), joined.nearest(["a", "y"])
    assert (kept.file, kept.line) == ("default/grid.yaml", 2)
    assert (changed.file, changed.line) == ("spot/grid.yaml", 4)


def test_taking_out_what_is_not_there_is_a_fault(tmp_path: Path) -> None:
    default = sheet(tmp_path, "roles: {worker: 1}\n")
    own = sheet(tmp_path, "roles:\n  wroker: null\n")

    with pytest.raises(BookError, match=r"^spot/grid\.yaml:2: wroker: the default has nothing here"):
        lay_over(default, own)


def test_a_list_joins_by_code_and_keeps_its_order(tmp_path: Path) -> None:
    default = sheet(tmp_path, "- {code: '1', name: a, unit: u}\n- {code: '2', name: b}\n")
    own = sheet(tmp_path, "- {code: '3', name: c}\n- {code: '1', name: x}\n")

    assert join_by_name(default, own).plain() == [
        {"code": "1", "name": "x", "unit": "u"},
        {"code": "2", "name": "b"},
        {"code": "3", "name": "c"},
    ]
