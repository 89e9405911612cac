"""The whole program at a played 微信客服: greeted, answered, kept when it is shut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn

from app.build import Program, build
from app.registry import found
from bot.channels.wecom_kf_server import WeComKfServer
from models import Attachment, Inbox, Incident, Lease, MailState, Outbox, PlatformCursor
from scheduler.clock import SystemClock
from tests.app.test_build import REPORT, rows, run, settings, soon
from tests.channels.pictures import picture
from web.app import make_app

RESIDENT = "wmLinXiuYing0000000000000000001"


def at_kf(server: WeComKfServer) -> dict[str, str]:
    """Settings that make the stand-in the far end."""
    return {
        "WECOM_CORP_ID": server.corp_id,
        "WECOM_KF_ID": server.kf_id,
        "WECOM_KF_SECRET": server.secret,
        "WECOM_KF_TOKEN": server.callback_token,
        "WECOM_KF_KEY": server.callback_key,
        "WECOM_BASE_URL": server.base_url,
    }


@asynccontextmanager
async def serving(url: str, folder: Path, server: WeComKfServer) -> AsyncIterator[Program]:
    """The program, its door open on this machine, and known to the stand-in."""
    program = build(settings(url, folder, **at_kf(server)))
    found(program.desk, "memory")
    await program.start()
    config = uvicorn.Config(
        make_app(program.parts()), host="127.0.0.1", port=0, log_config=None, lifespan="off"
    )
    door = uvicorn.Server(config)
    task = asyncio.create_task(door.serve())
    await soon(lambda: door.started or task.done())
    port = door.servers[0].sockets[0].getsockname()[1]
    await server.connect(f"http://127.0.0.1:{port}/hooks/wecom_kf")
    try:
        yield program
    finally:
        door.should_exit = True
        await task
        await program.stop()


def told(server: WeComKfServer, words: str) -> int:
    return sum(words in heard for heard in server.heard(RESIDENT))


def waiting(program: Program) -> list[str]:
    return [mail.outcome or "" for mail in rows(program, Outbox) if mail.state is MailState.WAITING]


def test_greeted_reported_and_kept_for_the_next_word_over_a_restart(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with WeComKfServer(now=SystemClock().now) as server:
            async with serving(sqlite_url, tmp_path, server) as program:
                await server.enter(RESIDENT)
                await soon(lambda: server.heard(RESIDENT))
                await server.say(RESIDENT, REPORT)
                await soon(lambda: told(server, "已登记"))
                await server.send_photo(RESIDENT, picture())
                await soon(lambda: any(one.key.startswith("media:") for one in rows(program, Attachment)))
                server.customers[RESIDENT].told = 5
                server.silent = True
                await server.say(RESIDENT, "进度")
                server.customers[RESIDENT].wrote_at = None  # two days pass while the program stands still
            async with serving(sqlite_url, tmp_path, server) as program:
                await soon(lambda: any(why.startswith("closed") for why in waiting(program)))
                server.silent = False
                before = len(server.heard(RESIDENT))
                await server.say(RESIDENT, "帮助")
                await soon(lambda: len(server.heard(RESIDENT)) >= before + 2)
                assert waiting(program) == []
                assert told(server, "已登记") == 1
                (cursor,) = rows(program, PlatformCursor)
                assert cursor.value == f"cursor-{len(server.entries)}"
                assert len(rows(program, Incident)) == 1
                assert rows(program, Lease) == []

    run(story())


def test_two_processes_pull_and_everything_is_heard_once(migrated_postgres_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with WeComKfServer(now=SystemClock().now) as server, AsyncExitStack() as stack:
            programs = [
                await stack.enter_async_context(serving(migrated_postgres_url, tmp_path, server))
                for _ in range(2)
            ]
            for number in range(12):
                await server.say(f"{RESIDENT}{number % 3}", f"帮助{'！' * number}")
            await soon(lambda: len(rows(programs[0], Inbox)) == 12)
            await soon(lambda: waiting(programs[0]) == [])
            heard = [one.message_id for one in rows(programs[0], Inbox)]
            assert len(set(heard)) == 12
            assert len(rows(programs[0], PlatformCursor)) == 1

    run(story())
