"""The part of the command line that is about grids; what does the work is loaded when it is asked for."""

import argparse
from collections.abc import Callable
from pathlib import Path

from app.commands import Add, agreed, settings_of


def add_grids(add: Add) -> None:
    """Add the commands that change, draw and check grids."""
    split = add("split-grid", _split, "cut a grid into parts; what it was stays what it was")
    split.add_argument("grid", help="its code, name or path")
    split.add_argument("parts", help="东片（1栋、2栋）、西片")
    merge = add("merge-grids", _merge, "put a grid into another one, which goes on")
    merge.add_argument("grid")
    merge.add_argument("into")
    merge.add_argument("--called", default="", help="what both are called from now on")
    rename = add("rename-grid", _rename, "call a grid by another name; the old one is still understood")
    rename.add_argument("grid")
    rename.add_argument("called")
    move = add("move-grid", _move, "put a grid with everything in it under another one")
    move.add_argument("grid")
    move.add_argument("to")
    for command in (split, merge, move):
        command.add_argument("--yes", action="store_true", help="do not ask")
    draw = add("outlines", _outlines, "bring in or write the outlines of grids as GeoJSON")
    draw.add_argument("file", type=Path, metavar="FILE.geojson")
    draw.add_argument("--dry-run", action="store_true", help="only tell what would come of it")
    draw.add_argument("--export", action="store_true", help="write the file instead of reading it")
    add("check-tree", _check, "say how many there are, town by town, and how grids stand against the rules")


def _split(given: argparse.Namespace) -> int:
    from app.grids import split

    return _sure(lambda sure: split(settings_of(given), given.grid, given.parts, sure=sure), yes=given.yes)


def _merge(given: argparse.Namespace) -> int:
    from app.grids import merge

    settings = settings_of(given)
    return _sure(lambda sure: merge(settings, given.grid, given.into, given.called, sure=sure), yes=given.yes)


def _move(given: argparse.Namespace) -> int:
    from app.grids import move

    settings = settings_of(given)
    return _sure(lambda sure: move(settings, given.grid, given.to, sure=sure), yes=given.yes)


def _rename(given: argparse.Namespace) -> int:
    from app.grids import rename

    rename(settings_of(given), given.grid, given.called)
    print("已办好。")
    return 0


def _sure(give: Callable[[bool], str], *, yes: bool) -> int:
    """Show what would happen and ask; where nobody answers, nothing is done."""
    if not yes:
        print(give(False), flush=True)
        if not agreed("现在办？"):
            return 0
    give(True)
    print("已办好。")
    return 0


def _outlines(given: argparse.Namespace) -> int:
    from app.grids import bring_outlines, write_outlines

    if given.export:
        print(f"{given.file} is written: {write_outlines(settings_of(given), given.file)} outlines.")
        return 0
    found = bring_outlines(settings_of(given), given.file, dry_run=given.dry_run)
    for wrong in found["wrong"]:
        print(f"  ! 第 {wrong['feature']} 个：{wrong['reason']}")
    for name in found["mended"]:
        print(f"  ? {name}的边界自己相交，已修正，请看一看")
    said = "可以导入" if given.dry_run else "已导入"
    print(f"{said} {found['drawn']} 个边界，有误 {len(found['wrong'])} 个。")
    return 1 if found["wrong"] else 0


def _check(given: argparse.Namespace) -> int:
    from app.grids import report

    for sentence in report(settings_of(given)):
        print(sentence, flush=True)
    return 0
