"""The postman: several chats at once, each in its own order."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlmodel import Session, col

from bot.channel import Can, Gone, Outcome
from bot.channels.memory import MemoryChannel
from bot.channels.telegram import TelegramChannel
from bot.message import Outbound
from bot.postman import Postman
from models import Account, MailState, Outbox
from tests.town import Town, founded

AT_ONCE = 4


class Slow(MemoryChannel):
    """A channel on which one chat takes its time."""

    def __init__(self, chat: str) -> None:
        super().__init__(
            "memory", Can(per_second=float("inf"), per_chat_second=float("inf"), at_once=AT_ONCE)
        )
        self._chat = chat
        self.answers = asyncio.Event()
        self.tries = 0
        self._changed = asyncio.Condition()

    async def send(self, message: Outbound) -> Outcome:
        """Wait where the slow chat is meant."""
        if message.chat == self._chat:
            self.tries += 1
            await self.answers.wait()
        outcome = await super().send(message)
        async with self._changed:
            self._changed.notify_all()
        return outcome

    async def until(self, chat: str, count: int) -> None:
        """Wait until a chat was told so much."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: len(self.sent[chat, chat]) >= count), 10)


@pytest.fixture
def town(migrated_url: str) -> Iterator[Town]:
    with founded("default", migrated_url) as town:
        yield town


def said(channel: MemoryChannel, who: str) -> list[int]:
    """Letters a person got, by their numbers."""
    return [message.mail_id for message in channel.sent[who, who]]


def sent(town: Town) -> int:
    with Session(town.database.reader) as session:
        query = select(func.count()).where(col(Outbox.state) == MailState.SENT)
        return int(session.execute(query).scalar_one())


def test_a_slow_chat_holds_up_nobody_else(town: Town) -> None:
    async def story() -> tuple[Slow, int]:
        channel = Slow("慢")
        postman = Postman(town.lane, town.book, {"memory": channel}, lambda: town.now)
        carrying = asyncio.create_task(postman.run())
        for who in ("慢", "快", "慢", "快", "慢", "快"):
            await town.lane.accept([town.inbound(who, "帮助")])
        postman.nudge()
        await channel.until("快", 3)
        meanwhile = len(said(channel, "慢"))
        channel.answers.set()
        await channel.until("慢", 3)
        postman.stop()
        await carrying
        return channel, meanwhile

    channel, meanwhile = asyncio.run(story())

    assert meanwhile == 0
    assert said(channel, "慢") == sorted(said(channel, "慢"))
    assert said(channel, "快") == sorted(said(channel, "快"))
    assert sent(town) == 6


def test_whoever_is_slow_gets_one_letter_after_the_other(town: Town) -> None:
    async def story() -> int:
        channel = Slow("慢")
        postman = Postman(town.lane, town.book, {"memory": channel}, lambda: town.now)
        await town.lane.accept([town.inbound("慢", "帮助") for _ in range(3)])
        await town.lane.run(lambda _: None)
        while town.lane.waiting:
            await town.lane.run(lambda _: None)
        for _ in range(3):
            await postman.round()
        tries = channel.tries
        channel.answers.set()
        await postman.drain()
        return tries

    assert asyncio.run(story()) == 1
    assert sent(town) == 3


def test_telegram_serves_few_enough_at_once_that_a_crash_repeats_little() -> None:
    assert 1 < TelegramChannel.can.at_once <= 5


class Together(MemoryChannel):
    """A channel that tells many people the same words in one call; one of them has left."""

    def __init__(self) -> None:
        endless = float("inf")
        super().__init__("memory", Can(per_second=endless, per_chat_second=endless, together=4))
        self.calls: list[int] = []

    async def send_together(self, messages: Sequence[Outbound]) -> Sequence[Outcome]:
        """Count the call."""
        self.calls.append(len(messages))
        return [Gone("left") if one.chat == "走了" else await self.send(one) for one in messages]


def test_the_same_words_go_to_many_in_one_call(town: Town) -> None:
    channel = Together()
    town.now += timedelta(minutes=5)
    people = list(town.people)[:10]
    with town.desk.session() as session:
        left = update(Account).where(col(Account.person_id) == people[3]).values(chat="走了", handle="走了")
        session.execute(left)
    with town.desk.work() as work:
        for person in people:
            work.tell(person, "small.thanks", key="n")
        work.tell(people[0], "small.ack", key="other")
    postman = Postman(town.lane, town.book, {"memory": channel}, lambda: town.now)
    asyncio.run(postman.drain())

    assert sorted(channel.calls, reverse=True)[:2] == [4, 4]
    assert {town.people[person]: len(said(channel, town.people[person])) for person in people} == {
        town.people[person]: {people[0]: 2, people[3]: 0}.get(person, 1) for person in people
    }
