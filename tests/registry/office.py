"""An office with its lists: brings them into a registry, and looks at what came of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select
from sqlmodel import SQLModel

from handlers.actor import CLOCK, Actor
from handlers.command import Command, Done, perform
from handlers.importing import ImportLists, Lists, UndoImport
from handlers.refusal import Refusal
from handlers.registry.exporting import everything
from handlers.registry.spreadsheets import Row, Table
from handlers.work import Desk
from models.database import open_database
from tests.town import START, book_of

GRIDS = [
    ["名称", "上级", "层级"],
    ["星河县", "", "县"],
    ["桂花镇", "星河县", "乡镇"],
    ["幸福社区", "桂花镇", "社区"],
    ["第一网格", "幸福社区", "网格"],
]
PEOPLE = [["姓名", "手机", "职务", "网格"], ["李强", "13800000001", "网格员", "第一网格"]]
HOMES = [
    ["网格", "楼栋", "门牌", "户主", "手机", "成员"],
    ["第一网格", "3栋", "501", "王芳", "13900000001", "王伟、王小宝"],
]
Sheet = Sequence[Sequence[str]]


def lists(*sheets: Sheet) -> Lists:
    """Sheets as if they had been read from files."""
    names = ("甲", "乙", "丙", "丁")
    tables = [
        Table(name, [Row(at, tuple(cells)) for at, cells in enumerate(sheet, start=1)])
        for name, sheet in zip(names, sheets, strict=False)
    ]
    return Lists("表.xlsx", "0" * 64, tables)


class Registry:
    """A registry and the program that writes to it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def gives(self, command: Command, actor: Actor = CLOCK) -> Done | Refusal:
        """Somebody gives a command, in a work of its own."""
        with self.desk.work(actor) as work:
            return perform(work, command)

    def brings(self, *sheets: Sheet, dry_run: bool = False, actor: Actor = CLOCK) -> dict[str, Any]:
        """Lists are brought in. Returns the report."""
        outcome = self.gives(ImportLists(lists=lists(*sheets), dry_run=dry_run), actor)
        assert isinstance(outcome, Done), outcome
        return outcome.data

    def takes_back(self, number: int, actor: Actor = CLOCK) -> Done | Refusal:
        """An import is undone."""
        return self.gives(UndoImport(number=number), actor)

    def wrong(self, *sheets: Sheet, actor: Actor = CLOCK) -> list[str]:
        """Why lines cannot be used."""
        return [line["reason"] for line in self.brings(*sheets, dry_run=True, actor=actor)["wrong"]]

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in every table, but what is kept of imports, given codes and deeds, and the version."""
        aside = {"imported", "code_serial", "registry_version", "audit_head", "audit_line"}
        with self.desk.session() as session:
            return {
                table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
                for table in SQLModel.metadata.sorted_tables
                if table.name not in aside
            }

    def is_empty(self) -> bool:
        """Whether no grid, person or anything else is there."""
        return not any(self.rows().values())

    def count(self, kind: type[SQLModel]) -> int:
        """Rows of a table."""
        with self.desk.session() as session:
            found: int = session.execute(select(func.count()).select_from(kind)).scalar_one()
            return found

    def exported(self) -> list[list[list[str]]]:
        """All sheets as they would be written."""
        with self.desk.reading(CLOCK) as reading:
            return [[list(line) for line in lines] for _, lines in everything(reading)]


@contextmanager
def registry(url: str, place: str = "default") -> Iterator[Registry]:
    """The registry in a migrated database."""
    database = open_database(url)
    try:
        yield Registry(Desk(database, book_of(place), lambda: START))
    finally:
        database.close()
