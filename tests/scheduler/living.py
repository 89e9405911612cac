"""A process that lives through some minutes: `python -m tests.scheduler.living URL START MINUTES`."""

import sys
from datetime import datetime, timedelta
from typing import Any

from handlers.command import HANDLERS
from tests.keys import use_test_keys
from tests.scheduler.ticking import Tick, job_that_ticks, station, tick

JOBS = ("due_cases", "watch", "day_card", "zero_board")


def live(url: str, start: datetime, minutes: int) -> None:
    """Wake at each of the minutes, and say so."""
    handlers: dict[Any, Any] = HANDLERS
    handlers[Tick] = tick
    with station(url, start, [job_that_ticks(name) for name in JOBS]) as there:
        for minute in range(minutes):
            there.run_due(start + timedelta(minutes=minute))
            print(minute, flush=True)  # noqa: T201 - whoever started it listens


if __name__ == "__main__":
    use_test_keys()
    live(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))
