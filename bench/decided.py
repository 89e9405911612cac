"""Messages a second through the whole door: kept, known again, understood, filed, promised, committed."""

import asyncio
import sys
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter, process_time

from sqlalchemy import func, select
from sqlmodel import col

from bench.apart import Result, answer
from bench.databases import database, use_throwaway_keys
from bench.people import CHANNEL, PLACE, Resident, reports, settle
from bot.lane import Lane
from bot.message import Inbound
from handbook import open_book
from handlers.work import Desk
from models import Inbox, InboxState, Incident, Outbox
from models.database import Database, open_database

AT_ONCE = 32
"""Messages on their way at a time: as many as there are connections in the other figures."""
WRITERS = 4


def measure(kind: str, messages: int) -> Result:
    """Let residents report, and wait until everything is decided."""
    use_throwaway_keys()
    with database(kind) as url:
        writers = 1 if kind == "sqlite" else WRITERS
        opened = open_database(url, writers=writers)
        try:
            return _measured(opened, messages, writers)
        finally:
            opened.close()


def _measured(opened: Database, messages: int, writers: int) -> Result:
    desk = Desk(opened, open_book(PLACE), lambda: datetime.now(UTC))
    residents = settle(desk, 2000)
    lane = Lane(desk, writers=writers)
    lane.start()
    asyncio.run(
        _report(lane, residents, 200)
    )  # caches are filled and statements compiled, as in the long run
    before = _counts(desk)
    began, cpu = perf_counter(), process_time()
    asyncio.run(_report(lane, residents, messages, 200))
    seconds, cpu = perf_counter() - began, process_time() - cpu
    lane.stop()
    after = _counts(desk)
    found = {name: after[name] - before[name] for name in after}
    return {**found, "per_second": found["done"] / seconds, "cpu_us": cpu / messages * 1e6}


async def _report(lane: Lane, residents: list[Resident], messages: int, skip: int = 0) -> None:
    coming = islice(reports(residents), skip, skip + messages)

    async def one_after_the_other() -> None:
        for message_id, resident, words in coming:
            await lane.accept([_inbound(message_id, resident, words)])

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    await lane.run(lambda _: None)
    while lane.waiting:
        await lane.run(lambda _: None)


def _inbound(message_id: str, resident: Resident, words: str) -> Inbound:
    handle = resident.handle
    return Inbound(
        channel=CHANNEL, message_id=message_id, chat=handle, handle=handle, sender_name=handle, text=words
    )


def _counts(desk: Desk) -> dict[str, int]:
    with desk.session() as session:
        rows = session.execute(select(col(Inbox.state), func.count()).group_by(col(Inbox.state)))
        states = dict(rows.tuples().all())
        return {
            "done": states.get(InboxState.DONE, 0),
            "not_done": sum(number for state, number in states.items() if state is not InboxState.DONE),
            "cases": session.execute(select(func.count()).select_from(Incident)).scalar_one(),
            "letters": session.execute(select(func.count()).select_from(Outbox)).scalar_one(),
        }


if __name__ == "__main__":
    answer(measure(sys.argv[1], int(sys.argv[2])))
