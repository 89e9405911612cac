"""The updates of a stand-in Telegram: polled for or posted to a webhook, kept until confirmed."""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Sequence

import httpx

from bot.channels.telegram_rules import Json, Trouble, check_secret


class Updates:
    """A queue in which an update stays until its reader says, or shows, that it has it.

    Args:
        retry_seconds: rest after a webhook that was not answered with 2xx.
    """

    def __init__(self, retry_seconds: float) -> None:
        self.webhook = ""
        self._secret = ""
        self._wanted: Sequence[str] = ()
        self._retry_seconds = retry_seconds
        self._queue: deque[Json] = deque()
        self._numbers = itertools.count(500_001)
        self._turn = 0
        self._changed = asyncio.Event()

    @property
    def pending(self) -> list[int]:
        """Numbers of the updates that are not confirmed, oldest first."""
        return [update["update_id"] for update in self._queue]

    def put(self, kind: str, content: Json) -> int:
        """Put an update into the queue, unless its kind is not wanted. Returns its number."""
        number = next(self._numbers)
        if not self._wanted or kind in self._wanted:
            self._queue.append({"update_id": number, kind: content})
            self._pulse()
        return number

    async def quiet(self) -> None:
        """Wait until every update is confirmed."""
        while self._queue:
            await self._changed.wait()

    async def poll(
        self, offset: int, limit: int, seconds: float, wanted: Sequence[str] | None = None
    ) -> list[Json]:
        """Answer getUpdates: forget what comes before the offset, and wait for what comes after.

        Raises Trouble 409 when a webhook is set, or another poll takes this one's place.
        """
        if self.webhook:
            raise _conflict("can't use getUpdates method while webhook is active")
        self._wanted = self._wanted if wanted is None else wanted
        self._turn = mine = self._turn + 1
        self._confirm(offset)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._queue and mine == self._turn and not self.webhook:
                    await self._changed.wait()
        if mine != self._turn:
            raise _conflict("terminated by other getUpdates request")
        if self.webhook:
            raise _conflict("terminated by setWebhook request")
        return list(self._queue)[:limit]

    def post_to(self, url: str, secret: str = "", wanted: Sequence[str] | None = None) -> None:
        """Set the webhook; an empty address takes it away. Raises Trouble."""
        self._secret = check_secret(secret)
        self.webhook = url
        self._wanted = self._wanted if wanted is None else wanted
        self._pulse()

    async def deliver(self) -> None:
        """Post updates to the webhook, one by one, for ever; again, what is not answered with 2xx."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                if not (self.webhook and self._queue):
                    await self._changed.wait()
                elif await self._post(client, self._queue[0]):
                    self._confirm(self._queue[0]["update_id"] + 1)
                else:
                    await asyncio.sleep(self._retry_seconds)

    async def _post(self, client: httpx.AsyncClient, update: Json) -> bool:
        head = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
        with contextlib.suppress(httpx.HTTPError):
            return (await client.post(self.webhook, json=update, headers=head)).is_success
        return False

    def _confirm(self, offset: int) -> None:
        """Forget what comes before the offset; a negative one counts from the end."""
        if offset < 0 and self._queue:
            offset = self.pending[max(offset, -len(self._queue))]
        while self._queue and self._queue[0]["update_id"] < offset:
            self._queue.popleft()
        self._pulse()

    def _pulse(self) -> None:
        """Wake all who wait for a change; who waits later waits for the next one."""
        self._changed.set()
        self._changed = asyncio.Event()


def _conflict(why: str) -> Trouble:
    return Trouble(409, f"Conflict: {why}")
