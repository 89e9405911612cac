"""Finishes what a stopped program left: its letters, once their leases have run out."""

import asyncio
from datetime import timedelta
from pathlib import Path

from app.trial import TrialChannel
from bot.lane import Lane
from bot.postman import Postman
from handbook import open_book
from handlers.work import Desk
from models.database import open_database
from scheduler.clock import SettableClock, SystemClock
from tests.crash.serving import PLACE


def finish(url: str, sendings: Path, *, later: timedelta) -> int:
    """Send everything that is still promised. Returns how many letters that were.

    Args:
        url: the database; no program works on it any more.
        sendings: the trial's file, to be continued.
        later: by how much time has passed, so that a killed process's letters are free.
    """
    database = open_database(url)
    clock = SettableClock(SystemClock().now() + later)
    lane = Lane(Desk(database, open_book(PLACE), clock.now))
    channel = TrialChannel(sendings)
    lane.start()
    try:
        postman = Postman(lane, open_book(PLACE), {channel.name: channel}, clock.now)
        return asyncio.run(postman.drain())
    finally:
        lane.stop()
        asyncio.run(channel.stop())
        database.close()
