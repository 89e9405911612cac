"""Processes wake together and one is killed over it: each slot runs once, and none is lost."""

import random
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta

from handbook import open_book
from handlers.schedule import latest_due, slot_at
from tests.scheduler.living import JOBS
from tests.scheduler.ticking import station

BOOK = open_book("default")
START = datetime(2026, 11, 23, 8, 0, tzinfo=BOOK.zone)
MINUTES = 20
TOGETHER = 3
KILLS = 1


def living(stack: ExitStack, url: str, since: int) -> "subprocess.Popen[str]":
    """A process that lives through the rest of the minutes."""
    begin = START + timedelta(minutes=since)
    command = [sys.executable, "-m", "tests.scheduler.living", url, begin.isoformat(), str(MINUTES - since)]
    return stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))


def hear(process: "subprocess.Popen[str]", minutes: int) -> int:
    """Listen until a process has lived through so many minutes. Returns how many it has."""
    assert process.stdout is not None
    heard = 0
    for line in process.stdout:
        heard = int(line) + 1
        if heard >= minutes:
            break
    return heard


def slots() -> set[str]:
    """Every slot that begins or lasts in these minutes."""
    found = set()
    for name in JOBS:
        job = BOOK.schedule[name]
        for minute in range(MINUTES):
            due = latest_due(job, BOOK, START + timedelta(minutes=minute))
            assert due is not None
            found.add(f"{name}@{slot_at(job, BOOK, due)}")
    return found


def test_processes_that_are_killed_lose_no_slot_and_repeat_none(migrated_url: str) -> None:
    moments = random.Random(7)
    with station(migrated_url, START, []):
        pass
    with ExitStack() as stack:
        processes = [living(stack, migrated_url, 0) for _ in range(TOGETHER)]
        lived = 0
        for kill in range(KILLS):
            victim = processes[kill]
            lived = max(lived, hear(victim, moments.randint(1, MINUTES // 2)))
            victim.kill()
            victim.wait()
            if kill < KILLS - 1:
                processes.append(living(stack, migrated_url, 0))
        ended = [process.wait() for process in processes[KILLS:]]
    with station(migrated_url, START, []) as there:
        ticks, ledger = there.ticks(), there.ledger()

    assert ended == [0] * len(ended)
    assert lived > 0
    assert dict(ticks) == dict.fromkeys(slots(), 1)
    assert len(ledger) == len(ticks)
