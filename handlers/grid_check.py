"""Grid check: a leader asks how the grids of the area stand against the place's rules."""

from collections.abc import Mapping
from typing import Any, ClassVar

from handlers.command import Command, Done, handles
from handlers.grids.checking import Result, check
from handlers.grids.tallies import Sum, sums
from handlers.work import Reading, Work

NAMED = 3
"""Grids that one line of a chat names; a terminal and the API have them all."""


class CheckGrids(Command):
    """Tell which grids of the area fit the rules of size, code and people, and which do not."""

    name: ClassVar[str] = "check_grids"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = "oversee"


@handles(CheckGrids)
def check_grids(work: Work, command: CheckGrids) -> Done:
    """Counts first, then one line for each rule; nothing is ever refused for its size."""
    found = sums(work)
    results, total = check(work, found), _area_sum(work, found)
    lines = "\n".join(line(work, result, NAMED) for result in results)
    grids = sum(node is not None for node in _within(work))
    work.reply(
        "check.card",
        count=grids,
        homes=total.households,
        people=total.residents,
        posts=total.posts,
        lines=lines,
    )
    return Done({"grids": grids, "rules": [_data(work, result) for result in results]})


def _within(reading: Reading) -> list[int]:
    ranges = reading.actor.ranges
    return [
        node.id
        for node in reading.tree.nodes.values()
        if any(low <= node.path < high for low, high in ranges)
    ]


def _area_sum(reading: Reading, found: Mapping[int, Sum]) -> Sum:
    """What the reader's own area holds: the tops of it, added up."""
    total, paths = Sum(), {post.path for post in reading.actor.posts if post.unit_id is None}
    tops = [path for path in paths if not any(path != other and path.startswith(other) for other in paths)]
    for grid in (int(path.strip("/").rpartition("/")[2]) for path in tops):
        if grid in found:
            total.households += found[grid].households
            total.residents += found[grid].residents
            total.posts += found[grid].posts
    return total


def line(reading: Reading, result: Result, most: int) -> str:
    """One rule as a line: how many fit, how many do not, and the first of these by name."""
    if not result.fits and not result.misfits:
        return reading.word("check.no_data", rule=result.rule, count=result.unknown)
    if not result.misfits:
        words = reading.word("check.all_fit", rule=result.rule, fits=result.fits)
    else:
        shown = reading.word("check.comma").join(_named(reading, result, most))
        more = reading.word("check.more") if len(result.misfits) > most else ""
        words = reading.word(
            "check.some",
            rule=result.rule,
            fits=result.fits,
            count=len(result.misfits),
            shown=f"{shown}{more}",
        )
    return words + (reading.word("check.unknown", count=result.unknown) if result.unknown else "")


def _named(reading: Reading, result: Result, most: int) -> list[str]:
    return [
        reading.word("check.one", name=reading.tree.named(misfit.grid), found=misfit.found)
        if misfit.found
        else reading.tree.named(misfit.grid)
        for misfit in result.misfits[:most]
    ]


def _data(reading: Reading, result: Result) -> dict[str, Any]:
    return {
        "rule": result.rule,
        "fits": result.fits,
        "unknown": result.unknown,
        "misfits": [
            {"grid": misfit.grid, "name": reading.tree.named(misfit.grid), "found": misfit.found}
            for misfit in result.misfits[:1000]
        ],
    }
