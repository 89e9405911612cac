"""The stand-in refuses what Telegram refuses, so that what passes here passes there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.channels.telegram_rules import marks_of
from bot.channels.telegram_server import TelegramServer
from tests.channels.pictures import picture
from tests.channels.stages import LI, TOKEN, WANG, run


class Caller:
    """Calls the Bot API without any library."""

    def __init__(self, server: TelegramServer, client: httpx.AsyncClient) -> None:
        self.server = server
        self._client = client

    async def __call__(self, method: str, token: str = TOKEN, **fields: Any) -> httpx.Response:
        return await self._client.post(f"{self.server.base_url}{token}/{method}", data=fields)

    async def updates(self, **fields: Any) -> list[int]:
        found = (await self("getUpdates", **fields)).json()["result"]
        return [update["update_id"] for update in found]

    async def why(self, method: str, **fields: Any) -> str:
        answer = (await self(method, **fields)).json()
        return "" if answer["ok"] else str(answer["description"])

    async def upload(self, photo: bytes, **fields: Any) -> httpx.Response:
        url = f"{self.server.base_url}{TOKEN}/sendPhoto"
        return await self._client.post(url, data=fields, files={"photo": ("x.jpg", photo)})

    async def file(self, path: str, token: str = TOKEN) -> httpx.Response:
        return await self._client.get(f"{self.server.base_file_url}{token}/{path}")


@asynccontextmanager
async def calling() -> AsyncIterator[tuple[Caller, TelegramServer]]:
    async with TelegramServer(TOKEN) as server, httpx.AsyncClient(trust_env=False) as client:
        server.say(WANG, "你好")
        yield Caller(server, client), server


def refusal(method: str, **fields: Any) -> str:
    async def story() -> str:
        async with calling() as (call, _):
            return await call.why(method, **fields)

    return run(story())


def keyboard(**button: Any) -> str:
    return json.dumps({"inline_keyboard": [[button]]})


def test_another_token_or_method_is_not_known() -> None:
    async def story() -> None:
        async with calling() as (call, _):
            assert (await call("getMe", token="1:wrong")).status_code == 401
            assert (await call("selfDestruct")).status_code == 404
            assert (await call("getMe")).json()["result"]["username"] == "xiaoge_bot"

    run(story())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"text": "灯" * 4096}, ""),
        ({"text": "灯" * 4097}, "message is too long"),
        ({"text": "💡" * 2049}, "message is too long"),
        ({"text": " \n"}, "message text is empty"),
        ({}, "message text is empty"),
        ({"text": "灯", "chat_id": "5"}, "chat not found"),
        ({"text": "灯", "chat_id": "王芳"}, "chat not found"),
        ({"text": "灯", "reply_markup": keyboard(text="是", callback_data="网" * 21 + "1")}, ""),
        ({"text": "灯", "reply_markup": keyboard(text="是", callback_data="网" * 22)}, "BUTTON_DATA_INVALID"),
        ({"text": "灯", "reply_markup": keyboard(text="是")}, "BUTTON_DATA_INVALID"),
        ({"text": "灯", "reply_markup": keyboard(text="是", url="1:0")}, "Wrong HTTP URL"),
        ({"text": "灯", "reply_markup": keyboard(text="", callback_data="1:0")}, "can't parse"),
    ],
)
def test_messages_keep_to_the_rules(fields: dict[str, str], why: str) -> None:
    found = refusal("sendMessage", **{"chat_id": str(WANG), **fields})

    assert why in found
    assert bool(found) == bool(why)


def test_photos_are_pictures() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            assert (await call.upload(picture(), chat_id=str(WANG), caption="灯")).is_success
            assert server.sent[-1].photo == picture()
            assert server.sent[-1].text == "灯"
            assert (await call.upload(b"words", chat_id=str(WANG))).status_code == 400
            assert (
                await call.upload(b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), chat_id=str(WANG))
            ).status_code == 413
            assert "wrong file identifier" in await call.why("sendPhoto", chat_id=str(WANG), photo="file0")

    run(story())


def test_files_are_given_to_the_bot_alone() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            server.send_photo(WANG, picture())
            path = (await call("getFile", file_id=server.newest_file)).json()["result"]["file_path"]
            assert (await call.file(path)).content == picture()
            assert (await call.file(path, token="1:wrong")).status_code == 404
            assert (await call.file("photos/none.jpg")).status_code == 404
            assert "wrong file_id" in await call.why("getFile", file_id="none")

    run(story())


def test_updates_stay_until_a_higher_offset_is_asked_for() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            for words in ("一", "二", "三"):
                server.say(WANG, words)
            all_four = server.updates.pending

            assert await call.updates() == all_four
            assert await call.updates(limit="2") == all_four[:2]
            assert await call.updates(offset=str(all_four[1])) == all_four[1:]
            assert await call.updates(offset="-1") == all_four[3:]
            assert await call.updates(offset="-9") == all_four[3:]
            assert await call.updates(offset=str(all_four[3] + 1)) == []
            assert await call.updates(offset="-1") == []

    run(story())


def test_kinds_that_are_not_wanted_do_not_come() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            await call.updates(allowed_updates='["callback_query"]')
            before = server.updates.pending
            server.say(WANG, "灯")

            assert server.updates.pending == before

    run(story())


def test_a_second_poll_ends_the_first() -> None:
    async def story() -> None:
        async with TelegramServer(TOKEN) as server, httpx.AsyncClient(trust_env=False) as client:
            call = Caller(server, client)
            first = asyncio.create_task(call("getUpdates", timeout="20"))
            while not server.calls:
                await asyncio.sleep(0)
            second = asyncio.create_task(call("getUpdates", timeout="20"))
            assert (await first).status_code == 409
            server.say(WANG, "灯")
            assert len((await second).json()["result"]) == 1

    run(story())


def test_polling_and_a_webhook_exclude_each_other() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            assert (await call("setWebhook", url="http://127.0.0.1:9/x", secret_token="a-b_C9")).is_success
            assert (await call("getUpdates")).status_code == 409
            assert (await call("deleteWebhook")).is_success
            assert await call.updates() == server.updates.pending
            waiting = asyncio.create_task(call("getUpdates", offset=str(10**9), timeout="20"))
            while server.updates.pending:
                await asyncio.sleep(0)
            await call("setWebhook", url="http://127.0.0.1:9/x")
            assert (await waiting).status_code == 409

    run(story())


@pytest.mark.parametrize("secret", ["密码", "a b", "a" * 257])
def test_a_secret_must_fit_a_header(secret: str) -> None:
    assert "unallowed" in refusal("setWebhook", url="http://127.0.0.1:9/x", secret_token=secret)


@pytest.mark.parametrize(
    ("name", "about"), [("Help", "帮助"), ("a b", "帮助"), ("help", ""), ("帮助", "帮助")]
)
def test_commands_of_the_menu_keep_to_the_rules(name: str, about: str) -> None:
    commands = json.dumps([{"command": name, "description": about}])

    assert "BOT_COMMAND_INVALID" in refusal("setMyCommands", commands=commands)


def test_a_press_is_answered_once() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            markup = keyboard(text="是", callback_data="1:0")
            await call("sendMessage", chat_id=str(WANG), text="灯", reply_markup=markup)
            server.press(WANG, "是")
            query = (await server.updates.poll(0, 100, 0))[-1]["callback_query"]
            assert query["data"] == "1:0"
            assert await call.why("answerCallbackQuery", callback_query_id=query["id"]) == ""
            assert "too old" in await call.why("answerCallbackQuery", callback_query_id=query["id"])

    run(story())


def test_who_blocked_the_bot_hears_nothing_until_he_writes_again() -> None:
    async def story() -> None:
        async with calling() as (call, server):
            server.blocked.add(WANG)
            assert "blocked" in await call.why("sendMessage", chat_id=str(WANG), text="灯")
            server.say(WANG, "我回来了")
            assert await call.why("sendMessage", chat_id=str(WANG), text="灯") == ""

    run(story())


def test_too_many_messages_to_one_chat_must_wait() -> None:
    async def story() -> None:
        now = [0.0]
        server = TelegramServer(TOKEN, per_chat_second=2, now=lambda: now[0])
        async with server, httpx.AsyncClient(trust_env=False) as client:
            call = Caller(server, client)
            server.say(WANG, "你好")
            server.say(LI, "你好")
            answers = [await call("sendMessage", chat_id=str(WANG), text="灯") for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert answers[2].json()["parameters"] == {"retry_after": 1}
            assert (await call("sendMessage", chat_id=str(LI), text="灯")).is_success
            now[0] = 1.0
            assert (await call("sendMessage", chat_id=str(WANG), text="灯")).is_success

    run(story())


def test_json_and_nonsense_are_read_too() -> None:
    async def story() -> None:
        async with calling() as (call, server), httpx.AsyncClient(trust_env=False) as client:
            url = f"{server.base_url}{TOKEN}/sendMessage"
            assert (await client.post(url, json={"chat_id": WANG, "text": "灯"})).is_success
            reader, writer = await asyncio.open_connection(*server.base_url[7:-4].split(":"))
            writer.write(b"nonsense\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            assert (await call("getMe")).is_success

    run(story())


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("/help", [("bot_command", 0, 5)]),
        ("💡 @xiaoge_bot 灯", [("mention", 3, 11)]),
        ("/todo@xiaoge_bot 和 a/b c@d.invalid", [("bot_command", 0, 16)]),
        ("路灯坏了", []),
    ],
)
def test_commands_and_mentions_are_marked_as_clients_do(text: str, marks: list[tuple[str, int, int]]) -> None:
    assert [(mark["type"], mark["offset"], mark["length"]) for mark in marks_of(text)] == marks
