"""Spreadsheets come as offices make them, and some are none at all."""

import io
import zipfile
from collections.abc import Sequence

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.refusal import Refusal
from handlers.registry import spreadsheets
from handlers.registry.headings import find_heading
from handlers.registry.spreadsheets import LIVE, Row, Table, read, write_csv, write_excel
from handlers.registry.values import listed, masked, phone, pick, text
from tests.channels.pictures import picture
from tests.town import book_of

SPEC = book_of("default").registry
CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def excel(*rows: Sequence[object], merge: str | None = None) -> bytes:
    """A file as Excel writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    if merge:
        sheet.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells(data: bytes, name: str = "表.xlsx") -> list[tuple[str, ...]]:
    """The lines of the only sheet."""
    (table,) = read(name, data)
    return [row.cells for row in table.rows]


# ---- what is read ------------------------------------------------------------------------------------------


def test_numbers_dates_and_blank_lines() -> None:
    data = excel(["手机", None], [13800000001.0, 3], [None, None], ["  ", ""], [26.083, True])

    assert cells(data) == [("手机",), ("13800000001", "3"), ("26.083", "True")]
    (table,) = read("表.xlsx", data)
    assert [row.number for row in table.rows] == [1, 2, 5]


def test_a_merged_cell_holds_for_all_its_lines() -> None:
    data = excel(
        ["网格", "户主"], ["第一网格", "甲"], [None, "乙"], [None, "丙"], [None, "丁"], merge="A2:A4"
    )

    assert [row[0] for row in cells(data)[1:]] == ["第一网格", "第一网格", "第一网格", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("sign", [",", "\t", ";"])
def test_csv_in_any_of_the_usual_ways(encoding: str, sign: str) -> None:
    data = f"网格{sign}户主\r\n第一网格{sign}王芳\r\n".encode(encoding)

    assert cells(data, "户.csv") == [("网格", "户主"), ("第一网格", "王芳")]


@settings(deadline=None, max_examples=15)
@given(st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=5))
def test_what_is_written_is_read_again(rows: list[list[str]]) -> None:
    rows = [["起", *row, "止"] for row in rows]
    wanted = [tuple(cell.strip() for cell in row) for row in rows]

    assert cells(write_csv(rows), "表.csv") == wanted
    assert cells(write_excel([("表", rows)])) == wanted


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(LIVE), CELL)
def test_no_cell_that_goes_out_acts_as_a_formula(sign: str, rest: str) -> None:
    written = write_csv([[f"{sign}{rest}"]]).decode("utf-8-sig").lstrip('"')
    book = openpyxl.load_workbook(io.BytesIO(write_excel([("表", [["头"], [f"{sign}{rest}"]])])))
    cell = book.active["A2"]

    assert written.startswith("'")
    assert cell.data_type != "f"
    assert not str(cell.value or "").startswith(LIVE)


# ---- what is no list ---------------------------------------------------------------------------------------


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (picture(), "sheet.not_one"),
        (b"PK\x03\x04 and no more", "sheet.not_one"),
        (excel(["网格"])[:-200], "sheet.not_one"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "sheet.old"),
        (b"\x00\x01\x02" * 100, "sheet.not_one"),
    ],
)
def test_a_photo_called_xlsx_is_told_from_a_list(data: bytes, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        read("名单.xlsx", data)


def test_what_unpacks_to_too_much_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "LARGEST_UNPACKED", 1_000_000)
    with pytest.raises(Refusal, match=r"sheet\.too_large"):
        read("名单.xlsx", bomb())


def test_too_long_lists_and_too_large_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 2)
    monkeypatch.setattr(spreadsheets, "LARGEST", 20_000)
    for data in (excel(["1"], ["2"], ["3"]), b"1\n2\n3\n"):
        with pytest.raises(Refusal, match=r"sheet\.too_many_rows"):
            read("名单", data)
    with pytest.raises(Refusal, match=r"sheet\.too_large"):
        read("名单", b"1\n" * 20_000)


def test_a_cell_far_away_costs_nothing() -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1"], book.active["A20000"] = "网格", "远", "底"
    out = io.BytesIO()
    book.save(out)
    (table,) = read("表.xlsx", out.getvalue())

    assert [row.number for row in table.rows] == [1, 20_000]
    assert max(len(row.cells) for row in table.rows) <= spreadsheets.MOST_COLUMNS


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_list_or_refused(data: bytes, zipped: bool) -> None:
    found: str | None = None
    try:
        read("x", b"PK\x03\x04" + data if zipped else data)
    except Refusal as no:
        found = no.text

    assert found is None or found.startswith("sheet.")


# ---- headings and values -----------------------------------------------------------------------------------


def heading(*rows: Sequence[str], name: str = "Sheet1") -> tuple[str, dict[str, int], tuple[str, ...]]:
    found = find_heading(SPEC, Table(name, [Row(at, tuple(row)) for at, row in enumerate(rows, start=1)]))
    assert found is not None
    return found.kind, dict(found.columns), found.unknown


@pytest.mark.parametrize(
    ("row", "kind", "columns"),
    [
        (["序号", "网格名称*", "上级单位", "网格级别"], "grids", {"name": 1, "parent": 2, "level": 3}),
        (
            ["姓 名", "联系电话", "担任职务", "所属网格"],
            "people",
            {"name": 0, "phone": 1, "role": 2, "grid": 3},
        ),
        (
            ["姓名（必填）", "手机号码", "岗位", "部门"],
            "people",
            {"name": 0, "phone": 1, "role": 2, "unit": 3},
        ),
        (
            ["所属网格", "住址", "户主姓名", "户主电话"],
            "households",
            {"grid": 0, "address": 1, "head": 2, "phone": 3},
        ),
    ],
)
def test_headings_are_known_by_what_offices_call_them(
    row: list[str], kind: str, columns: dict[str, int]
) -> None:
    assert heading(["某某街道一览表"], ["填表日期：2026年11月"], row)[:2] == (kind, columns)


def test_columns_nobody_knows_are_named() -> None:
    assert heading(["姓名", "手机", "职务", "网格", "血型"])[2] == ("血型",)


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_any_known_words_make_the_heading_of_their_kind(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(SPEC.sheets)))
    columns = SPEC.sheets[kind].columns
    chosen = {key: data.draw(st.sampled_from(words[:3])) for key, words in columns.items()}
    order = data.draw(st.permutations(list(chosen)))
    found = heading([chosen[key] for key in order], name=SPEC.sheets[kind].names[0])

    assert found[0] == kind
    assert set(found[1]) == set(chosen)


@settings(deadline=None, max_examples=40)
@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["{}", " {} ", "{}.0", "+86{}", "86 {}", "0086-{}"]),
)
def test_a_phone_is_known_however_it_is_typed(digits: str, form: str) -> None:
    wide = digits.translate({48 + at: 0xFF10 + at for at in range(10)})

    assert phone(form.format(digits)) == phone(wide) == digits
    assert digits not in masked(f"电话{digits}。")


@pytest.mark.parametrize("words", ["", "1380000", "138000000012", "0591-22062345", "1.38E+10", "23800000001"])
def test_what_is_no_phone(words: str) -> None:
    assert phone(words) is None


@settings(deadline=None)
@given(CELL)
def test_cleaning_twice_is_cleaning_once(cell: str) -> None:
    assert text(text(cell)) == text(cell)


def test_values() -> None:
    assert text("王\u3000芳\u200b") == "王芳"
    assert text("３栋２单元") == "3栋2单元"
    assert listed("王伟、王小宝；王伟, 李 四") == ["王伟", "王小宝", "李四"]
    levels = {"community": ("社区（村）",), "grid": ("网格",), "micro": ("微网格",)}
    assert [pick(said, levels) for said in ("村", "社区", "网格", "微网格", "grid", "省")] == [
        "community", "community", "grid", "micro", "grid", None
    ]  # fmt: skip
