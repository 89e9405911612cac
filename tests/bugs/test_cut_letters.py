"""Found in review: a program that was stopped closed its channels under letters that were on their way.

The platform had them, we heard no answer, and the next start said them again.
"""

import asyncio
from pathlib import Path

from app.build import build
from app.registry import found
from bot.channel import Broken, Outcome
from bot.channels.memory import MemoryChannel
from bot.message import Inbound, Outbound
from models import MailState, Outbox
from tests.app.test_build import REPORT, rows, settings
from tests.town import BUTTONS


class SlowChannel(MemoryChannel):
    """Answers a call only after a while; a closed one answers nothing any more."""

    def __init__(self) -> None:
        super().__init__(can=BUTTONS)
        self.called = asyncio.Event()
        self.go = asyncio.Event()
        self.closed = False

    async def send(self, message: Outbound) -> Outcome:
        self.called.set()
        await self.go.wait()
        return Broken("the line was cut") if self.closed else await super().send(message)

    async def stop(self) -> None:
        self.closed = True
        self.go.set()


def test_a_letter_on_its_way_comes_home_before_its_channel_closes(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        channel = SlowChannel()
        program = build(settings(sqlite_url, tmp_path), channel=channel)
        found(program.desk, "memory")
        await program.start()
        message = Inbound(channel="memory", message_id="1", chat="王芳", handle="王芳", text=REPORT)
        await program.lane.accept([message])
        await channel.called.wait()
        stopping = asyncio.create_task(program.stop())
        await asyncio.sleep(0.05)
        channel.go.set()
        await stopping
        again = build(settings(sqlite_url, tmp_path), channel=MemoryChannel(can=BUTTONS))
        letters = rows(again, Outbox)
        again.database.close()

        assert channel.closed
        told = [letter for letter in letters if letter.chat == "王芳"]
        assert [letter.state for letter in told] == [MailState.SENT]
        assert channel.words("王芳")

    async def in_time() -> None:
        await asyncio.wait_for(story(), 30)

    asyncio.run(in_time())
