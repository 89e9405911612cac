"""What Telegram is told, and what becomes of it when Telegram says no."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Broken, Gone, Later, Outcome, Refused, Sent
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_rules import Trouble
from bot.channels.telegram_server import TelegramServer
from bot.media import LARGEST, MediaStore
from tests.channels.pictures import picture
from tests.channels.stages import (
    LI,
    TOKEN,
    WANG,
    outbound,
    run,
    telegram,
    telegram_at,
    telegram_request,
)

GROUP = -1001234567890


@asynccontextmanager
async def talk(
    server: TelegramServer | None = None, **options: Any
) -> AsyncIterator[tuple[TelegramServer, TelegramChannel]]:
    """A person has written, so that the bot may answer."""
    async with server or TelegramServer(TOKEN) as telegram_server:
        telegram_server.say(WANG, "你好")
        channel = telegram_at(telegram_server, **options)
        try:
            yield telegram_server, channel
        finally:
            await channel.stop()


def outcome_of(prepare: Callable[[TelegramServer], None], **message: Any) -> Outcome:
    """Send one message after the server was prepared."""

    async def story() -> Outcome:
        async with talk() as (server, channel):
            prepare(server)
            return await channel.send(outbound(*message.pop("parts", ("灯",)), **message))

    return run(story())


def refusing(status: int, why: str, **parameters: Any) -> Callable[[TelegramServer], None]:
    return lambda server: server.fail("sendMessage", Trouble(status, why, **parameters))


def nothing(_server: TelegramServer) -> None:
    """Prepare nothing."""


def test_buttons_come_with_the_last_part_and_carry_their_payload() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            buttons = (("接单", "41:0"), ("退回", "41:1"), ("转给其他部门处理", "41:2"))
            outcome = await channel.send(outbound("新事件", "请选择", buttons=buttons))

            assert outcome == Sent(str(server.sent[-1].id))
            assert [said.buttons for said in server.sent] == [(), buttons]

    run(story())


def test_short_buttons_stand_side_by_side_and_long_ones_do_not() -> None:
    async def story() -> list[int]:
        async with talk() as (server, channel):
            for number, label in enumerate(["接单", "转给其他部门来处理"]):
                await channel.send(
                    outbound("请选择", mail_id=number, buttons=((label, "1:0"), (label, "1:1")))
                )
            markups = [json.loads(f["reply_markup"]) for name, f in server.calls if name == "sendMessage"]
            return [len(markup["inline_keyboard"]) for markup in markups]

    assert run(story()) == [1, 2]


def test_words_are_plain_and_addresses_in_them_are_not_unfolded() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            await channel.send(outbound("*_<b>灯</b> https://example.invalid"))
            (fields,) = (fields for name, fields in server.calls if name == "sendMessage")

            assert server.texts(WANG) == ["*_<b>灯</b> https://example.invalid"]
            assert "parse_mode" not in fields
            assert json.loads(fields["link_preview_options"]) == {"is_disabled": True}

    run(story())


def test_a_payload_may_have_64_bytes_and_not_one_more() -> None:
    assert isinstance(outcome_of(nothing, buttons=(("接单", "网" * 21 + "1"),)), Sent)
    assert isinstance(outcome_of(nothing, buttons=(("接单", "网" * 21 + "12"),)), Refused)
    assert isinstance(outcome_of(nothing, buttons=(("接单", ""),)), Refused)


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda server: server.blocked.add(WANG), Gone),
        (refusing(403, "Forbidden: user is deactivated"), Gone),
        (refusing(403, "Forbidden: bot was kicked from the supergroup chat"), Gone),
        (refusing(400, "Bad Request: chat not found"), Gone),
        (refusing(400, "Bad Request: group chat was deactivated"), Gone),
        (refusing(400, "Bad Request: not enough rights to send text messages to the chat"), Gone),
        (refusing(400, "Bad Request: message is too long"), Refused),
        (refusing(502, "Bad Gateway"), Broken),
        (refusing(500, "Internal Server Error"), Broken),
        (refusing(401, "Unauthorized"), Broken),
        (refusing(409, "Conflict"), Broken),
        (lambda server: server.fail("sendMessage"), Broken),
    ],
)
def test_every_no_has_its_outcome(prepare: Callable[[TelegramServer], None], expected: type[Outcome]) -> None:
    assert isinstance(outcome_of(prepare), expected)


def test_a_chat_nobody_opened_is_gone() -> None:
    assert isinstance(outcome_of(nothing, chat=LI), Gone)


def test_too_fast_is_later_by_what_was_asked() -> None:
    async def story() -> None:
        now = [100.0]
        async with talk(TelegramServer(TOKEN, per_chat_second=1, now=lambda: now[0])) as (server, channel):
            assert isinstance(await channel.send(outbound("一", mail_id=1)), Sent)
            assert await channel.send(outbound("二", mail_id=2)) == Later(1)
            now[0] += 1
            assert isinstance(await channel.send(outbound("二", mail_id=2)), Sent)
            assert server.texts(WANG) == ["一", "二"]

    run(story())
    assert outcome_of(refusing(429, "Too Many Requests: retry after 17", retry_after=17)) == Later(17)


def test_nobody_at_the_far_end_is_broken_and_the_token_is_not_told() -> None:
    async def story() -> Outcome:
        channel = telegram()
        return await channel.send(outbound("灯"))

    outcome = run(story())

    assert isinstance(outcome, Broken)
    assert TOKEN not in outcome.why


def test_a_server_that_never_answers_is_given_up() -> None:
    async def never(_call: Call) -> Reply:
        await asyncio.Event().wait()
        return Reply(None)

    async def story() -> Outcome:
        async with LoopbackServer(never) as server:
            channel = telegram(base_url=f"{server.url}/bot", patience=0.05)
            outcome = await channel.send(outbound("灯"))
            await channel.stop()
            return outcome

    assert isinstance(run(story()), Broken)


def test_what_was_said_before_it_failed_is_not_said_again() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            message = outbound("第一段", "第二段", "第三段", mail_id=9)
            server.fail("sendMessage", Trouble(502, "Bad Gateway"), after=1)
            assert isinstance(await channel.send(message), Broken)
            await channel.send(outbound("别的", mail_id=10))
            server.fail("sendMessage", after=1)
            assert isinstance(await channel.send(message), Broken)
            assert isinstance(await channel.send(message), Sent)

            assert server.texts(WANG) == ["第一段", "别的", "第二段", "第三段"]

    run(story())


def test_a_message_whose_receipt_was_lost_comes_twice_rather_than_never() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            server.fail("sendMessage", done=True)
            assert isinstance(await channel.send(outbound("灯")), Broken)
            assert isinstance(await channel.send(outbound("灯")), Sent)

            assert server.texts(WANG) == ["灯", "灯"]

    run(story())


def test_photos_come_before_the_words_and_a_retry_repeats_none(tmp_path: Path) -> None:
    async def story() -> None:
        store = MediaStore(tmp_path)
        async with talk(media=store) as (server, channel):
            keys = tuple(store.keep(picture(size=(size, 40)), "photo") for size in (50, 60))
            server.fail("sendMessage", Trouble(502, "Bad Gateway"))
            message = outbound("处理前后", photos=keys, buttons=(("满意", "5:0"),))
            assert isinstance(await channel.send(message), Broken)
            assert isinstance(await channel.send(message), Sent)

            assert [said.photo for said in server.sent] == [store.read(key) for key in keys] + [None]
            assert server.sent[-1].buttons == (("满意", "5:0"),)

    run(story())


def test_a_photo_telegram_has_is_named_and_not_sent_again() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            server.send_photo(WANG, picture(), "灯")
            file_id = server.newest_file
            await channel.send(outbound("收到", photos=(f"telegram:{file_id}",)))

            assert [said.photo for said in server.sent] == [picture(), None]

    run(story())


@pytest.mark.parametrize("key", ["media:x", f"media:{'a' * 64}.jpg", "telegram:unknown", "wecom:1"])
def test_a_photo_that_is_lost_does_not_hold_back_the_words(tmp_path: Path, key: str) -> None:
    async def story() -> None:
        async with talk(media=MediaStore(tmp_path)) as (server, channel):
            assert isinstance(await channel.send(outbound("灯", photos=(key,))), Sent)
            assert [(said.text, said.photo) for said in server.sent] == [("灯", None)]

    run(story())


def test_a_photo_that_is_not_taken_does_not_hold_back_the_words(tmp_path: Path) -> None:
    async def story() -> None:
        store = MediaStore(tmp_path)
        async with talk(media=store) as (server, channel):
            server.fail("sendPhoto", Trouble(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))
            photos = (store.keep(picture(), "photo"),)

            assert isinstance(await channel.send(outbound("灯", photos=photos)), Sent)
            assert server.texts(WANG) == ["灯"]

    run(story())


def test_a_press_rests_when_it_is_answered() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            await channel.send(outbound("提交吗?", buttons=(("提交", "41:0"),)))
            server.press(WANG, "提交")
            (update,) = (
                update for update in await server.updates.poll(0, 100, 0) if "callback_query" in update
            )
            (pressed,) = channel.parse(telegram_request(update))
            assert (pressed.pressed, server.answered) == ("41:0", [])
            await channel.send(outbound("已提交", mail_id=2))
            await channel.send(outbound("请评价", mail_id=3))

            assert server.answered == [update["callback_query"]["id"]]

    run(story())


def test_a_press_too_old_to_be_answered_does_no_harm() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            server.names[WANG] = "王芳"
            await channel.send(outbound("提交吗?", buttons=(("提交", "41:0"),)))
            server.press(WANG, "41:0")
            update = (await server.updates.poll(0, 100, 0))[-1]
            update["callback_query"]["id"] = "long ago"
            channel.parse(telegram_request(update))

            assert isinstance(await channel.send(outbound("已提交", mail_id=2)), Sent)

    run(story())


def test_nobody_presses_what_was_not_shown() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            await channel.send(outbound("提交吗?", buttons=(("提交", "41:0"),)))
            with pytest.raises(LookupError):
                server.press(WANG, "99:0")

    run(story())


def test_a_group_that_moved_is_followed() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            server.say(LI, "@xiaoge_bot 你好", chat=GROUP)
            why = "Bad Request: group chat was upgraded to a supergroup chat"
            server.fail("sendMessage", Trouble(400, why, migrate_to_chat_id=GROUP))
            message = outbound("灯", chat=-55)

            assert isinstance(await channel.send(message), Later)
            assert isinstance(await channel.send(message), Sent)
            assert server.texts(GROUP) == ["灯"]

    run(story())


def test_a_photo_that_came_in_can_be_fetched_until_it_is_gone() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            server.send_photo(WANG, picture())
            (message,) = channel.parse(telegram_request((await server.updates.poll(0, 100, 0))[-1]))
            (photo,) = message.attachments
            assert await channel.fetch(photo.key) == (picture(), "jpg")
            server.fail("getFile", Trouble(500, "Internal Server Error"))
            with pytest.raises(ConnectionError):
                await channel.fetch(photo.key)
            server.forget_files()
            assert await channel.fetch(photo.key) is None

    run(story())


def test_a_file_that_is_too_big_is_not_fetched() -> None:
    async def story() -> None:
        async with talk() as (server, channel):
            server.send_photo(WANG, bytes(LARGEST + 1))
            assert await channel.fetch(f"telegram:{server.newest_file}") is None

    run(story())


def test_a_photo_to_somebody_who_is_gone_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        store = MediaStore(tmp_path)
        async with talk(media=store) as (_, channel):
            photos = (store.keep(picture(), "photo"),)

            assert isinstance(await channel.send(outbound("灯", chat=LI, photos=photos)), Gone)

    run(story())


def test_a_fault_of_our_own_is_an_outcome_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class BrokenStore(MediaStore):
        def read(self, key: str) -> bytes:
            raise ZeroDivisionError(key)

    async def story() -> Outcome:
        async with talk(media=BrokenStore(tmp_path)) as (_, channel):
            return await channel.send(outbound("灯", photos=("media:x",), mail_id=41))

    assert isinstance(run(story()), Broken)
    assert "mail 41 was not sent" in caplog.text


def test_a_file_that_is_taken_away_while_it_is_fetched_is_gone() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server:
            server.send_photo(WANG, picture())
            channel = telegram(base_url=server.base_url, base_file_url=f"{server.base_file_url}/elsewhere/")
            assert await channel.fetch(f"telegram:{server.newest_file}") is None
            await channel.stop()

    run(story())


@pytest.mark.parametrize("file", [{"file_path": "a.mp4", "file_size": LARGEST + 1}, {}])
def test_a_file_that_another_server_would_give_is_not_fetched_either(file: dict[str, Any]) -> None:
    async def answer(_call: Call) -> Reply:
        result = {"file_id": "x", "file_unique_id": "x", **file}
        return Reply(200, json.dumps({"ok": True, "result": result}).encode())

    async def story() -> None:
        async with LoopbackServer(answer) as server:
            channel = telegram(base_url=f"{server.url}/bot")
            assert await channel.fetch("telegram:x") is None
            await channel.stop()

    run(story())


def test_a_refusal_that_names_the_token_is_kept_without_it() -> None:
    outcome = outcome_of(refusing(400, f"Bad Request: no such thing at /bot{TOKEN}/sendMessage"))

    assert isinstance(outcome, Refused)
    assert TOKEN not in outcome.why
    assert "/bot<token>/" in outcome.why
