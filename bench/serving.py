"""Serves the product's own web door over loopback with the memory channel, for load from another process."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlmodel import col

from bench.apart import answer
from bench.databases import database, use_throwaway_keys
from bench.people import PLACE, settle
from bench.questions import answer_questions
from bot.channel import Can, Outcome
from bot.channels.memory import MemoryChannel
from bot.channels.webchat import Hub
from bot.keeping import SealedStore
from bot.lane import Lane
from bot.media import MediaStore
from bot.message import Outbound
from bot.postman import Postman
from handbook import open_book
from handlers.work import Desk
from models import Inbox, InboxState
from models.database import Database, open_database
from web.app import make_app
from web.parts import Parts

RESIDENTS = 20_000


class _Heard(MemoryChannel):
    """Notes when each answer was handed to the channel."""

    def __init__(self) -> None:
        super().__init__(can=Can(buttons=True, per_second=float("inf"), per_chat_second=float("inf")))
        self.handed: dict[str, float] = {}

    async def send(self, message: Outbound) -> Outcome:
        """Note the moment of the first answer in a chat."""
        self.handed.setdefault(message.chat, perf_counter())
        return await super().send(message)


def serve(opened: Database, kind: str) -> None:
    """Serve until standard input ends; answers `waiting`, `done` and `handed` on the way."""
    desk = Desk(opened, open_book(PLACE), lambda: datetime.now(UTC))
    settle(desk, RESIDENTS)
    channel = _Heard()
    posts: list[Postman] = []
    lane = Lane(desk, writers=1 if kind == "sqlite" else 4, on_mail=_nudging(posts))
    postman = Postman(lane, desk.book, {channel.name: channel}, desk.now)
    posts.append(postman)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lane.start()
        carrying = asyncio.create_task(postman.run())
        yield
        postman.stop()
        await carrying
        await asyncio.to_thread(lane.stop)

    media = Path(sys.argv[2])
    parts = Parts(desk, lane, {channel.name: channel}, MediaStore(media), SealedStore(media / "lists"), Hub())
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(make_app(parts, lifespan), access_log=False, log_level="error")
    server = uvicorn.Server(config)
    answer(listener.getsockname()[1])
    answer_questions(server, lambda what: _know(what, lane, desk, channel))
    server.run(sockets=[listener])


def _nudging(posts: list[Postman]) -> Callable[[], None]:
    """The lane is made before its postman is."""

    def nudge() -> None:
        posts[0].nudge()

    return nudge


def _know(what: str, lane: Lane, desk: Desk, channel: _Heard) -> Any:
    if what == "handed":
        return channel.handed
    with desk.database.reader.connect() as connection:
        done = connection.execute(
            select(func.count()).where(col(Inbox.state) == InboxState.DONE)
        ).scalar_one()
    return {"waiting": lane.waiting, "done": done}


if __name__ == "__main__":
    use_throwaway_keys()
    with database(sys.argv[1]) as url:
        lent = open_database(url, writers=1 if sys.argv[1] == "sqlite" else 4)
        try:
            serve(lent, sys.argv[1])
        finally:
            lent.close()
