"""Connections on which a channel calls its platform: opened at the first call, closed without cutting one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import httpx

GRACE: Final = 3.0
"""Seconds that calls under way have to come back: a letter whose answer is cut off would be sent twice."""

# The client logs addresses, and many of the platforms' hold a token or a key.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Closed(ConnectionError):
    """The channel is being stopped: what was to be called is called again after the next start."""


class Caller:
    """Calls by HTTP.

    Args:
        patience: seconds until a call that is not answered is given up.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._client: httpx.AsyncClient | None = None
        self._closed = False
        self._under_way = 0
        self._changed = asyncio.Event()

    def open(self) -> None:
        """Let calls through again."""
        self._closed = False

    async def post(self, address: str, **more: Any) -> httpx.Response:
        """Call. Raises httpx.HTTPError, or Closed."""
        async with self._calling() as client:
            return await client.post(address, **more)

    @asynccontextmanager
    async def get(self, address: str) -> AsyncIterator[httpx.Response]:
        """Read what may be long, piece by piece. Raises httpx.HTTPError, or Closed."""
        async with self._calling() as client, client.stream("GET", address) as answer:
            yield answer

    async def close(self) -> None:
        """Let no further call through, and give those under way a little time."""
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                while self._under_way:
                    await self._changed.wait()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[httpx.AsyncClient]:
        if self._closed:
            raise Closed("the channel is stopped")
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._patience)
        self._under_way += 1
        try:
            yield self._client
        finally:
            self._under_way -= 1
            self._changed.set()
            self._changed = asyncio.Event()
