"""Spreadsheets: rows from and to bytes. Nothing here knows what the rows mean."""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from handlers.refusal import Refusal

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one file."""
LARGEST_UNPACKED: Final = 600 * 1024 * 1024
"""Bytes of an Excel file once unpacked: it is read piece by piece, and never lies in memory as a whole."""
MOST_PARTS: Final = 2_000
MOST_ROWS: Final = 300_000
"""Rows of one sheet with something in them."""
MOST_COLUMNS: Final = 60
MOST_CELLS: Final = 3_000_000
"""Cells of one Excel file, also beyond the columns that are read: each is unpacked and costs its time."""
LONGEST: Final = 500
"""Characters of one cell that are kept."""
MOST_MERGED: Final = 50_000
LIVE: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet program may take for a formula at the beginning of a cell."""

Seen = Callable[[str, int, int], None]
"""Told of progress: what is being done, how many of how many (0: not known)."""
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_PIECE = 1 << 20


@dataclass(frozen=True)
class Row:
    """One line with something in it; `number` as the spreadsheet shows it, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One sheet of a file. `name` is the sheet's, or the file's where it has only one."""

    name: str
    rows: list[Row]


def silent(_what: str, _done: int, _of: int) -> None:
    """Tell nobody of progress."""


# ---- reading -----------------------------------------------------------------------------------------------


