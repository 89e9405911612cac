"""The heartbeat: somebody outside hears that all is well, and hears nothing when something stands still."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from app.heartbeat import Heartbeat
from bot.channels.loopback import Call, LoopbackServer, Reply
from handlers.work import Desk
from models import Incident
from tests.channels.stages import run
from tests.scheduler.test_moving_time import file_a_case
from tests.scheduler.test_watching import CALM, send_all
from tests.scheduler.ticking import Station, station


@pytest.fixture
def there(sqlite_url: str) -> Iterator[Station]:
    """A town in which nothing is wrong, with one case."""
    with station(sqlite_url, CALM) as one:
        file_a_case(one)
        one.run_due()
        send_all(one)
        yield one


def beats(there: Station, status: int = 200) -> tuple[bool, list[str]]:
    """Beat once at a monitor that answers with this status: whether it was heard, and what was asked for."""
    asked: list[str] = []

    async def monitor(call: Call) -> Reply:
        asked.append(call.path)
        return Reply(status)

    async def story() -> bool:
        async with LoopbackServer(monitor) as server, httpx.AsyncClient() as client:
            return await Heartbeat(there.lane, there.desk, f"{server.url}/ping/1").beat(client)

    return run(story()), asked


def test_it_beats_while_all_is_well(there: Station) -> None:
    assert beats(there) == (True, ["/ping/1"])


def test_a_case_nobody_looks_at_stops_it(there: Station) -> None:
    with there.desk.session() as session:
        session.execute(update(Incident).values(next_due=there.clock.now() - timedelta(hours=2)))

    assert beats(there) == (False, [])


def test_a_writer_that_has_ended_stops_it(there: Station) -> None:
    there.lane.stop()

    assert beats(there) == (False, [])


def test_a_monitor_that_cannot_be_reached_is_no_trouble_of_ours(there: Station) -> None:
    assert beats(there, status=500) == (False, ["/ping/1"])


def test_without_an_address_nothing_beats(there: Station) -> None:
    desk: Desk = there.desk

    asyncio.run(asyncio.wait_for(Heartbeat(there.lane, desk, "").run(), 5))
