"""The program put together: it starts, listens, answers, fetches, moves its clock, and stops."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel

from app.build import Program, build
from app.registry import found
from app.settings import Settings, read_settings
from bot.channels.memory import MemoryChannel
from bot.channels.telegram_server import TelegramServer
from bot.message import Inbound
from models import Attachment, Inbox, InboxState, Incident, IncidentEvent, JobRun, MailState, Move, Outbox
from scheduler.clock import SettableClock, SystemClock
from tests.channels.pictures import picture
from tests.keys import ENVIRONMENT
from tests.town import BUTTONS

Row = TypeVar("Row", bound=SQLModel)

WANG = 6100001
REPORT = "幸福社区第一网格2栋的路灯坏了"
PATIENCE = 30.0


def settings(url: str, folder: Path, **more: str) -> Settings:
    """A program of the default place."""
    values = {"DATABASE_URL": url, "PLACE": "default", "MEDIA": str(folder / "media"), **more}
    return read_settings(ENVIRONMENT | {f"XIAOGE_{name}": value for name, value in values.items()})


def at_telegram(server: TelegramServer) -> dict[str, str]:
    """Settings that make the stand-in the far end."""
    base = server.base_url.removesuffix("/bot")
    return {"TELEGRAM_TOKEN": server.token, "TELEGRAM_BASE_URL": base}


def rows(program: Program, table: type[Row]) -> list[Row]:
    """Everything in a table."""
    with Session(program.database.reader, expire_on_commit=False) as session:
        return list(session.execute(select(table)).scalars())


async def soon(true: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


def run(story: Awaitable[None]) -> None:
    """Run an async story; one that hangs fails."""

    async def told() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await story

    asyncio.run(told())


def test_telegram_is_polled_answered_and_its_photo_fetched(migrated_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with TelegramServer() as server:
            program = build(settings(migrated_url, tmp_path, **at_telegram(server)))
            found(program.desk)
            await program.start()
            server.send_photo(WANG, picture(), REPORT)
            await soon(lambda: any("已登记" in said.text for said in server.sent if said.chat == WANG))
            await soon(lambda: all(one.key.startswith("media:") for one in rows(program, Attachment)))
            server.updates.put("message", {"text": "nobody can read this"})
            await soon(lambda: len(rows(program, Inbox)) == 2)
            (photo,) = rows(program, Attachment)
            letters = {letter.state for letter in rows(program, Inbox)}
            invitation = program.desk.links.joining("b1")
            await program.stop()

        assert program.media.read(photo.key).startswith(b"\xff\xd8\xff")
        assert letters == {InboxState.DONE, InboxState.DEAD}
        assert invitation[0] == f"https://t.me/{server.username}?start=b1"
        assert invitation[1].endswith("/join?c=b1")

    run(story())


def test_what_an_earlier_process_left_is_decided_and_sent_at_the_start(
    migrated_url: str, tmp_path: Path
) -> None:
    channel = MemoryChannel(can=BUTTONS)

    async def leave() -> None:
        program = build(settings(migrated_url, tmp_path), channel=channel)
        found(program.desk, "memory")
        program.lane.start()
        message = Inbound(channel="memory", message_id="1", chat="王芳", handle="王芳", text=REPORT)
        await program.lane.accept([message])
        await program.stop_writing()

    async def take_over() -> None:
        program = build(settings(migrated_url, tmp_path), channel=channel)
        await program.start()
        await soon(lambda: channel.words("王芳"))
        await program.stop()

    run(leave())
    run(take_over())

    assert "已登记" in channel.words("王芳")[0]


def test_on_sqlite_letters_of_a_dead_process_need_not_wait(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        channel = MemoryChannel(can=BUTTONS)
        program = build(settings(sqlite_url, tmp_path), channel=channel)
        found(program.desk, "memory")
        now = program.clock.now()
        with program.desk.work() as work:
            work.tell(1, "menu.help", key="left")
        with Session(program.database.writer) as session:
            letter = session.execute(select(Outbox)).scalar_one()
            letter.state, letter.lease_until = MailState.CLAIMED, now + timedelta(seconds=30)
            session.commit()
        await program.start()
        await soon(lambda: rows(program, Outbox)[0].state == MailState.SENT)
        took = program.clock.now() - now
        await program.stop()

        assert took < timedelta(seconds=20)

    run(story())


def test_the_demos_clock_is_moved_and_stays_moved_over_a_restart(sqlite_url: str, tmp_path: Path) -> None:
    channel = MemoryChannel(can=BUTTONS)

    async def story() -> None:
        program = build(settings(sqlite_url, tmp_path), demo=True, channel=channel)
        found(program.desk, "memory")
        await program.start()
        parts = program.parts()
        assert parts.advance is not None
        assert parts.next_due is not None
        message = Inbound(channel="memory", message_id="1", chat="王芳", handle="王芳", text=REPORT)
        await program.lane.accept([message])
        await soon(lambda: rows(program, Incident))
        (case,) = rows(program, Incident)
        assert await parts.next_due() == case.next_due
        first = await parts.advance(None)
        assert case.next_due is not None
        assert case.next_due <= first < case.next_due + timedelta(minutes=1)
        second = await parts.advance(40 * 24 * 60)
        assert second - first >= timedelta(days=40)
        with pytest.raises(ValueError, match="does not go back"):
            await parts.advance(-5)
        climbs = [event for event in rows(program, IncidentEvent) if event.move == Move.CLIMB]
        assert len(climbs) >= 2
        await program.stop()

        again = build(settings(sqlite_url, tmp_path), demo=True, channel=channel)
        assert again.clock.now() >= second - timedelta(minutes=1)
        assert again.clock.now() >= max(event.at for event in rows(again, IncidentEvent))
        again.database.close()

    run(story())


def a_message(at: datetime) -> Inbox:
    """One that came in at a moment."""
    return Inbox(channel="memory", message_id=f"{at}", chat_key="c", body={}, received_at=at)


def a_letter(at: datetime) -> Outbox:
    """One that was promised at a moment."""
    return Outbox(key=f"{at}", recipient="c", text="menu.help", args={}, choices=[], at=at, not_before=at)


def a_run(at: datetime) -> JobRun:
    """One of a job at a moment."""
    return JobRun(job="follow_due", slot=f"{at}", at=at, process="p")


@pytest.mark.parametrize("make", [a_message, a_letter, a_run])
def test_killed_while_its_clock_moves_the_demo_starts_at_the_latest_moment_known(
    sqlite_url: str, tmp_path: Path, make: Callable[[datetime], SQLModel]
) -> None:
    program = build(settings(sqlite_url, tmp_path), demo=True)
    moved = program.clock.now() + timedelta(days=3)
    with Session(program.database.writer) as session:
        session.add_all(make(moment) for moment in (moved, moved - timedelta(days=1)))
        session.commit()
    program.database.close()

    again = build(settings(sqlite_url, tmp_path), demo=True)
    assert again.clock.now() >= moved
    again.database.close()


def test_in_earnest_no_clock_is_moved(sqlite_url: str, tmp_path: Path) -> None:
    program = build(settings(sqlite_url, tmp_path))
    parts = program.parts()
    program.database.close()

    assert isinstance(program.clock, SystemClock)
    assert not isinstance(program.clock, SettableClock)
    assert parts.advance is None
    assert parts.next_due is None
    assert not parts.demo
    assert list(program.channels) == ["webchat", "dingtalk_robot", "wecom_robot"]


def test_the_channels_are_those_of_the_settings(sqlite_url: str, tmp_path: Path) -> None:
    more = {"TELEGRAM_TOKEN": "123456:fictional", "TEST_HOOK": str(tmp_path / "sent.jsonl"), "SECURE": "yes"}
    program = build(settings(sqlite_url, tmp_path, **more))
    parts = program.parts()
    program.database.close()

    assert list(parts.channels) == ["webchat", "telegram", "dingtalk_robot", "wecom_robot", "memory"]
    assert parts.secure
