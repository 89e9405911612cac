"""Lists sent in a chat: read beside all writing, written piece by piece, whole over restarts and rivals."""

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlmodel import Session, SQLModel, col

from bot.list_reader import LEASE, MOST_TRIES, ListReader
from handlers.command import Done
from handlers.given_lists import LARGEST, LEFT
from handlers.importing import ImportLists, UndoImport
from handlers.registry import pieces
from handlers.registry.spreadsheets import write_excel
from handlers.tree import registry_changed
from models import GivenList, Grid, Household, Imported, ListState, Member, Person, Post
from tests.registry.office import lists
from tests.town import Town, founded

ROWS = 400
"""Rows of a list of several pieces."""
HOMES = [
    ["网格", "楼栋", "门牌", "户主", "手机", "成员"],
    *(
        ["幸福社区/第一网格", f"{at // 12 + 1}栋", f"{at % 12 + 1}", f"户{at}", f"139{at:08d}", "甲、乙"]
        for at in range(ROWS)
    ),
]


@pytest.fixture(scope="module")
def homes() -> bytes:
    """A list of several pieces."""
    return write_excel([("住户", HOMES)])


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as one:
        yield one


def count(town: Town, kind: type[SQLModel]) -> int:
    """Rows of a table."""
    with Session(town.database.reader) as session:
        found: int = session.execute(select(func.count()).select_from(kind)).scalar_one()
        return found


def given(town: Town) -> GivenList:
    """The list sent last."""
    with Session(town.database.reader, expire_on_commit=False) as session:
        found: GivenList = session.execute(
            select(GivenList).order_by(col(GivenList.id).desc()).limit(1)
        ).scalar_one()
        return found


def sheet(*names: str) -> bytes:
    """Grids of these names below one community."""
    return "\n".join(["名称,上级", *(f"{name},幸福社区" for name in names)]).encode()


def files(town: Town) -> list[Path]:
    """Everything that lies in the store."""
    return [path for path in town.lists._folder.rglob("*") if path.is_file()]


def test_a_long_list_comes_and_goes_on_both_databases(migrated_url: str, homes: bytes) -> None:
    with founded("default", migrated_url) as town:
        before = [count(town, kind) for kind in (Person, Household, Member)]
        assert f"新增{ROWS}" in town.file("town", "住户.xlsx", homes)[-1]
        assert f"新增{ROWS}行" in town.say("town", "1")[-1]
        after = [count(town, kind) for kind in (Person, Household, Member)]
        undone = town.say("town", "撤销导入 1")
        last = [count(town, kind) for kind in (Person, Household, Member)]

    assert after == [before[0] + 3 * ROWS, before[1] + ROWS, before[2] + 3 * ROWS]
    assert "整批撤销" in undone[-1]
    assert last == before


class Killed(Exception):
    """The process ends here."""


def killed_after(town: Town, writes: int) -> None:
    """The sender says yes, and the program is killed after so many pieces."""
    left = [writes]
    do = town.list_reader._do

    async def broken(about: object, command: object) -> object:
        if type(command).__name__ == "WritePiece":
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return await do(about, command)  # type: ignore[arg-type]

    town.list_reader._do = broken  # type: ignore[assignment]
    town.say("town", "1")


@pytest.mark.parametrize("writes", [0, 1, 3, 5])
def test_a_process_killed_while_it_writes_goes_on_where_it_was(town: Town, homes: bytes, writes: int) -> None:
    before = count(town, Person)
    town.file("town", "住户.xlsx", homes)
    killed_after(town, writes)
    assert given(town).state is ListState.TO_WRITE
    being = town.do(UndoImport(number=1), "town")
    town.restart()
    asyncio.run(town.settle())

    assert "导入好了" in town.news("town")[-1]
    assert count(town, Person) == before + 3 * ROWS
    assert count(town, Imported) == 1
    assert not isinstance(being, Done)
    assert isinstance(town.do(UndoImport(number=1), "town"), Done)
    assert count(town, Person) == before


def test_whoever_changes_the_registry_meanwhile_is_not_written_over(town: Town, homes: bytes) -> None:
    town.file("town", "住户.xlsx", homes)
    do = town.list_reader._do
    done: list[bool] = []

    async def disturbed(about: object, command: object) -> object:
        if type(command).__name__ == "WritePiece" and not done:
            done.append(True)
            await asyncio.to_thread(partial(town.do, _another()))
        return await do(about, command)  # type: ignore[arg-type]

    town.list_reader._do = disturbed  # type: ignore[assignment]

    assert "导入好了" in town.say("town", "1")[-1]
    assert count(town, Household) == ROWS
    assert isinstance(town.do(UndoImport(number=2), "town"), Done)
    assert count(town, Household) == 0
    assert count(town, Imported) == 2


def _another() -> ImportLists:
    return ImportLists(lists=lists([["名称", "上级"], ["第九网格", "幸福社区"]]))


def test_two_readers_answer_once(town: Town) -> None:
    other = ListReader(town.desk, town.lane, {"memory": town.channel}, town.lists)

    async def both() -> None:
        town.channel.files["memory:f"] = (sheet("第九网格"), "csv")
        file = {"kind": "file", "key": "memory:f", "name": "甲.csv"}
        await town.lane.accept([town.inbound("town", attachments=[file])])
        while town.lane.waiting:
            await town.lane.run(lambda _: None)
        await asyncio.gather(town.list_reader.round(), other.round())
        await town.settle()

    asyncio.run(both())

    assert len(town.news("town")) == 1


