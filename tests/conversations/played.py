"""A town whose people sit on a platform: what they say goes through its stand-in and the real channel."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlmodel import Session, col

from bot.channel import Channel
from bot.message import Inbound
from models import Account, Person
from tests.channels.pictures import picture
from tests.conversations.driver import Driver
from tests.town import GROUP, Town, founded

T = TypeVar("T")
PATIENCE = 30.0


class PlayedTown:
    """Stands in a town's place for a talk: the same deeds, done at the far end.

    Args:
        town: founded, with everybody's account on the driver's channel.
        driver: the platform.
    """

    def __init__(self, town: Town, driver: Driver) -> None:
        self.town = town
        self.driver = driver
        self.read = town.read
        self.seats = town.seats
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._channel: Channel | None = None
        town.run = self.run  # type: ignore[method-assign]
        town._channels = self._channels  # type: ignore[method-assign]
        town.settle = self.settle  # type: ignore[method-assign]
        self._settle = Town.settle
        self._open()

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        """Run something in the one loop in which the platform and the channel live."""
        return asyncio.run_coroutine_threadsafe(story, self._loop).result(PATIENCE)

    def _open(self) -> None:
        async def accept(messages: Any) -> None:
            await self.town.lane.accept(messages)

        self._channel = self.run(self.driver.open(accept, lambda: self.town.now))
        endless = float("inf")  # nobody waits for real seconds in a test
        self._channel.can = replace(self._channel.can, per_second=endless, per_chat_second=endless)
        self.town.lane.stop()
        self.town._begin()
        self.town.lane.start()

    def _channels(self) -> dict[str, Channel]:
        assert self._channel is not None
        return {self._channel.name: self._channel}

    def end(self) -> None:
        """Stop channel and platform; the town itself is its owner's."""
        self.run(self.driver.close())
        self.run(self.driver.end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def settle(self) -> None:
        """Wait until nothing is under way, undecided or unsent."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self._settle(self.town)
                if not self.driver.under_way:
                    break
                await asyncio.sleep(0.005)
            await self._settle(self.town)

    # ---- what a talk does --------------------------------------------------------------------------------

    def name(self, who: str) -> str:
        """A person's name."""
        return self.town.name(who)

    def inbound(self, who: str, text: str = "", **more: object) -> Inbound:
        """What somebody says; it is taken to the far end by `send`."""
        return self.town.inbound(who, text, **more)

    def send(self, message: Inbound) -> None:
        """Say it there."""
        name = message.handle
        if message.group:
            self._do(self.driver.say_in_group(name, message.text, addressed=message.addressed))
        else:
            self._do(self.driver.say(name, message.text))

    def _do(self, deed: Coroutine[Any, Any, Any]) -> Any:
        async def done() -> Any:
            came = await deed
            await self.settle()
            return came

        return self.run(done())

    def press(self, who: str, label: str) -> None:
        """Press a button, or answer with its number where the platform shows none."""
        if not self._do(self.driver.press(self.name(who), label)):
            number = next(n for n, words in self._numbers(who) if words == label)
            self._do(self.driver.say(self.name(who), str(number)))

    def _numbers(self, who: str) -> list[tuple[int, str]]:
        from tests.town import numbered

        for told in reversed(self.driver.heard(self.name(who))):
            found = numbered(told)
            if found:
                return found
        return []

    def photo(self, who: str, text: str = "") -> None:
        """Send a picture."""
        self._do(self.driver.send_photo(self.name(who), picture(), text))

    def file(self, who: str, name: str, data: bytes) -> None:
        """Send a file."""
        self._do(self.driver.send_file(self.name(who), name, data))

    def place(self, who: str, lat: float, lon: float) -> None:
        """Send where one is."""
        self._do(self.driver.send_place(self.name(who), lat, lon))

    def news(self, who: str) -> list[str]:
        """What a person was told since one last looked."""
        name = self.name(who)
        told = self.driver.heard_in_group() if name == GROUP else self.driver.heard(name)
        new = list(told[self.read[name] :])
        self.read[name] = len(told)
        return new

    def restart(self) -> None:
        """The program stops and starts again; the platform goes on."""
        self.run(self.driver.close())
        self._open()

    def wait(self, **span: float) -> None:
        """Time passes."""
        self.town.wait(**span)

    def until(self, moment: Any) -> None:
        """Time passes until a moment."""
        self.town.until(moment)


@contextmanager
def played(place: str, url: str, driver: Driver, now: Any) -> Iterator[PlayedTown]:
    """A town of a place whose people have their accounts on the driver's platform."""
    with founded(place, url, now=now) as town:
        with town.desk.session() as session:
            _move(session, driver)
        there = PlayedTown(town, driver)
        try:
            yield there
        finally:
            there.end()


def _move(session: Session, driver: Driver) -> None:
    people = session.execute(select(col(Account.id), col(Person.name)).join(Person)).all()
    for account, name in people:
        at = driver.handle(name)
        moved = {"channel": driver.name, "handle": at, "chat": at}
        session.execute(update(Account).where(col(Account.id) == account).values(moved))
