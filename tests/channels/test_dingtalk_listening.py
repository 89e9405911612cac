"""Nothing people write to DingTalk's robot is lost or kept from it, whatever happens to the line."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channel import Unreadable
from bot.channels.dingtalk import DingTalkChannel
from bot.channels.dingtalk_rules import Trouble
from bot.channels.dingtalk_server import DingTalkServer
from bot.channels.dingtalk_stream import _frame
from bot.tokens import LocalTokens
from tests.channels.stages import Ear, Now, Rests, dingtalk_at, outbound, run
from tests.channels.test_contract import json_values

MOMENT = 2.0
"""Seconds in which a line must end when it is told to."""


async def soon(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not so():
            await asyncio.sleep(0.005)


async def listening(server: DingTalkServer, ear: Ear, **options: Any) -> DingTalkChannel:
    channel = dingtalk_at(server, options.pop("now", Now()), rest=options.pop("rest", Rests()), **options)
    await channel.start(ear)
    await server.gateway.opening()
    return channel


def test_what_people_say_arrives_in_order_and_is_confirmed() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            ear = Ear()
            channel = await listening(server, ear)
            await server.say("wang", "路灯坏了")
            await server.say_in_group("工作群", "li", "待办")
            await server.say("wang", "帮助")
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["路灯坏了", "待办", "帮助"]
            assert [one.group for one in ear.heard] == [False, True, False]
            assert len({one.message_id for one in ear.heard}) == 3
            assert all(ack["code"] == 200 and ack["data"] for ack in server.gateway.confirmed)

    run(story())


def test_what_was_said_before_it_listened_arrives() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            await server.say("wang", "灯")
            ear = Ear()
            channel = await listening(server, ear)
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]

    run(story())


def test_what_could_not_be_kept_is_not_confirmed_and_comes_again() -> None:
    async def story() -> None:
        async with DingTalkServer(Now(), retry_seconds=0.02) as server:
            ear = Ear()
            ear.troubles = [OSError(28, "No space left on device")] * 3
            channel = await listening(server, ear)
            await server.say("wang", "灯")
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]
            assert ear.troubles == []
            assert len(server.gateway.confirmed) == 1
            assert server.gateway.opened == 1

    run(story())


def test_what_was_being_kept_when_it_stopped_comes_to_the_next_one() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            stuck = Ear()
            stuck.hangs = True
            channel = await listening(server, stuck)
            await server.say("wang", "灯")
            await stuck.first.wait()
            async with asyncio.timeout(MOMENT):
                await channel.stop()
            assert len(server.gateway.pending) == 1
            ear = Ear()
            channel = await listening(server, ear)
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]

    run(story())


def test_the_same_message_twice_has_one_name() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            ear = Ear()
            channel = await listening(server, ear)
            message = server.message("wang", msgtype="text", text={"content": "灯"})
            assert server.deliver(message) != server.deliver(message)
            await server.gateway.quiet()
            await channel.stop()

            assert [one.text for one in ear.heard] == ["灯", "灯"]
            assert len({one.message_id for one in ear.heard}) == 1

    run(story())


def test_a_ping_is_answered_with_what_it_held() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            channel = await listening(server, Ear())
            await server.gateway.say("ping", '{"opaque":"7a-f"}')
            await soon(lambda: bool(server.gateway.confirmed))
            await channel.stop()
            (ack,) = server.gateway.confirmed

            assert json.loads(ack["data"]) == {"opaque": "7a-f"}
            assert ack["headers"]["messageId"].startswith("system")

    run(story())


def test_an_event_nobody_asked_for_is_confirmed() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            ear = Ear()
            channel = await listening(server, ear)
            server.gateway.put("EVENT", "chat_update_title", "{}")
            server.gateway.put("CALLBACK", "/v1.0/card/instances/callback", "{}")
            await server.gateway.quiet()
            await channel.stop()

            assert json.loads(server.gateway.confirmed[0]["data"])["status"] == "SUCCESS"
            assert ear.heard == []

    run(story())


@pytest.mark.parametrize("how", ["disconnect", "cut", "silence"])
def test_when_a_line_ends_another_is_opened(how: str) -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            ear, rests = Ear(), Rests()
            channel = await listening(server, ear, rest=rests, silence=0.05 if how == "silence" else 600.0)
            if how == "disconnect":
                await server.gateway.say("disconnect")
            elif how == "cut":
                server.gateway.cut()
            await soon(lambda: server.gateway.opened > 1)
            await server.say("wang", "灯")
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]
            assert rests.seconds[0] == 1

    run(story())


def test_what_was_delivered_into_a_broken_line_comes_again() -> None:
    async def story() -> None:
        async with DingTalkServer(Now(), retry_seconds=60) as server:
            ear = Ear()
            ear.troubles = [OSError()]
            channel = await listening(server, ear)
            await server.say("wang", "灯")
            await ear.first.wait()
            server.gateway.cut()
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]

    run(story())


def test_rests_grow_while_the_gateway_cannot_be_reached() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            rests = Rests()
            server.fail(
                "/v1.0/gateway/connections/open", None, Trouble(500, "system.err"), Trouble(401, "authFailed")
            )
            channel = await listening(server, Ear(), rest=rests)
            await channel.stop()

            assert rests.seconds == [1, 2, 4]

    run(story())


def test_a_ticket_opens_one_line() -> None:
    async def story() -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus

        async with DingTalkServer(Now()) as server:
            address = f"{server.gateway.url}?ticket={server.gateway.ticket().replace('=', '%3D')}"
            async with connect(address):
                pass
            for used in (address, server.gateway.url):
                with pytest.raises(InvalidStatus):
                    async with connect(used):
                        pass

    run(story())


def test_two_processes_share_what_is_said() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            ears = [Ear(), Ear()]
            channels = [dingtalk_at(server, Now()) for _ in ears]
            for channel, ear in zip(channels, ears, strict=True):
                await channel.start(ear)
            await server.gateway.opening(2)
            for number in range(10):
                await server.say("wang", str(number))
            await server.gateway.quiet()
            for channel in channels:
                await channel.stop()

            assert sorted(ears[0].texts + ears[1].texts) == [str(number) for number in range(10)]
            assert ears[0].texts
            assert ears[1].texts

    run(story())


def test_it_is_kept_that_a_line_is_held_and_a_database_that_is_away_does_not_end_it() -> None:
    class Leases:
        """A database that is away the first time."""

        def __init__(self) -> None:
            self.taken: list[str] = []
            self.given: list[str] = []

        async def take(self, name: str) -> bool:
            self.taken.append(name)
            if len(self.taken) == 1:
                raise OSError("away")
            return False

        async def give_back(self, name: str) -> None:
            self.given.append(name)

    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            leases, ear = Leases(), Ear()
            channel = await listening(server, ear, leases=leases)
            await soon(lambda: len(leases.taken) == 1)
            server.gateway.cut()
            await soon(lambda: len(leases.taken) == 2)
            await server.say("wang", "灯")
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]
            assert set(leases.taken) == set(leases.given) == {"dingtalk:ding-loopback"}

    run(story())


def test_it_ends_in_a_moment_wherever_it_is() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            resting = dingtalk_at(server, Now())
            server.fail("/v1.0/gateway/connections/open", *[None] * 100)
            await resting.start(Ear())
            await asyncio.sleep(0)
            async with asyncio.timeout(MOMENT):
                await resting.stop()
            server.mend()
            channel = await listening(server, Ear())
            async with asyncio.timeout(MOMENT):
                await channel.stop()
            assert not [task for task in asyncio.all_tasks() if task.get_name() == "dingtalk"]

    run(story())


def test_what_cannot_be_read_is_buried_and_confirmed() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            buried: list[tuple[str, bytes]] = []

            async def bury(trouble: Unreadable, body: bytes) -> None:
                buried.append((trouble.message_id, body))

            ear = Ear()
            channel = await listening(server, ear, bury=bury)
            server.deliver({"msgId": "strange", "text": "?"})
            await server.gateway.send_raw("{")
            await server.gateway.send_raw('{"type":7}')
            await server.say("wang", "灯")
            await server.gateway.quiet()
            await channel.stop()

            assert ear.texts == ["灯"]
            assert [name for name, _ in buried] == ["strange"]
            assert b"strange" in buried[0][1]

    run(story())


def test_no_secret_is_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            channel = await listening(server, Ear())
            server.gateway.cut()
            await soon(lambda: server.gateway.opened > 1)
            server.fail("/v1.0/gateway/connections/open", Trouble(401, "authFailed"), None)
            server.gateway.cut()
            await soon(lambda: server.gateway.opened > 2)
            await server.say("wang", "我叫王芳")
            await server.gateway.quiet()
            await channel.stop()
            assert repr(channel._api.app).count("secret") == 0

    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpx").info("still quiet")
        run(story())
    assert "trying again" in caplog.text
    for secret in ("a-secret-of-loopback", "ticket", "token-", "王芳", "session"):
        assert secret not in caplog.text


@given(st.text(max_size=100) | st.binary(max_size=100) | json_values.map(json.dumps))
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_frame_is_read_or_left(raw: str | bytes) -> None:
    frame = _frame(raw)

    assert frame is None or [type(part) for part in frame] == [str, dict, str]


def test_one_token_serves_all_processes_and_is_renewed_when_it_is_refused() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            server.join("wang")
            tokens = LocalTokens()
            channels = [dingtalk_at(server, Now(), tokens=tokens) for _ in range(2)]
            for channel in channels:
                await channel.send(outbound("灯", chat="wang"))
            assert server.tokens_given == 1
            server.void_tokens()
            for number, channel in enumerate(channels):
                await channel.send(outbound("路", chat="wang", mail_id=10 + number))
            assert server.tokens_given == 2
            assert list(server.heard("wang")) == ["灯", "灯", "路", "路"]
            for channel in channels:
                await channel.stop()

    run(story())
