"""The stand-in for Telegram in a thread of its own, for tests whose program runs in other processes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.channels.telegram_server import TelegramServer

SECRET = "a-fictional-secret-of-32-letters"


@dataclass
class FarEnd:
    """Telegram, as far as the program can tell."""

    server: TelegramServer
    address: str

    def settings(self, port: int) -> dict[str, str]:
        """What the program is told to find it, and to be found at the port."""
        return {
            "XIAOGE_TELEGRAM_TOKEN": self.server.token,
            "XIAOGE_TELEGRAM_SECRET": SECRET,
            "XIAOGE_TELEGRAM_BASE_URL": self.address,
            "XIAOGE_TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/hooks/telegram",
        }


@contextmanager
def telegram() -> Iterator[FarEnd]:
    """Play Telegram until the block ends."""
    loop, up = asyncio.new_event_loop(), threading.Event()
    server = TelegramServer()

    async def play(end: asyncio.Event) -> None:
        async with server:
            up.set()
            await end.wait()

    end = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(play(end),))
    thread.start()
    up.wait()
    try:
        yield FarEnd(server, server.base_url.removesuffix("/bot"))
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()
