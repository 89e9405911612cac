"""The demo town in a terminal: whoever sits before it plays everybody in turn, and moves the clock."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.build import Program, build
from app.registry import found
from app.settings import Settings
from bot.channels.terminal import TerminalChannel
from bot.message import Inbound
from handbook import open_book
from models import Inbox, InboxState

EVERY = 1.0
"""Seconds between two looks for what time alone has brought."""
HELP = "「+30m」「+2h」「+1d」把时钟拨快;「+」拨到下一个时限。"
_MOVE = re.compile(r"[+＋]\s*(?:(\d+(?:\.\d+)?)\s*(m|分钟?|h|小时|d|天))?")
_MINUTES = {"m": 1, "分": 1, "分钟": 1, "h": 60, "小时": 60, "d": 1440, "天": 1440}


async def talk(settings: Settings, source: TextIO | None = None, out: TextIO | None = None) -> None:
    """Speak until there are no more lines.

    Args:
        settings: the database has its tables already.
        source: instead of standard input.
        out: instead of standard output.
    """
    residents = open_book(settings.place).town.residents
    channel = TerminalChannel(residents[0].name if residents else "我", source, out)
    program = build(settings, demo=True, channel=channel)
    stage = _Stage(program, channel, out)
    found(program.desk, channel.name)
    await program.start_writing()
    await program.runner.start()
    await channel.start(stage.hear)
    stage.say(HELP)
    beat = asyncio.create_task(stage.beat())
    await channel.ended.wait()
    beat.cancel()
    await program.stop()


class _Stage:
    """Hands each line on, and lets everything it leads to be said before the next one."""

    def __init__(self, program: Program, channel: TerminalChannel, out: TextIO | None) -> None:
        self._program = program
        self._channel = channel
        self._out = out
        self._turn = asyncio.Lock()

    def say(self, words: str) -> None:
        """Print a line of the stage's own."""
        print(words, file=self._out, flush=True)

    async def hear(self, messages: Sequence[Inbound]) -> None:
        """Keep messages as any channel's, but for those which move the clock."""
        async with self._turn:
            for message in messages:
                move = _MOVE.fullmatch(message.text.strip())
                if move is None:
                    await self._program.lane.accept([message])
                else:
                    await self._move(move)
                await self._settle()

    async def _move(self, move: re.Match[str]) -> None:
        minutes = float(move[1]) * _MINUTES[move[2]] if move[1] else None
        now = await self._program.advance(minutes)
        self.say(f"(现在是{_shown(now.astimezone(self._program.book.zone))})")

    async def _settle(self) -> None:
        """Wait until every message is decided and every answer printed."""
        while await self._program.lane.run(_undecided, quiet=True):
            pass
        await self._program.postman.drain()
        if await self._program.list_reader.round():
            await self._program.postman.drain()

    async def beat(self) -> None:
        """Say what time alone brings, between two lines."""
        while True:
            await asyncio.sleep(EVERY)
            async with self._turn:
                await self._program.postman.drain()


def _undecided(session: Session) -> int:
    query = select(func.count()).where(col(Inbox.state) == InboxState.WAITING)
    return int(session.execute(query).scalar_one())


def _shown(local: datetime) -> str:
    return f"{local.month}月{local.day}日{local:%H:%M}"
