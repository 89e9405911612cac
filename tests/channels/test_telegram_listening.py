"""Nothing people write is lost on the way in: by polling or by webhook, whatever breaks meanwhile."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.channel import Request, Unreadable, Untrusted
from bot.channels.insist import LONGEST_REST
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.telegram_rules import Trouble
from bot.channels.telegram_server import TelegramServer
from bot.channels.telegram_words import COMMANDS
from bot.message import Inbound
from tests.channels.pictures import picture
from tests.channels.stages import LI, SECRET, TOKEN, WANG, Ear, Rests, outbound, run, telegram_at

GROUP = -1001234567890


async def hear_all(server: TelegramServer, ear: Ear, **options: Any) -> Rests:
    """Poll with a fresh channel, as after a restart, until nothing waits any more."""
    rests = Rests()
    channel = telegram_at(server, rest=rests, poll_seconds=5, **options)
    await channel.start(ear)
    await server.updates.quiet()
    await channel.stop()
    return rests


def test_what_people_do_arrives_in_order() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.names[WANG] = "王芳"
            server.say(WANG, "路灯坏了")
            server.send_photo(WANG, picture(), "看")
            server.say(LI, "大家好", chat=GROUP)
            server.say(LI, "@xiaoge_bot 待办", chat=GROUP)
            server.say(WANG, "/help")
            ear = Ear()
            rests = await hear_all(server, ear)

            assert ear.texts == ["路灯坏了", "看", "待办", "帮助"]
            assert [message.sender_name for message in ear.heard] == ["王芳", "王芳", str(LI), "王芳"]
            assert rests.seconds == []

    run(story())


def test_a_message_wakes_the_poll_and_the_answer_a_press() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            ear = Ear()
            channel = telegram_at(server, poll_seconds=20)
            await channel.start(ear)
            server.say(WANG, "灯")
            await server.updates.quiet()
            await channel.send(outbound("提交吗?", buttons=(("提交", "41:0"),)))
            server.press(WANG, "提交")
            await server.updates.quiet()
            await channel.stop()

            assert [(message.text, message.pressed) for message in ear.heard] == [("灯", None), ("", "41:0")]

    run(story())


def test_the_menu_is_told_and_only_what_is_heard_is_asked_for() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            await hear_all(server, Ear())

            assert {one["command"]: one["description"] for one in server.commands} == {
                name: about for name, (_, about) in COMMANDS.items()
            }
            asked = next(fields for name, fields in server.calls if name == "getUpdates")
            assert asked["allowed_updates"] == '["message", "edited_message", "callback_query"]'

    run(story())


def test_nothing_is_lost_when_it_stops_between_asking_and_accepting() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            for number in range(150):
                server.say(WANG, f"第{number}条")
            stuck = Ear()
            stuck.hangs = True
            channel = telegram_at(server, poll_seconds=5)
            await channel.start(stuck)
            await stuck.first.wait()
            await channel.stop()
            assert len(server.updates.pending) == 150
            ear = Ear()
            await hear_all(server, ear)

            assert ear.texts == [f"第{number}条" for number in range(150)]

    run(story())


def test_telegram_forgets_only_what_is_kept() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            ear = Ear()
            waiting: list[int] = []
            ear.before = lambda: waiting.extend(server.updates.pending)
            await hear_all(server, ear)

            assert [str(number) for number in waiting] == [message.message_id for message in ear.heard]

    run(story())


def test_what_was_kept_just_before_a_crash_comes_again_under_the_same_name() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            ear = Ear()
            server.fail("getUpdates", Trouble(500, "Internal Server Error"), times=10**6, after=1)
            channel = telegram_at(server, rest=Rests(), poll_seconds=5)
            await channel.start(ear)
            await ear.first.wait()
            await channel.stop()
            server.fail("getUpdates", times=0)
            await hear_all(server, ear)

            assert ear.texts == ["灯", "灯"]
            assert len({message.message_id for message in ear.heard}) == 1

    run(story())


def test_a_full_disk_holds_messages_back_and_loses_none() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            ear = Ear()
            ear.troubles = [OSError(28, "No space left on device")] * 3
            rests = await hear_all(server, ear)

            assert ear.texts == ["灯"]
            assert rests.seconds == [1, 2, 4]

    run(story())


def test_rests_grow_to_a_minute_and_begin_again_after_a_success() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            server.fail("getUpdates", times=8)
            ear = Ear()
            rests = await hear_all(server, ear)
            assert rests.seconds == [1, 2, 4, 8, 16, 32, LONGEST_REST, LONGEST_REST]
            server.say(WANG, "路")
            server.fail("getUpdates", times=1)

            assert (await hear_all(server, ear)).seconds == [1]
            assert ear.texts == ["灯", "路"]

    run(story())


@pytest.mark.parametrize("method", ["getMe", "deleteWebhook", "getUpdates"])
def test_a_wait_that_is_asked_for_is_kept(method: str) -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            server.fail(method, Trouble(429, "Too Many Requests: retry after 30", retry_after=30))
            ear = Ear()

            assert (await hear_all(server, ear)).seconds == [30]
            assert ear.texts == ["灯"]

    run(story())


def test_a_menu_that_is_not_taken_does_not_keep_it_from_listening() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            server.fail("setMyCommands", Trouble(400, "Bad Request: BOT_COMMAND_INVALID"))
            ear = Ear()
            await hear_all(server, ear)

            assert ear.texts == ["灯"]

    run(story())


def test_a_webhook_left_by_somebody_is_taken_away() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.updates.post_to("http://127.0.0.1:9/nobody")
            server.say(WANG, "灯")
            ear = Ear()
            assert (await hear_all(server, ear)).seconds == []
            assert (ear.texts, server.updates.webhook) == (["灯"], "")

    run(story())


def test_a_webhook_set_while_it_polls_is_taken_away_too() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            ear = Ear()
            channel = telegram_at(server, rest=Rests(), poll_seconds=20)
            await channel.start(ear)
            await server.updates.quiet()
            server.updates.post_to("http://127.0.0.1:9/nobody")
            server.say(WANG, "路")
            await server.updates.quiet()
            await channel.stop()

            assert ear.texts == ["灯", "路"]

    run(story())


def test_one_strange_update_does_not_stop_the_others() -> None:
    async def story() -> None:
        buried: list[tuple[str, bytes]] = []

        async def bury(error: Unreadable, body: bytes) -> None:
            buried.append((error.message_id, body))

        async with TelegramServer(TOKEN) as server:
            server.say(WANG, "灯")
            strange = server.updates.put("message", {"message_id": 1, "text": "没有日期"})
            server.say(WANG, "路")
            ear = Ear()
            await hear_all(server, ear, bury=bury)

            assert ear.texts == ["灯", "路"]
            assert [name for name, _ in buried] == [str(strange)]
            assert b"message_id" in buried[0][1]

    run(story())


def test_a_strange_update_is_named_in_the_log_and_its_words_are_not(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> int:
        async with TelegramServer(TOKEN) as server:
            strange = server.updates.put("message", {"message_id": 1, "text": "没有日期"})
            await hear_all(server, Ear())
            return strange

    assert str(run(story())) in caplog.text
    assert "没有日期" not in caplog.text


def test_the_token_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with TelegramServer("1000001:another-token") as server:
            rests = Rests()
            channel = telegram_at(server, rest=rests, patience=0.2)
            await channel.start(Ear())
            while not rests.seconds:
                await asyncio.sleep(0)
            await channel.send(outbound("灯"))
            await channel.stop()

    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpx").info("still quiet")
        run(story())
    assert "trying again" in caplog.text
    assert TOKEN not in caplog.text


class Hooks:
    """The web door as a channel sees it: 403, 200 and 503 as the contract says."""

    def __init__(self, parse: Callable[[Request], Sequence[Inbound]]) -> None:
        self._parse = parse
        self.ear = Ear()
        self.statuses: list[int] = []
        self.full = 0

    async def __call__(self, call: Call) -> Reply:
        status = await self._take(call)
        self.statuses.append(status)
        return Reply(status)

    async def _take(self, call: Call) -> int:
        try:
            messages = self._parse(Request(call.headers, call.query, call.body))
        except Untrusted:
            return 403
        except Unreadable:
            return 200
        if self.full:
            self.full -= 1
            return 503
        await self.ear(messages)
        return 200


def test_by_webhook_each_message_arrives_once_it_can_be_kept() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            channel = telegram_at(server, rest=Rests())
            hooks = Hooks(channel.parse)
            hooks.full = 2
            async with LoopbackServer(hooks) as door:
                posting = telegram_at(server, webhook_url=f"{door.url}/hooks/telegram", rest=Rests())
                server.say(WANG, "灯")
                server.say(WANG, "路")
                server.updates.put("message", {"text": "没有日期"})
                await posting.start(Ear())
                await server.updates.quiet()
                await posting.stop()

            assert hooks.ear.texts == ["灯", "路"]
            assert hooks.statuses == [503, 503, 200, 200, 200]
            assert not any(name == "getUpdates" for name, _ in server.calls)

    run(story())


def test_by_webhook_with_another_secret_nothing_comes_in_and_nothing_is_lost() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            hooks = Hooks(telegram_at(server).parse)
            async with LoopbackServer(hooks) as door:
                server.say(WANG, "灯")
                server.updates.post_to(door.url, "another")
                while len(hooks.statuses) < 2:
                    await asyncio.sleep(0)
                assert (set(hooks.statuses), hooks.ear.heard) == ({403}, [])
                server.updates.post_to(door.url, SECRET)
                await server.updates.quiet()

            assert hooks.ear.texts == ["灯"]

    run(story())
