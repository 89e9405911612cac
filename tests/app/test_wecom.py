"""The whole program at a played WeCom: a lamp from the report to the rating, with a restart between."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import uvicorn
from sqlalchemy import select, update
from sqlmodel import Session, col

from app.build import Program, build
from app.registry import found
from bot.channels.wecom_delivery import xml_of
from bot.channels.wecom_server import WeComServer
from models import Account, Attachment, Inbox, Incident, Outbox
from scheduler.clock import SystemClock
from tests.app.test_build import PATIENCE, REPORT, rows, run, settings, soon
from tests.channels.pictures import picture
from web.app import make_app

RESIDENT = "LinXiuYing"


def now() -> datetime:
    return SystemClock().now()


def at_wecom(server: WeComServer) -> dict[str, str]:
    """Settings that make the stand-in the far end."""
    return {
        "WECOM_CORP_ID": server.corp_id,
        "WECOM_AGENT_ID": str(server.agent_id),
        "WECOM_SECRET": server.secret,
        "WECOM_CALLBACK_TOKEN": server.callback_token,
        "WECOM_CALLBACK_KEY": server.callback_key,
        "WECOM_BASE_URL": server.base_url,
    }


@asynccontextmanager
async def serving(url: str, folder: Path, server: WeComServer) -> AsyncIterator[Program]:
    """The program, its door open on this machine, and known to the stand-in."""
    program = build(settings(url, folder, **at_wecom(server)))
    if found(program.desk, "wecom"):
        move(program, server)
    await program.start()
    config = uvicorn.Config(
        make_app(program.parts()), host="127.0.0.1", port=0, log_config=None, lifespan="off"
    )
    door = uvicorn.Server(config)
    task = asyncio.create_task(door.serve())
    await soon(lambda: door.started or task.done())
    port = door.servers[0].sockets[0].getsockname()[1]
    await server.connect(f"http://127.0.0.1:{port}/hooks/wecom")
    try:
        yield program
    finally:
        door.should_exit = True
        await task
        await program.stop()


def move(program: Program, server: WeComServer) -> None:
    """Give the founded people accounts of a form that WeCom has."""
    with program.desk.work() as work:
        for number in work.session.execute(select(col(Account.id)).order_by(col(Account.id))).scalars():
            handle = f"member{number}"
            server.meet(handle)
            one = update(Account).where(col(Account.id) == number)
            work.session.execute(one.values(handle=handle, chat=handle))


def handle_of(program: Program, person: int | None) -> str:
    with Session(program.database.reader) as session:
        query = select(col(Account.handle)).where(col(Account.person_id) == person)
        return str(session.execute(query).scalars().one())


def told(server: WeComServer, user: str, words: str) -> bool:
    return any(words in heard for heard in server.plugin_heard(user))


def test_a_lamp_from_the_report_to_the_rating_over_a_restart(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with WeComServer(now=now) as server:
            async with serving(sqlite_url, tmp_path, server) as program:
                await server.enter(RESIDENT)
                await server.say(RESIDENT, REPORT)
                await soon(lambda: told(server, RESIDENT, "已登记"))
                await server.send_photo(RESIDENT, picture())
                await server.send_location(RESIDENT, 26.15, 119.13, "幸福社区2栋")
                await soon(lambda: any(one.key.startswith("media:") for one in rows(program, Attachment)))
                (case,) = rows(program, Incident)
                worker = handle_of(program, case.owner_id)
                await soon(lambda: told(server, worker, "接单"))
            async with serving(sqlite_url, tmp_path, server) as program:
                await server.enter(RESIDENT)
                await server.say(worker, "接单")
                await soon(lambda: told(server, RESIDENT, "已接单"))
                await server.send_photo(worker, picture("PNG"))
                await server.say(worker, "办结 已更换灯泡")
                await soon(lambda: told(server, RESIDENT, "解决了吗"))
                await server.say(RESIDENT, "1")
                await soon(lambda: told(server, RESIDENT, "已结案"))
                await server.say(RESIDENT, "1")
                await soon(lambda: told(server, RESIDENT, "谢谢您的评价"))
                assert all(delivery.taken for delivery in server.courier.deliveries)
                assert {body for one in server.courier.deliveries for body in one.bodies} == {""}
                assert len(rows(program, Incident)) == 1
                welcomes = [one for one in rows(program, Inbox) if one.message_id.startswith("welcome:")]
                assert len(welcomes) == 1
            assert server.dropped == []

    run(story())


def test_a_delivery_that_comes_three_times_at_once_and_after_a_restart_is_one_case(
    migrated_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with WeComServer(now=now) as server:
            fields = {"ToUserName": server.corp_id, "FromUserName": RESIDENT, "AgentID": server.agent_id}
            said = {"CreateTime": int(now().timestamp()), "MsgType": "text", "Content": REPORT, "MsgId": 77}
            server.meet(RESIDENT)
            for _ in range(2):
                async with serving(migrated_url, tmp_path, server) as program:
                    xml = xml_of({**fields, **said})
                    await asyncio.gather(*(server.courier.deliver("77", xml) for _ in range(3)))
                    await soon(lambda: told(server, RESIDENT, "已登记"))
                    await program.postman.drain()
                    assert len(rows(program, Incident)) == len(rows(program, Inbox)) == 1
                    mails = [one for one in rows(program, Outbox) if one.handle == RESIDENT]
                    assert len(mails) == len(server.plugin_heard(RESIDENT))
            assert sum("已登记" in heard for heard in server.plugin_heard(RESIDENT)) == 1

    run(story())


def test_a_delivery_that_is_cut_while_the_program_is_busy_is_one_case(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The writer stands still for longer than WeCom waits; what it had cut is there when it comes again."""

    async def story() -> None:
        async with (
            WeComServer(now=now, patience=0.3) as server,
            serving(sqlite_url, tmp_path, server) as program,
        ):
            began, goes_on = threading.Event(), threading.Event()

            def stand_still(_: object) -> None:
                began.set()
                goes_on.wait(PATIENCE)

            busy = asyncio.create_task(program.lane.run(stand_still))
            await soon(began.is_set)
            asyncio.get_running_loop().call_later(0.5, goes_on.set)
            await server.say(RESIDENT, REPORT)
            await busy
            await soon(lambda: told(server, RESIDENT, "已登记"))
            assert server.courier.deliveries[0].answers[0] is None
            assert server.courier.deliveries[0].taken
            assert len(rows(program, Incident)) == len(rows(program, Inbox)) == 1

    run(story())


def test_what_is_not_from_wecom_is_shut_out_and_a_far_end_that_fails_is_tried_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with (
            WeComServer(now=now) as server,
            WeComServer(callback_token="another", now=now) as stranger,
            serving(sqlite_url, tmp_path, server) as program,
        ):
            stranger.courier.url = server.courier.url
            await stranger.say(RESIDENT, REPORT)
            assert stranger.courier.deliveries[0].answers == (403, 403, 403)
            assert rows(program, Inbox) == []
            server.fail("message/send", None, times=1)
            await server.say(RESIDENT, REPORT)
            await soon(lambda: told(server, RESIDENT, "已登记"))
            assert sum("已登记" in heard for heard in server.plugin_heard(RESIDENT)) == 1

    run(story())
