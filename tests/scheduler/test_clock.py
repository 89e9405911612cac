"""The clock: aware, and never going back."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scheduler.clock import SettableClock, SystemClock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_the_machines_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    first, second = clock.now(), clock.now()

    assert first.utcoffset() == timedelta(0)
    assert second >= first


def test_a_standing_clock_shows_what_it_was_set_to() -> None:
    clock = SettableClock(NOON, running=False)

    assert clock.now() == clock.now() == NOON
    assert clock.move(timedelta(hours=25)) == clock.now() == NOON + timedelta(hours=25)
    assert clock.set(NOON + timedelta(days=3)) == clock.now() == NOON + timedelta(days=3)


def test_a_running_clock_goes_on_from_where_it_was_put() -> None:
    clock = SettableClock(NOON)
    clock.move(timedelta(days=1))
    first = clock.now()
    while clock.now() == first:
        threading.Event().wait(0.001)

    assert NOON + timedelta(days=1) <= first < clock.now() < NOON + timedelta(days=1, minutes=1)


@pytest.mark.parametrize("running", [True, False])
def test_it_never_goes_back(running: bool) -> None:
    clock = SettableClock(NOON, running=running)
    with pytest.raises(ValueError, match="does not go back"):
        clock.move(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="does not go back"):
        clock.set(NOON - timedelta(microseconds=1))

    assert clock.reach(NOON - timedelta(days=1)) >= NOON
    assert clock.reach(NOON + timedelta(days=1)) == NOON + timedelta(days=1)


def test_another_zones_moment_is_shown_as_utc() -> None:
    shanghai = timezone(timedelta(hours=8))
    clock = SettableClock(datetime(2026, 11, 23, 20, 0, tzinfo=shanghai), running=False)

    assert clock.now() == NOON
    assert clock.now().utcoffset() == timedelta(0)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        SettableClock(datetime(2026, 11, 23))  # noqa: DTZ001 - that is what is refused


def test_hands_moved_by_many_threads_add_up() -> None:
    clock = SettableClock(NOON, running=False)
    threads = [
        threading.Thread(target=lambda: [clock.move(timedelta(minutes=1)) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clock.now() == NOON + timedelta(minutes=200)
