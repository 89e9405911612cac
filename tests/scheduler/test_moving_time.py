"""A clock that is moved on: cases climb rung by rung, as if the time had passed by itself."""

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.channels.memory import MemoryChannel
from bot.message import Inbound
from bot.postman import Postman
from handbook import open_book
from models import Incident, IncidentEvent, Move
from tests.scheduler.ticking import Station, station
from tests.town import BUTTONS

BOOK = open_book("default")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=BOOK.zone)


def file_a_case(there: Station, words: str = "3栋楼下路灯坏了,没有人修") -> None:
    """A resident reports something; nobody will ever answer."""
    resident = BOOK.town.residents[0].name
    inbound = Inbound(channel="memory", message_id="1", chat=resident, handle=resident, text=words)

    async def say() -> None:
        await there.lane.accept([inbound])
        while there.lane.waiting:
            await there.lane.run(lambda _: None)

    asyncio.run(say())


def events(there: Station, *moves: Move) -> list[IncidentEvent]:
    """The log, or certain moves of it."""
    with Session(there.database.reader, expire_on_commit=False) as session:
        found = session.execute(select(IncidentEvent).order_by(col(IncidentEvent.id))).scalars()
        return [event for event in found if not moves or event.move in moves]


def case(there: Station) -> Incident:
    """The only case there is."""
    with Session(there.database.reader, expire_on_commit=False) as session:
        found: Incident = session.execute(select(Incident)).scalar_one()
        return found


def test_a_leap_leads_where_the_minutes_would_have_led(sqlite_url: str, tmp_path: Path) -> None:
    copy = tmp_path / "lived.db"
    shutil.copy(sqlite_url.removeprefix("sqlite:///"), copy)
    end = MONDAY + timedelta(hours=3)
    with station(sqlite_url, MONDAY) as leaping, station(f"sqlite:///{copy}", MONDAY) as living:
        for there in (leaping, living):
            file_a_case(there, "3栋着火了")
        asyncio.run(leaping.runner.catch_up(end))
        while living.clock.now() < end:
            living.clock.move(timedelta(minutes=1))
            living.run_due()

        assert leaping.clock.now() == living.clock.now() == end
        assert [told(event) for event in events(leaping)] == [told(event) for event in events(living)]
        assert events(living, Move.CLIMB)
        assert case(leaping).owner_id == case(living).owner_id
        assert case(leaping).next_due == case(living).next_due


def told(event: IncidentEvent) -> tuple[str, ...]:
    """What an event says."""
    return event.at.isoformat(), event.move, str(event.before), event.after


def test_each_rung_is_climbed_at_its_own_time(migrated_url: str) -> None:
    with station(migrated_url, MONDAY) as there:
        file_a_case(there)
        asyncio.run(there.runner.catch_up(MONDAY + timedelta(days=20)))
        climbs = [event.at for event in events(there, Move.CLIMB)]
        followed = case(there)

    assert len(climbs) == len(BOOK.grade(followed.grade).ladder) - 1
    assert climbs == sorted(climbs)
    assert len(set(climbs)) == len(climbs)
    assert all(MONDAY < moment < MONDAY + timedelta(days=20) for moment in climbs)
    assert followed.next_due is not None
    assert followed.next_due > MONDAY + timedelta(days=20)


def test_what_is_promised_on_the_way_is_sent_while_it_holds(sqlite_url: str) -> None:
    channel = MemoryChannel(can=BUTTONS)
    with station(sqlite_url, MONDAY) as there:
        file_a_case(there)
        postman = Postman(there.lane, BOOK, {"memory": channel}, there.clock.now)
        asyncio.run(postman.drain())
        asyncio.run(there.runner.catch_up(MONDAY + timedelta(days=9), between=postman.drain))
        owners = [event.data["to"] for event in events(there, Move.CLIMB)]
        with Session(there.database.reader) as session:
            names = [there.desk.tree(session).staff[owner].name for owner in owners]

    assert len(names) >= 2
    assert all(any("已上报到您这里" in words for words in channel.words(name)) for name in names)


def test_a_case_that_cannot_be_followed_does_not_stop_time(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with station(sqlite_url, MONDAY) as there:
        file_a_case(there)
        with there.desk.session() as session:
            session.execute(select(Incident)).scalar_one().promise = {"broken": True}
        asyncio.run(there.runner.catch_up(MONDAY + timedelta(days=3)))

        assert there.clock.now() == MONDAY + timedelta(days=3)
        assert case(there).next_due is not None
        assert "case could not be followed" in caplog.text
