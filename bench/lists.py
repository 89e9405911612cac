"""Brings a county into an empty SQLite database: 2,000 grids and 120,000 households, from one Excel file."""

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

from handbook import open_book
from handlers.catalogue import COMMANDS
from handlers.command import Done, perform
from handlers.importing import ImportLists, read_lists
from handlers.registry.spreadsheets import write_excel
from handlers.work import Desk
from models.database import migrate, open_database
from scheduler.clock import SystemClock

HOUSEHOLDS = 60
"""Of each of the 2,000 grids."""


def measure_lists() -> None:
    """Print how long reading, and comparing and writing, take."""
    assert "import_lists" in COMMANDS
    gc.disable()  # as the command line does
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'lists.db'}"
        migrate(url)
        data = write_excel([("网格", _grids()), ("人员", _people()), ("住户", _homes())])
        database = open_database(url)
        begun, spent = perf_counter(), process_time()
        lists = read_lists([("lists.xlsx", data)])
        read = perf_counter()
        with Desk(database, open_book("default"), SystemClock().now).work() as work:
            outcome = perform(work, ImportLists(lists=lists))
        done = perf_counter()
        database.close()
    assert isinstance(outcome, Done)
    lines = outcome.data["counts"]["new"]
    print(
        f"lists of {lines:,} lines: read {read - begun:.1f} s, written {done - read:.1f} s, "
        f"{process_time() - spent:.1f} s of CPU"
    )


def _places() -> Iterator[tuple[str, str]]:
    for village in range(200):
        for grid in range(10):
            yield f"村{village}", f"第{grid + 1}网格"


def _grids() -> Iterator[list[str]]:
    yield ["名称", "上级", "层级"]
    yield ["星河县", "", "县"]
    yield from ([f"镇{town}", "星河县", "乡镇"] for town in range(10))
    yield from ([f"村{village}", f"镇{village % 10}", "社区"] for village in range(200))
    yield from ([grid, village, "网格"] for village, grid in _places())


def _people() -> Iterator[list[str]]:
    yield ["姓名", "手机", "职务", "网格"]
    for number, (village, grid) in enumerate(_places()):
        yield [f"员{number}", f"138{number:08d}", "网格员", f"{village}/{grid}"]


def _homes() -> Iterator[list[str]]:
    yield ["网格", "楼栋", "门牌", "户主", "手机", "成员"]
    for number, (village, grid) in enumerate(_places()):
        for door in range(HOUSEHOLDS):
            phone = f"139{number * HOUSEHOLDS + door:08d}"
            yield [
                f"{village}/{grid}",
                f"{door // 12 + 1}栋",
                f"{door % 12 + 1}",
                f"户{door}",
                phone,
                "甲、乙",
            ]
