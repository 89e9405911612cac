"""The whole program and a group's robot on WeCom: from the sealed key, by the outbox, into the group."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from app.build import build
from app.registry import found
from bot.channels.wecom_robot_server import WeComRobotServer
from handbook.robot_keys import read_robot_key
from handlers.actor import CLOCK
from handlers.groups.saying import say_in_group
from models import Delivery, Grid, Group, GroupPost, PostState, Purpose
from scheduler.clock import SystemClock
from tests.app.test_build import rows, run, settings, soon

GROUP = "一网格工作群"


def test_what_is_said_in_a_bound_group_reaches_it_once_and_through_its_own_robot(
    migrated_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        now = SystemClock().now
        async with WeComRobotServer(now) as server:
            bound = read_robot_key(server.add_robot(GROUP))
            server.add_robot("二网格工作群")
            assert bound is not None
            program = build(settings(migrated_url, tmp_path, WECOM_ROBOT_BASE_URL=server.base_url))
            found(program.desk, "webchat")
            with program.desk.work(CLOCK) as work:
                grid = work.session.execute(select(col(Grid.id)).limit(1)).scalar_one()
                group = Group(
                    grid_id=grid,
                    purpose=Purpose.WORK,
                    delivery=Delivery.WEBHOOK,
                    name=GROUP,
                    channel=bound[0],
                    secret=bound[1],
                    token="a-token-of-a-group",
                    since=work.now - timedelta(days=1),
                )
                work.session.add(group)
                work.session.flush()
                for _ in range(2):
                    say_in_group(work, group, "group.hello", key="n1", cause="notice:1", urgent=True)
            await program.start()
            try:
                await soon(lambda: [one for one in rows(program, GroupPost) if one.state is PostState.SENT])
                assert len(rows(program, GroupPost)) == 1
            finally:
                await program.stop()

            assert [(said.group, said.text) for said in server.said] == [
                (GROUP, "大家好，我是小格，以后这里的通知由我来发。")
            ]

    run(story())
