"""The runner: each slot once, whoever wakes and however late; on both databases."""

import asyncio
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import chain

import pytest

from handbook import open_book
from scheduler.runner import KEPT
from tests.scheduler.ticking import Station, station, ticking

pytestmark = pytest.mark.long


ZONE = open_book("default").zone
MONDAY = datetime(2026, 11, 23, 10, 0, 30, tzinfo=ZONE)


def at(text: str) -> datetime:
    """A moment by the place's own clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def test_four_runners_fire_each_slot_once(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = ticking(monkeypatch, "due_cases", "watch", "day_card")
    moments = [MONDAY + timedelta(minutes=n) for n in range(12)]
    with ExitStack() as stack:
        stations = [stack.enter_context(station(migrated_url, MONDAY, jobs)) for _ in range(4)]

        async def all_wake(now: datetime) -> list[list[str]]:
            return list(await asyncio.gather(*(one.runner.run_due(now) for one in stations)))

        woken = [asyncio.run(all_wake(now)) for now in moments]
        ticks, ledger = stations[0].ticks(), stations[0].ledger()

    assert set(ticks.values()) == {1}
    assert len(ticks) == len(ledger) == 12 + 3 + 1
    assert [sorted(chain(*names)) for names in woken[:2]] == [
        ["day_card", "due_cases", "watch"],
        ["due_cases"],
    ]


def test_a_late_waking_runs_only_the_last_missed_slot(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ticking(monkeypatch, "due_cases", "zero_board")
    with station(migrated_url, MONDAY, jobs) as there:
        there.run_due(at("2026-11-23 17:12:00"))
        there.run_due(at("2026-11-26 09:00:20"))
        ticks = there.ticks()

    assert sorted(ticks) == [
        "due_cases@2026-11-23T09:12Z",
        "due_cases@2026-11-26T01:00Z",
        "zero_board@2026-11-23",
        "zero_board@2026-11-25",
    ]


def test_a_process_that_was_down_over_a_due_time_does_it_when_it_is_back(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ticking(monkeypatch, "day_card")
    with station(migrated_url, MONDAY, jobs) as there:
        there.run_due(at("2026-11-24 08:06:59"))
    with station(migrated_url, MONDAY, jobs) as there:
        there.run_due(at("2026-11-24 08:30:00"))
    with station(migrated_url, MONDAY, jobs) as there:
        there.run_due(at("2026-11-24 08:31:00"))
        ticks = there.ticks()

    assert ticks == {"day_card@2026-11-23": 1, "day_card@2026-11-24": 1}


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("2026-02-27 09:00", "2026-03-02 09:00", ["2026-02-27", "2026-02-28", "2026-03-02"]),  # 28 is worked
        ("2026-09-30 09:00", "2026-10-10 09:00", ["2026-09-30", "2026-10-08", "2026-10-09", "2026-10-10"]),
        ("2028-02-28 09:00", "2028-03-01 09:00", ["2028-02-28", "2028-02-29", "2028-03-01"]),
    ],
)
def test_month_ends_and_holidays(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, since: str, until: str, days: list[str]
) -> None:
    jobs = ticking(monkeypatch, "day_card")
    with station(sqlite_url, MONDAY, jobs) as there:
        now = at(since)
        while now <= at(until):
            there.run_due(now)
            now += timedelta(hours=4)
        ticks = there.ticks()

    assert ticks == {f"day_card@{day}": 1 for day in days}


def test_a_clock_moved_on_by_an_hour_runs_what_was_skipped_once(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ticking(monkeypatch, "watch", "zero_board")
    with station(migrated_url, at("2026-11-23 16:30:00"), jobs) as there:
        there.run_due()
        there.clock.move(timedelta(hours=1))
        there.run_due()
        there.run_due()
        ticks = there.ticks()

    assert ticks == {
        "watch@2026-11-23T08:30Z": 1,
        "watch@2026-11-23T09:30Z": 1,
        "zero_board@2026-11-22": 1,
        "zero_board@2026-11-23": 1,
    }


def test_a_clock_moved_back_by_an_hour_repeats_nothing_that_is_the_same_slot(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ticking(monkeypatch, "zero_board")
    with station(sqlite_url, MONDAY, jobs) as there:
        for moment in ("2026-11-23 17:20", "2026-11-23 16:20", "2026-11-23 17:20"):
            there.run_due(at(moment))
        ticks = there.ticks()

    assert ticks == {"zero_board@2026-11-23": 1, "zero_board@2026-11-22": 1}


def test_a_failing_job_leaves_nothing_stops_no_other_and_is_tried_again(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ticking(monkeypatch, "due_cases", "day_card", "watch", failing=["day_card"])
    mended = ticking(monkeypatch, "due_cases", "day_card", "watch")
    with station(migrated_url, MONDAY, broken) as there:
        ran = there.run_due()
        after = there.ticks()
    with station(migrated_url, MONDAY, mended) as there:
        ran_next = there.run_due(MONDAY + timedelta(minutes=1))
        ticks = there.ticks()

    assert ran == ["due_cases", "watch"]
    assert "day_card@2026-11-23" not in after
    assert ran_next == ["due_cases", "day_card"]
    assert ticks["day_card@2026-11-23"] == 1


def test_old_slots_leave_the_ledger(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = ticking(monkeypatch, "zero_board")
    evening = at("2026-11-23 18:00")
    with station(sqlite_url, MONDAY, jobs) as there:
        there.run_due(evening)
        there.run_due(evening + KEPT)
        kept = there.ledger()
        there.run_due(evening + KEPT + timedelta(days=1))

        assert kept == {("zero_board", "2026-11-23"), ("zero_board", "2027-01-22")}
        assert there.ledger() == {("zero_board", "2027-01-22"), ("zero_board", "2027-01-23")}


def test_it_wakes_by_itself_as_soon_as_it_is_started(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ticking(monkeypatch, "due_cases")

    async def live(there: Station) -> datetime | None:
        await there.runner.start()
        planned = there.runner.next_waking
        await there.runner.stop()
        return planned

    with station(sqlite_url, MONDAY, jobs) as there:
        planned = asyncio.run(live(there))

        assert there.ticks() == {"due_cases@2026-11-23T02:00Z": 1}
        assert planned is not None
        assert planned.second == 0
        assert there.runner.next_waking is None
