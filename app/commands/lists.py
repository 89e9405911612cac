"""The office's own lists: in, back out, and all that is there."""

import argparse
from pathlib import Path

from app.commands import FAILED, MISUSED, Add, agreed, complain, load_quickly, settings_of


def add_lists(add: Add) -> None:
    """The commands for the office's own lists."""
    bring = add("import", _import, "bring in lists of grids, people, households (Excel, CSV)")
    bring.add_argument("files", nargs="*", type=Path, metavar="FILE")
    bring.add_argument("--dry-run", action="store_true", help="only tell what would come of it")
    bring.add_argument("--yes", action="store_true", help="do not ask")
    bring.add_argument("--divisions", metavar="350121", help="the official names of a county")
    bring.add_argument("--template", type=Path, metavar="OUT.xlsx", help="write empty sheets to fill in")
    bring.add_argument("--wrong", type=Path, metavar="OUT.csv", help="write every wrong line and its reason")
    undo = add("undo-import", _undo_import, "take an import back as a whole")
    undo.add_argument("number", type=int)
    export = add("export", _export, "write grids, people and households as lists")
    export.add_argument("file", type=Path, metavar="OUT.xlsx")


def _import(given: argparse.Namespace) -> int:
    from app.lists import Bar, bring_in, read_files, summary, write_template, write_wrong

    settings = settings_of(given)
    if given.template is not None:
        write_template(settings, given.template)
        print(f"{given.template} is written: fill it in and bring it in.")
        return 0
    if not given.files and given.divisions is None:
        return complain(ValueError("name a file, --divisions or --template."), MISUSED)
    load_quickly()
    bar, at_once = Bar(), given.yes and not given.dry_run
    lists = read_files(settings, given.files, given.divisions, bar)
    report = bring_in(settings, lists, dry_run=not at_once)
    bar.end()
    print(*summary(report), sep="\n", flush=True)
    if given.wrong is not None:
        write_wrong(report, given.wrong)
    brings = report["counts"]["new"] + report["counts"]["changed"]
    if brings and not given.dry_run and not given.yes and agreed("现在导入？有误的行不导入。"):
        report = bring_in(settings, lists, dry_run=False)
        bar.end()
    if report["number"] is not None:
        print(f"已导入，撤销：{settings.command} undo-import {report['number']}")
    elif not brings:
        print("没有要导入的。")
    return FAILED if report["counts"]["wrong"] else 0


def _undo_import(given: argparse.Namespace) -> int:
    from app.lists import take_back

    take_back(settings_of(given), given.number)
    print(f"第 {given.number} 号导入已全部撤销。")
    return 0


def _export(given: argparse.Namespace) -> int:
    from app.lists import write_everything
    from app.noting import note_taken
    from handbook import open_book
    from models import Deed

    settings = settings_of(given)
    write_everything(settings, given.file)
    note_taken(settings, open_book(settings.place), Deed.EXPORT)
    print(f"{given.file} is written. It holds phones: keep it safe.")
    return 0
