"""Pages are woken when there is something to read, by whichever thread, and never sleep through it."""

import asyncio
import threading

import pytest

from bot.channel import Request, Sent, Unreadable
from bot.channels import webchat
from bot.channels.webchat import Hub, WebChatChannel
from tests.channels.stages import WANG, outbound, run


def test_a_message_wakes_every_page_of_its_chat_and_no_other() -> None:
    async def story() -> None:
        channel = WebChatChannel()
        mine = [asyncio.create_task(channel.hub.wait(str(WANG), 20)) for _ in range(2)]
        others = asyncio.create_task(channel.hub.wait("other", 0.05))
        await asyncio.sleep(0)
        assert await channel.send(outbound("灯", mail_id=7)) == Sent("7")

        assert await asyncio.gather(*mine) == [True, True]
        assert await others is False

    run(story())


def test_what_is_said_between_reading_and_waiting_is_not_missed() -> None:
    async def story() -> None:
        hub = Hub()
        noted = hub.number
        hub.wake("chat")

        assert await hub.wait("chat", 20, since=noted)
        assert not await hub.wait("chat", 0.01, since=hub.number)
        assert not await hub.wait("chat", 0.01)

    run(story())


def test_only_news_of_its_own_chat_counts() -> None:
    async def story() -> None:
        hub = Hub()
        noted = hub.number
        hub.wake("other")

        assert not await hub.wait("chat", 0.01, since=noted)

    run(story())


def test_a_chat_whose_news_was_forgotten_looks_once_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webchat, "REMEMBERED", 2)

    async def story() -> None:
        hub = Hub()
        noted = hub.number
        for chat in ("chat", "a", "b"):
            hub.wake(chat)

        assert await hub.wait("chat", 20, since=noted)
        assert not await hub.wait("chat", 0.01, since=hub.number)

    run(story())


def test_any_thread_may_publish() -> None:
    async def story() -> None:
        hub = Hub()
        waiting = asyncio.create_task(hub.wait("chat", 20))
        await asyncio.sleep(0)
        thread = threading.Thread(target=hub.wake, args=("chat",))
        thread.start()

        assert await waiting
        thread.join()

    run(story())


def test_a_page_that_leaves_is_not_remembered() -> None:
    async def story() -> None:
        hub = Hub()
        waiting = asyncio.create_task(hub.wait("chat", 20))
        await asyncio.sleep(0)
        assert hub.watched == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert hub.watched == 0
        hub.wake("chat")

    run(story())


def test_there_is_no_webhook() -> None:
    with pytest.raises(Unreadable):
        WebChatChannel().parse(Request({}, {}, b"{}"))
