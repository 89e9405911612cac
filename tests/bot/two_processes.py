"""Two processes of one place, as far as the database can tell: each with a lane of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bot.lane import Lane
from handbook import open_book
from handlers.work import Desk
from models.database import open_database
from tests.channels.wecom_stage import Clock


@asynccontextmanager
async def lanes(url: str, clock: Clock, count: int = 2) -> AsyncIterator[list[Lane]]:
    """As many lanes on one database, all by one clock."""

    def now() -> datetime:
        return clock.now

    databases = [open_database(url) for _ in range(count)]
    found = [Lane(Desk(database, open_book("default"), now)) for database in databases]
    for lane in found:
        lane.start()
    try:
        yield found
    finally:
        for lane, database in zip(found, databases, strict=True):
            await asyncio.to_thread(lane.stop)
            database.close()
