"""The open answer: words go with it once, whatever races with it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Closed, Sent
from bot.channels.wechat_answering import LONGEST, Answering, merged
from bot.channels.wecom_delivery import xml_of
from bot.message import Inbound
from tests.channels.stages import outbound, run
from tests.channels.wechat_stage import hooked, played
from tests.channels.wecom_stage import NOON

WANG = "6100001"


def custom(server: object) -> int:
    return sum(path == "message/custom/send" for path, _ in server.calls)  # type: ignore[attr-defined]


class Replies:
    """Says something to whoever writes, as the postman would; in the background."""

    def __init__(self, *letters: tuple[str, ...]) -> None:
        self.letters = letters
        self.tasks: list[asyncio.Task[object]] = []
        self.channel: object = None
        self.seen: set[str] = set()
        self.go = asyncio.Event()
        self.go.set()

    def __call__(self, inbounds: list[Inbound]) -> None:
        for inbound in inbounds:
            if inbound.message_id not in self.seen:  # the inbox keeps a message once
                self.seen.add(inbound.message_id)
                for number, parts in enumerate(self.letters):
                    self.tasks.append(asyncio.create_task(self._send(number, parts)))

    async def _send(self, number: int, parts: tuple[str, ...]) -> object:
        await self.go.wait()
        return await self.channel.send(outbound(*parts, mail_id=number + 1))  # type: ignore[attr-defined]

    async def outcomes(self) -> list[object]:
        return list(await asyncio.gather(*self.tasks))


@pytest.mark.parametrize("key", ["", "fictional1fictional2fictional3fictional4fic"])
def test_what_is_said_in_time_is_the_answer_and_costs_no_message(key: str) -> None:
    async def story() -> None:
        async with played(key) as (server, channel, _):
            replies = Replies(("已登记，编号0301-0001。",), ("请发一张照片。",))
            replies.channel = channel
            async with hooked(server, channel, replies):
                await server.say(WANG, "路灯坏了")
                assert await replies.outcomes() == [Sent("answer"), Sent("answer")]
            assert server.heard(WANG) == ["已登记，编号0301-0001。\n\n请发一张照片。"]
            assert custom(server) == 0

    run(story())


def test_what_does_not_fit_goes_behind_it_in_order() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            replies = Replies(("一" * 500, "二" * 500), ("三",))
            replies.channel = channel
            async with hooked(server, channel, replies):
                await server.say(WANG, "路灯坏了")
                assert all(isinstance(one, Sent) for one in await replies.outcomes())
            assert server.heard(WANG) == ["一" * 500, "二" * 500, "三"]
            assert custom(server) == 2

    run(story())


def test_where_nothing_is_said_in_time_the_words_come_by_a_message() -> None:
    async def story() -> None:
        async with played(answering=Answering(patience=0.05, grace=0.0)) as (server, channel, _):
            replies = Replies(("已登记",))
            replies.channel = channel
            replies.go.clear()
            async with hooked(server, channel, replies) as door:
                await server.say(WANG, "路灯坏了")
                assert server.heard(WANG) == []
                replies.go.set()
                assert await replies.outcomes() == [Sent("custom")]
            assert [answer.body for answer in door.answers] == ["success"]
            assert server.heard(WANG) == ["已登记"]

    run(story())


def test_a_retry_while_the_first_is_being_decided_gets_the_words_and_nobody_hears_them_twice() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            replies = Replies(("已登记",))
            replies.channel = channel
            replies.go.clear()
            async with hooked(server, channel, replies) as door:
                xml = xml_of(said("77"))
                first = asyncio.create_task(server.courier.try_once(xml))
                while not replies.seen:
                    await asyncio.sleep(0)
                second = asyncio.create_task(server.courier.try_once(xml))
                cut = await first  # WeChat has hung up on it: it is let go as soon as the next one is there
                assert cut is not None
                assert cut.text == "success"
                replies.go.set()
                answer = await second
                assert answer is not None
                assert "Encrypt" in answer.text
                assert await replies.outcomes() == [Sent("answer")]
            assert [answer.sent is not None for answer in door.answers] == [False, True]
            assert custom(server) == 0

    run(story())


def test_the_platform_itself_cuts_and_tries_again() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.courier._patience = 0.2
            replies = Replies(("已登记",))
            replies.channel = channel
            replies.go.clear()
            async with hooked(server, channel, replies):
                asyncio.get_running_loop().call_later(0.3, replies.go.set)
                delivery = await server.send(WANG, "text", Content="路灯坏了")
                assert await replies.outcomes() == [Sent("answer")]
            assert delivery.answers[0] is None
            assert delivery.answers[-1] == 200
            assert server.heard(WANG) == ["已登记"]

    run(story())


def test_an_answer_that_was_cut_is_told_again_to_the_retry() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            replies = Replies(("已登记",))
            replies.channel = channel
            async with hooked(server, channel, replies) as door:
                door.writes = False
                xml = xml_of(said("78"))
                assert await server.courier.try_once(xml) is None
                door.writes = True
                await server.deliver(WANG, "78", xml)
                assert server.heard(WANG)[:1] == ["已登记"]
                for task in replies.tasks:
                    task.cancel()

    run(story())


def test_an_answer_that_was_never_written_is_said_by_a_message() -> None:
    async def story() -> None:
        async with played(answering=Answering(grace=0.0, lost=0.05)) as (server, channel, _):
            replies = Replies(("已登记",))
            replies.channel = channel
            async with hooked(server, channel, replies) as door:
                door.writes = False
                await server.say(WANG, "路灯坏了")  # its last try is lost as well
                assert await replies.outcomes() == [Sent("custom")]
            assert "已登记" in server.heard(WANG)

    run(story())


def test_a_delivery_that_came_late_is_not_answered_with_words() -> None:
    """The writer was busy for longer than WeChat waits: whoever asked has hung up."""

    async def story() -> None:
        answering = Answering(timer=lambda: 100.0, grace=0.0)
        late = asyncio.create_task(answering.wait(WANG, "1", arrived=95.0))
        await asyncio.sleep(0)
        assert await answering.offer(WANG, ["已登记"]) == 0
        assert await late is None
        assert await answering.offer(WANG, ["已登记"]) == 0

    run(story())


def test_somebody_elses_answer_takes_nothing() -> None:
    async def story() -> None:
        async with played(answering=Answering(patience=0.1, grace=0.0)) as (server, channel, _):
            await server.say("6100002", "你好")
            async with hooked(server, channel):
                waiting = asyncio.create_task(server.say(WANG, "你好"))
                outcome = await channel.send(outbound("给别人", chat="6100002"))
                await waiting
            assert outcome == Sent("custom")
            assert (server.heard("6100002"), server.heard(WANG)) == (["给别人"], [])

    run(story())


def test_an_unverified_account_answers_and_says_nothing_unasked() -> None:
    async def story() -> None:
        async with played(verified=False) as (server, channel, clock):
            replies = Replies(("一",), ("二",), ("三",))
            replies.channel = channel
            await server.say(WANG, "你好")
            outcome = await channel.send(outbound("早上的消息", mail_id=9))
            assert isinstance(outcome, Closed)
            assert custom(server) == 1
            assert isinstance(await channel.send(outbound("早上的消息", mail_id=9)), Closed)
            assert custom(server) == 1, "it is remembered"
            async with hooked(server, channel, replies):
                await server.say(WANG, "进度")
                assert await replies.outcomes() == [Sent("answer")] * 3
            assert server.heard(WANG) == ["一\n\n二\n\n三"]
            clock.wait(hours=2)
            server.verified = True
            assert isinstance(await channel.send(outbound("下午的消息", mail_id=9)), Sent)

    run(story())


@given(letters=st.lists(st.lists(st.text("灯a💡\n", min_size=1, max_size=900), max_size=3), max_size=5))
def test_what_is_merged_is_a_beginning_and_fits(letters: list[list[str]]) -> None:
    words, counts = merged(letters)
    taken = [part for parts, count in zip(letters, counts, strict=True) for part in parts[:count]]

    assert len(words.encode()) <= LONGEST
    assert words == "\n\n".join(part.strip() for part in taken if part.strip())
    flat = [part for parts in letters for part in parts]
    assert flat[: len(taken)] == taken


def said(number: str) -> dict[str, object]:
    at = int(NOON.timestamp())
    return {
        "ToUserName": "gh_0000loopback",
        "FromUserName": WANG,
        "CreateTime": at,
        "MsgType": "text",
        "Content": "路灯坏了",
        "MsgId": number,
    }