def read(name: str, data: bytes, seen: Seen = silent) -> list[Table]:
    """Read a file of rows, by what is in it and not by what it is called.

    Args:
        name: the file's name, for the words of a refusal and the name of a sheet without one.
        data: its bytes.
        seen: told of every thousandth row.

    Raises:
        Refusal: too large, an Excel of before 2007, or no list at all.
    """
    if len(data) > LARGEST:
        raise Refusal("sheet.too_large", name=name, most=LARGEST // 1024 // 1024)
    if data.startswith(_OLD):
        raise Refusal("sheet.old", name=name)
    tables = _excel(name, data, seen) if data.startswith(_ZIP) else [_csv(name, data, seen)]
    return [table for table in tables if table.rows]


def _excel(name: str, data: bytes, seen: Seen) -> list[Table]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _must_be_honest(name, data)
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            return [_sheet(name, data, sheet, seen) for sheet in shown]
    except Refusal:
        raise
    except Exception as trouble:  # a damaged file meets the library's every corner
        raise Refusal("sheet.not_one", name=name) from trouble


def _must_be_honest(name: str, data: bytes) -> None:
    """Refuse what would fill memory or disk: sizes are claimed by the file, and checked by unpacking once."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
            raise Refusal("sheet.too_large", name=name, most=LARGEST // 1024 // 1024)
        if archive.testzip() is not None:
            raise Refusal("sheet.not_one", name=name)
        if _cells(archive) > MOST_CELLS:
            raise Refusal("sheet.too_many_cells", name=name, most=MOST_CELLS // 10_000)


def _cells(archive: zipfile.ZipFile) -> int:
    """How many cells all sheets have; counting stops where there are too many."""
    count = 0
    for part in archive.namelist():
        with archive.open(part) as stream:
            while count <= MOST_CELLS and (piece := stream.read(_PIECE)):
                count += sum(1 for _ in _CELL.finditer(piece))
    return count


def _sheet(name: str, data: bytes, sheet: Any, seen: Seen) -> Table:
    sheet.reset_dimensions()  # the size it claims may be wrong
    merged = _merged(data, sheet._worksheet_path)  # the library reads no merged cells row by row
    widest = max((column + 1 for columns in merged.values() for column, _ in columns), default=0)
    rows: list[Row] = []
    above: dict[int, tuple[int, str]] = {}
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), start=1):
        texts = [_text(cell) for cell in _said(cells)]
        if merged:
            texts += [""] * (widest - len(texts))
            _fill(texts, number, merged, above)
        _keep(name, rows, number, texts, seen)
    return Table(str(sheet.title), rows)


def _said(cells: Sequence[object]) -> Sequence[object]:
    """The cells of a line up to the last one with something in it."""
    last = len(cells)
    while last and cells[last - 1] is None:
        last -= 1
    return cells[:last]


def _fill(
    texts: list[str], number: int, merged: dict[int, list[tuple[int, int]]], above: dict[int, tuple[int, str]]
) -> None:
    """A cell merged over several lines holds for all of them."""
    for column, last in merged.get(number, ()):
        if column < len(texts):
            above[column] = (last, texts[column])
    for column, (last, text) in list(above.items()):
        if number > last:
            del above[column]
        elif column < len(texts) and not texts[column] and any(texts):
            texts[column] = text


def _merged(data: bytes, part: str) -> dict[int, list[tuple[int, int]]]:
    """First line -> column and last line of the cells merged downwards."""
    found: dict[int, list[tuple[int, int]]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(part) as stream:
        rest, left = b"", MOST_MERGED
        while left and (piece := stream.read(_PIECE)):
            piece = rest + piece
            cut = piece.rfind(b"<") if len(piece) < 2 * _PIECE else len(piece)
            for match in _MERGED.finditer(piece, 0, cut):
                first, last = int(match[2]), int(match[3])
                if last > first and left:
                    found.setdefault(first, []).append((_column(match[1]), last))
                    left -= 1
            rest = piece[cut:]
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _csv(name: str, data: bytes, seen: Seen) -> Table:
    text = _decoded(name, data)
    head = text[:4000].partition("\n")[0]
    rows: list[Row] = []
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t;", key=head.count))
    try:
        for number, cells in enumerate(lines, start=1):
            _keep(name, rows, number, [_text(cell) for cell in cells[:MOST_COLUMNS]], seen)
    except csv.Error as trouble:
        raise Refusal("sheet.not_one", name=name) from trouble
    return Table(re.sub(r"\.\w{1,5}$", "", name), rows)


def _decoded(name: str, data: bytes) -> str:
    """Text of Excel's own CSV is GB 18030 in China; everything newer writes UTF-8."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search("[\x00-\x08\x0e-\x1f]", text):
            return text
    raise Refusal("sheet.not_one", name=name)


def _keep(name: str, rows: list[Row], number: int, texts: Sequence[str], seen: Seen) -> None:
    if not any(texts):
        return
    texts = texts[: max(at for at, text in enumerate(texts, start=1) if text)]
    if len(rows) >= MOST_ROWS:
        raise Refusal("sheet.too_many_rows", name=name, most=MOST_ROWS)
    rows.append(Row(number, tuple(texts)))
    if len(rows) % 1000 == 0:
        seen("read", len(rows), 0)


def _text(cell: object) -> str:
    """A cell as a person sees it: 13800000001.0 is a phone; the sign that keeps a formula dead is none."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)[:LONGEST].strip()
    return text[1:] if text[:1] == "'" and text[1:2] in LIVE else text


# ---- writing -----------------------------------------------------------------------------------------------

Line = Sequence[str]


def write_excel(sheets: Iterable[tuple[str, Iterable[Line]]], seen: Seen = silent) -> bytes:
    """Write sheets of text, the first line of each as its heading; no cell can act as a formula."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, lines in sheets:
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for column in "ABCDEFGH":
            sheet.column_dimensions[column].width = 20
        for number, line in enumerate(lines):
            sheet.append([_cell(sheet, text, bold=number == 0) for text in line])
            if number % 1000 == 999:
                seen("write", number + 1, 0)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, text: str, *, bold: bool) -> Any:
    """Text stays text: phones keep their digits, and nothing is taken for a formula."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    plain = "".join(_writable(text))
    if not bold and not plain.startswith(LIVE):
        return plain or None
    cell = WriteOnlyCell(sheet, value=None)
    cell._value, cell.data_type = dead(plain), "s"  # past the library's guess that "=..." is a formula
    if bold:
        cell.font = Font(bold=True)
    return cell


def _writable(text: str) -> Iterator[str]:
    """Signs that XML cannot hold are left out."""
    return (sign for sign in text if sign >= " " or sign in "\t\n")


def write_csv(lines: Iterable[Line]) -> bytes:
    """Write one sheet as CSV that Excel opens with the right signs; no cell can act as a formula."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([dead(text) for text in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def dead(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula; reading takes the sign away again."""
    return f"'{text}" if text.startswith(LIVE) else text