def test_what_lies_by_is_sealed_and_goes_in_time(town: Town) -> None:
    data = "姓名,手机,职务,网格\n张三丰,13800001111,网格员,第一网格\n".encode()
    town.file("town", "人员.csv", data)
    kept = [path.read_bytes() for path in files(town)]
    town.say("town", "1")
    town.wait(hours=LEFT.total_seconds() / 3600 - 0.1)
    still = len(files(town))
    town.wait(hours=0.2)

    assert len(kept) == 2
    assert not any(b"13800001111" in one or "张三丰".encode() in one for one in kept)
    assert still == 2
    assert files(town) == []
    assert given(town).file is None
    assert given(town).state is ListState.WRITTEN


def test_the_same_file_of_two_people_lies_by_until_both_are_done(town: Town) -> None:
    town.file("town", "甲.csv", sheet("第九网格"))
    town.file("county", "甲.csv", sheet("第九网格"))
    town.say("county", "0")
    town.tick()

    assert "导入好了" in town.say("town", "1")[-1]


def test_a_report_that_another_list_needs_stays_when_one_is_shown_anew(town: Town) -> None:
    for who in ("county", "town"):
        town.file(who, "甲.csv", sheet("第九网格"))
    with Session(town.database.reader, expire_on_commit=False) as session:
        first, second = session.execute(select(GivenList).order_by(col(GivenList.id))).scalars()
    town.do(_another(), "county")
    town.say("town", "1")

    assert first.report == second.report != given(town).report
    assert json.loads(town.lists.read(first.report or ""))["changes"]


def test_what_a_killed_process_left_is_swept_up_at_the_start(town: Town) -> None:
    town.lists.keep(b"nobody speaks of this")
    town.file("town", "甲.csv", sheet("第九网格"))
    town.restart()

    assert len(files(town)) == 2
    assert "导入好了" in town.say("town", "1")[-1]


def bomb() -> bytes:
    """An Excel file whose sheet says that it unpacks to more than any memory should hold."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 1_000_000)
        archive.filelist[0].file_size = 2_000_000_000
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("坏.xlsx", b"PK\x03\x04 and nothing more", "不是能读的表格"),
        ("旧.xlsx", b"\xd0\xcf\x11\xe0 of old", "旧版 Excel"),
        ("图.csv", b"\xff\xd8\xff\x00\x00", "不是能读的表格"),
        ("空.csv", b"", "没有找到认识的表头"),
    ],
)
def test_what_is_no_list_is_said_kindly_and_not_kept(town: Town, name: str, data: bytes, said: str) -> None:
    assert said in town.file("town", name, data)[-1]
    town.tick()

    assert files(town) == []
    assert given(town).state is ListState.OVER


def test_a_bomb_does_no_harm(town: Town) -> None:
    assert "太大了" in town.file("town", "炸.xlsx", bomb())[-1]


def test_what_is_too_large_is_not_even_fetched(town: Town) -> None:
    file = {"kind": "file", "key": "memory:f", "name": "大.xlsx", "size": LARGEST + 1}

    assert "最多 20 MB" in town.say("town", attachments=[file])[-1]
    assert count(town, GivenList) == 0


def test_what_the_channel_does_not_have_is_asked_for_again(town: Town) -> None:
    file = {"kind": "file", "key": "memory:gone", "name": "甲.csv"}

    assert "没有收到，请再发一次" in town.say("town", attachments=[file])[-1]


def test_a_file_that_kills_the_program_is_given_up(town: Town) -> None:
    def kills(_: object) -> object:
        raise Killed

    town.list_reader._compared = kills  # type: ignore[assignment, method-assign]
    answers = town.file("town", "甲.csv", sheet("第九网格"))
    for _ in range(MOST_TRIES):
        town.now += LEASE + timedelta(seconds=1)
        asyncio.run(town.settle())

    assert answers == []
    assert "不是能读的表格" in town.news("town")[-1]


def test_a_long_one_is_announced_once(town: Town, homes: bytes) -> None:
    town.list_reader.slow = 0.0

    first, _ = town.file("town", "住户.xlsx", homes)
    assert first.startswith("《住户.xlsx》行数比较多，正在核对")
    told = town.say("town", "1")
    assert [line for line in told if "正在写入" in line] == told[:1]
    assert "导入好了" in told[-1]
    assert len(told) == 2


def test_a_result_does_not_steal_the_numbers_of_an_open_question(town: Town) -> None:
    town.say("town", "邀请")
    town.file("town", "甲.csv", sheet("第九网格"))
    invited = town.say("town", "李强")

    assert "绑定码" in invited[-1]
    assert "导入好了" in town.say("town", "确认导入 1")[-1]


def test_several_at_once_wait_and_too_many_are_declined(town: Town) -> None:
    sent = [{"kind": "file", "key": f"memory:f{at}", "name": f"{at}.csv", "size": 9} for at in range(6)]
    for at in range(6):
        town.channel.files[f"memory:f{at}"] = (sheet(f"第{at}网格"), "csv")
    told = town.say("town", attachments=sent)

    assert sum("核对好了" in line for line in told) == 5
    assert sum("还有几份没有核对完" in line for line in told) == 1


def test_whoever_lost_the_post_meanwhile_brings_nothing_in(town: Town) -> None:
    town.file("town", "甲.csv", sheet("第九网格"))
    before = count(town, Grid)
    with town.desk.session() as session:
        mine = town.desk.tree(session).staff
        person = next(number for number, actor in mine.items() if actor.name == town.name("town"))
        session.execute(update(Post).where(col(Post.person_id) == person).values(until=town.now))
        registry_changed(session)

    assert "不在您的权限内" in town.say("town", "1")[-1]
    assert count(town, Grid) == before


def test_a_piece_is_small() -> None:
    assert pieces.MOST <= 1000
