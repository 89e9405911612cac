"""The whole program on DingTalk, from its settings: through the robot's line, and a group's own robot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel

from app.build import Program, build
from app.channel_check import check_channels
from app.registry import found
from app.settings import WrongSetting, read_settings
from bot.channels.dingtalk_server import DingTalkServer
from bot.message import Outbound
from handbook.robot_keys import read_dingtalk as read_robot
from models import Attachment, Inbox, Incident
from scheduler.clock import SystemClock
from tests.channels.pictures import picture
from tests.keys import ENVIRONMENT

RESIDENT, WORKER = "王芳", "李强"
GROUP = "cidWorkGroup=="
REPORT = "3栋楼下路灯坏了"
PATIENCE = 30.0


def settings(url: str, folder: Path, **more: str) -> Any:
    values = {"DATABASE_URL": url, "PLACE": "default", "MEDIA": str(folder / "media"), **more}
    return read_settings(ENVIRONMENT | {f"XIAOGE_{name}": value for name, value in values.items()})


def at(server: DingTalkServer) -> dict[str, str]:
    return {
        "DINGTALK_CLIENT_ID": server.client_id,
        "DINGTALK_CLIENT_SECRET": server.client_secret,
        "DINGTALK_BASE_URL": server.base_url,
        "DINGTALK_OLD_BASE_URL": server.base_url,
    }


def run(story: Awaitable[None]) -> None:
    async def told() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await story

    asyncio.run(told())


async def soon(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


def rows(program: Program, table: type[SQLModel]) -> list[Any]:
    with Session(program.database.reader, expire_on_commit=False) as session:
        return list(session.execute(select(table)).scalars())


@asynccontextmanager
async def running(url: str, folder: Path) -> AsyncIterator[tuple[Program, DingTalkServer]]:
    """The program as an operator starts it, and DingTalk."""
    async with DingTalkServer(SystemClock().now) as server:
        program = build(settings(url, folder, **at(server)))
        found(program.desk, "dingtalk")
        for person in (RESIDENT, WORKER):
            server.join(person)
        await program.start()
        try:
            await server.gateway.opening()
            yield program, server
        finally:
            await program.stop()


def test_a_report_is_taken_accepted_finished_and_rated(migrated_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(migrated_url, tmp_path) as (_, server):

            async def heard(who: str, words: str) -> None:
                await soon(lambda: any(words in told for told in server.heard(who)))

            await server.say(RESIDENT, REPORT)
            await heard(RESIDENT, "已登记")
            await heard(WORKER, "新事件")
            await server.say(WORKER, "接单")
            await heard(RESIDENT, "已接单")
            await server.say(WORKER, "办结 已更换灯泡")
            await heard(RESIDENT, "解决了吗")
            await server.say(RESIDENT, "1")
            await heard(RESIDENT, "已结案")
            await server.say(RESIDENT, "满意")
            await heard(RESIDENT, "谢谢您的评价")

            ways = {said.way for said in server.sent if said.chat == RESIDENT}
            assert ways == {"session"}
            assert next(said.way for said in server.sent if said.chat == WORKER) == "push"
            assert server.tokens_given == 1

    run(story())


def test_in_a_group_a_report_is_answered_shortly_and_there(migrated_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(migrated_url, tmp_path) as (program, server):
            await server.say_in_group(GROUP, RESIDENT, REPORT)
            await soon(lambda: server.heard_in_group(GROUP))
            (told,) = server.heard_in_group(GROUP)

            assert "已登记" in told
            assert len(told.splitlines()) <= 5
            assert not server.heard(RESIDENT)
            assert len(rows(program, Incident)) == 1

    run(story())


def test_a_picture_comes_into_the_case_and_the_same_delivery_counts_once(
    migrated_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with running(migrated_url, tmp_path) as (program, server):
            pieces = [{"text": REPORT}, {"type": "picture", "downloadCode": server.keep(picture())}]
            message = server.message(RESIDENT, msgtype="richText", content={"richText": pieces})
            for _ in range(3):
                server.deliver(message)
            await server.gateway.quiet()
            await soon(lambda: server.heard(RESIDENT))
            await soon(lambda: [one.key for one in rows(program, Attachment) if one.key.startswith("media:")])
            server.deliver({"msgId": "strange"})
            await server.gateway.quiet()

            assert len(rows(program, Incident)) == 1
            assert sorted(str(row.message_id) for row in rows(program, Inbox)) == [
                message["msgId"],
                "strange",
            ]
            assert len(server.heard(RESIDENT)) == 1

    run(story())


def test_a_group_with_its_own_robot_is_spoken_to_through_it(migrated_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(migrated_url, tmp_path) as (program, server):
            sign = "SEC" + "ab" * 32
            secret = read_robot(f"{server.add_robot('服务群', sign)} {sign}")
            message = Outbound(
                mail_id=1, chat="g1", handle="g1", parts=("停水通知",), group=True, secret=secret
            )
            await program.channels["dingtalk_robot"].send(message)

            assert list(server.heard_in_group("服务群")) == ["停水通知"]

    run(story())


def test_half_an_application_is_told_of_in_a_sentence(tmp_path: Path) -> None:
    cases = {
        "XIAOGE_DINGTALK_CLIENT_SECRET is missing": {"DINGTALK_CLIENT_ID": "dingabc123"},
        "XIAOGE_DINGTALK_CLIENT_ID is missing": {"DINGTALK_ROBOT_CODE": "dingabc123"},
        "XIAOGE_DINGTALK_CLIENT_ID cannot be used": {
            "DINGTALK_CLIENT_ID": "?",
            "DINGTALK_CLIENT_SECRET": "x" * 20,
        },
        "begins with https://": {"DINGTALK_BASE_URL": "dingtalk"},
    }
    for told, values in cases.items():
        with pytest.raises(WrongSetting, match=told):
            settings("sqlite:///x.db", tmp_path, **values)
    with pytest.raises(WrongSetting) as no:
        settings("sqlite:///x.db", tmp_path, DINGTALK_CLIENT_ID="dingabc123", DINGTALK_CLIENT_SECRET="密 钥")
    assert "密 钥" not in str(no.value)


def test_an_application_is_known_by_two_settings_and_its_secret_is_not_shown(tmp_path: Path) -> None:
    given = settings(
        "sqlite:///x.db", tmp_path, DINGTALK_CLIENT_ID="dingabc123", DINGTALK_CLIENT_SECRET="s3cret-s3cret"
    )

    assert given.dingtalk.robot_code == "dingabc123"
    assert given.dingtalk.base_url == "https://api.dingtalk.com"
    assert "s3cret" not in repr(given)
    assert not settings("sqlite:///x.db", tmp_path).dingtalk.client_id


@pytest.mark.parametrize(("secret", "told"), [("", "钉钉：设置可用。"), ("another-secret", "Client Secret")])
def test_the_check_of_channels_asks_dingtalk(tmp_path: Path, secret: str, told: str) -> None:
    async def story() -> None:
        async with DingTalkServer(SystemClock().now) as server:
            values = at(server) | ({"DINGTALK_CLIENT_SECRET": secret} if secret else {})
            findings = await check_channels(settings(f"sqlite:///{tmp_path}/x.db", tmp_path, **values))
            (finding,) = findings

            assert told in str(finding)

    run(story())
