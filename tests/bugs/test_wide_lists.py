"""Small files that cost minutes to read."""

import io
import zipfile
from time import process_time

import pytest

from handlers.refusal import Refusal
from handlers.registry.spreadsheets import MOST_CELLS, _must_be_honest, read, write_excel


def filled(rows: int, columns: int) -> bytes:
    """An Excel file with so many cells, all alike."""
    out = io.BytesIO()
    plain = zipfile.ZipFile(io.BytesIO(write_excel([("表", [["姓名"]])])))
    with plain, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for part in plain.namelist():
            made.writestr(part, plain.read(part) if "sheet1" not in part else _sheet(rows, columns))
    return out.getvalue()


def _sheet(rows: int, columns: int) -> bytes:
    line = b"<row>" + b"<c><v>1</v></c>" * columns + b"</row>"
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="' + space + b'"><sheetData>' + line * rows + b"</sheetData></worksheet>"


def test_a_small_file_with_millions_of_cells_is_refused_at_once() -> None:
    data = filled(20_000, 200)
    began = process_time()

    with pytest.raises(Refusal, match=r"sheet\.too_many_cells"):
        read("表.xlsx", data)

    assert process_time() - began < 15


def test_a_long_list_of_ten_columns_is_none_too_many() -> None:
    assert MOST_CELLS >= 120_000 * 10
    _must_be_honest("表.xlsx", filled(120_000, 10))


def test_a_wide_list_is_read_as_far_as_columns_go() -> None:
    (table,) = read("表.xlsx", filled(3, 200))

    assert [len(row.cells) for row in table.rows] == [60, 60, 60]
