"""The chat on our own pages: nothing is sent, the page is woken and reads what was said."""

import asyncio
import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence

from bot.channel import Accept, Can, Outcome, Request, Sent, Unreadable
from bot.channels.edge import fingerprint
from bot.message import Inbound, Outbound

REMEMBERED = 10_000
"""Chats whose last news is remembered; an older one is woken once too often, which costs one look."""


class Hub:
    """Wakes the pages that wait for news of a chat.

    The words themselves are read from the database, which every process sees; this only saves the asking.
    News is numbered: a page that notes `number` before it reads, and waits from there, misses nothing.
    Any thread may publish.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._newest = 0
        self._forgotten = 0
        self._last: OrderedDict[str, int] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    @property
    def number(self) -> int:
        """Number of the newest news in any chat: to be noted before the history is read."""
        return self._newest

    @property
    def watched(self) -> int:
        """How many chats have a page that waits."""
        return len(self._waiting)

    def publish(self, chat: str, handle: str, message: Outbound) -> None:
        """Tell whoever waits for the chat that a message was said in it."""
        self.wake(chat)

    def wake(self, chat: str) -> None:
        """Tell whoever waits for the chat to look again; after a commit that changed what it shows."""
        with self._lock:
            self._newest = self._last[chat] = next(self._numbers)
            self._last.move_to_end(chat)
            if len(self._last) > REMEMBERED:
                self._forgotten = self._last.popitem(last=False)[1]
            waiting = self._waiting.pop(chat, set())
        for future in waiting:
            future.get_loop().call_soon_threadsafe(_settle, future)

    async def wait(self, chat: str, timeout: float, since: int | None = None) -> bool:
        """Wait for news of a chat.

        Args:
            chat: whose news.
            timeout: seconds to wait at most.
            since: the `number` noted before the history was read; None: only what comes from now on.

        Returns:
            True when there is something to read, False when the time has passed.
        """
        with self._lock:
            if since is not None and self._last.get(chat, self._forgotten) > since:
                return True
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(chat, set()).add(future)
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False
        finally:
            self._leave(chat, future)
        return True

    def _leave(self, chat: str, future: asyncio.Future[None]) -> None:
        with self._lock:
            waiting = self._waiting.get(chat)
            if waiting is not None:
                waiting.discard(future)
                if not waiting:
                    del self._waiting[chat]


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class WebChatChannel:
    """Our own pages as a channel: the post comes through the web door, the answer waits in the database."""

    name = "webchat"
    can = Can(
        buttons=True,
        photos=True,
        places=True,
        webhook=False,
        longest=8000,
        per_second=1000.0,
        per_chat_second=1000.0,
        at_once=50,  # a page that is woken twice looks twice, and shows the same
    )

    def __init__(self, hub: Hub | None = None) -> None:
        self.hub = hub or Hub()

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Read nothing: posts of the page come with a session, through the web door itself."""
        raise Unreadable(fingerprint(request.body), "the web chat has no webhook")

    async def send(self, message: Outbound) -> Outcome:
        """Wake the page; whether anybody looks at it is not known."""
        self.hub.publish(message.chat, message.handle, message)
        return Sent(str(message.mail_id))

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Fetch nothing: the page's uploads are kept before the message is."""
        return None

    async def start(self, accept: Accept) -> None:
        """Do nothing: the web door listens."""

    async def stop(self) -> None:
        """Do nothing: no connection is held."""
