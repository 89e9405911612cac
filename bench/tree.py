"""Counts a county of 11,000 grids and 1,000,000 residents by town, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import func, insert, select

from bench.databases import database, use_throwaway_keys
from handbook import open_book
from handlers.actor import CLOCK
from handlers.command import Done, perform
from handlers.grids.arranging import console
from handlers.grids.spans import keep_spans
from handlers.grids.tallies import by_town, recount
from handlers.regridding import MoveGrid, SplitGrid
from handlers.work import Desk
from handlers.writing import Writing
from models import Grid, Household, Incident, Member, Person, Post, State
from models.database import open_database

TOWNS, VILLAGES, GRIDS, MICROS = 25, 407, 2_039, 8_529
"""11,001 with the county: 鄞州's size."""
RESIDENTS = 1_000_000
CASES = 100_000
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ROUNDS = 9


def measure_tree() -> None:
    """Print how long the counts by town take, and a split and a move."""
    use_throwaway_keys()
    for kind in ("sqlite", "postgresql"):
        with database(kind) as url:
            opened = open_database(url)
            desk = Desk(opened, open_book("yinzhou"), lambda: NOW)
            with desk.session() as session:
                _settle(session)
            if kind == "postgresql":
                _tidy(opened)
            _measure(kind, desk)
            opened.close()


def _measure(kind: str, desk: Desk) -> None:
    with desk.reading(CLOCK) as reading:
        reading.actor = console(reading.tree)
        found = by_town(reading)
        assert sum(town.residents for town in found.values()) == RESIDENTS
        times = [_timed(lambda: by_town(reading)) for _ in range(ROUNDS)]
    counted = _timed(lambda: _counted_anew(desk))
    print(
        f"{kind}: counts by town of {len(reading.tree.nodes):,} grids and {RESIDENTS:,} residents: "
        f"p50 {median(times) * 1e3:.0f} ms, slowest {max(times) * 1e3:.0f} ms; "
        f"all counted anew {counted:.1f} s",
        flush=True,
    )
    _change(kind, desk)


def _timed(job: Any) -> float:
    began = perf_counter()
    job()
    return perf_counter() - began


def _counted_anew(desk: Desk) -> None:
    with desk.work() as work:
        recount(work.session, work.now)


def _change(kind: str, desk: Desk) -> None:
    with desk.work() as work:
        work.actor = console(work.tree)
        grid = next(node for node in work.tree.nodes.values() if node.level == "grid")
        other = [node for node in work.tree.nodes.values() if node.level == "community"][9]
        began = perf_counter()
        assert isinstance(perform(work, SplitGrid(grid=grid.id, parts="东片、西片", sure=True)), Done)
        split = perf_counter()
        next_one = next(
            node for node in work.tree.nodes.values() if node.level == "grid" and node.parent_id != other.id
        )
        outcome = perform(work, MoveGrid(grid=next_one.id, to=other.id, sure=True))
        assert isinstance(outcome, Done) or outcome.text == "grid.name_taken"
        moved = perf_counter()
    print(f"{kind}: a grid split in {split - began:.2f} s, one moved in {moved - split:.2f} s", flush=True)


def _tidy(opened: Any) -> None:
    """As PostgreSQL does by itself after a while."""
    with opened.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


# ---- the county --------------------------------------------------------------------------------------------


def _settle(session: Writing) -> None:
    rows = list(_grids())
    session.execute(insert(_table(Grid)), rows)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.setval("grid_id_seq", len(rows))))
    grids = [row["id"] for row in rows if row["level"] == "micro"]
    homes = range(RESIDENTS // 3 + 1)
    _fill(
        session,
        Person,
        ({"name": f"居民{n}", "home_grid_id": grids[n % len(grids)]} for n in range(RESIDENTS)),
    )
    places = ({"grid_id": grids[n % len(grids)], "address": "", "door": str(n)} for n in homes)
    _fill(session, Household, places)
    lives = (
        {"household_id": n // 3 + 1, "person_id": n + 1, "head": n % 3 == 0, "since": NOW}
        for n in range(RESIDENTS)
    )
    _fill(session, Member, lives)
    held = [row for row in rows if row["level"] != "micro"]
    posts = (
        {"person_id": n + 1, "role": "worker", "grid_id": row["id"], "since": NOW}
        for n, row in enumerate(held)
    )
    _fill(session, Post, posts)
    _fill(session, Incident, (_case(n, rows) for n in range(CASES)))
    keep_spans(session, NOW)
    recount(session, NOW)


def _grids() -> Iterator[dict[str, Any]]:
    levels = (("county", 1), ("town", TOWNS), ("community", VILLAGES), ("grid", GRIDS), ("micro", MICROS))
    above: list[dict[str, Any]] = []
    number = 0
    for level, count in levels:
        made = []
        for at in range(count):
            number += 1
            parent = above[at * len(above) // count] if above else None
            made.append(_grid(number, level, f"{level}{at}", parent))
        yield from made
        above = made


def _grid(number: int, level: str, name: str, parent: dict[str, Any] | None) -> dict[str, Any]:
    kind = {"grid": "base", "micro": "micro"}.get(level, "area")
    return {
        "id": number,
        "parent_id": parent["id"] if parent else None,
        "code": f"{330212000000 + number}",
        "name": name,
        "level": level,
        "kind": kind,
        "path": f"{parent['path'] if parent else '/'}{number}/",
        "aliases": [],
    }


def _case(number: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    grid = rows[number % len(rows)]
    return {
        "what": "路灯坏了",
        "spot": "",
        "category": "1601",
        "grade": "general",
        "filed_as": "appeal",
        "privacy": "open",
        "grid_id": grid["id"],
        "opened_in": grid["path"],
        "reporter_id": number + 1,
        "filed_by_id": number + 1,
        "state": State.CLOSED_SOLVED,
        "step": 0,
        "returns": 0,
        "extensions": 0,
        "round": 1,
        "promise": {},
        "supervised": False,
        "opened_at": NOW,
        "changed_at": NOW,
        "due_certain": True,
        "version": 0,
    }


def _table(kind: Any) -> Any:
    return kind.__table__


def _fill(session: Writing, kind: Any, rows: Iterator[dict[str, Any]]) -> None:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == 20_000:
            session.execute(insert(_table(kind)), chunk)
            chunk = []
    if chunk:
        session.execute(insert(_table(kind)), chunk)
