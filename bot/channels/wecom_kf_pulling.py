"""Pulling 微信客服's messages: WeCom only says that there are some, and is asked for what is new."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.channel import Accept, Unreadable
from bot.channels.insist import Rest, insist
from bot.channels.wecom_client import Json, WeComClient, WeComError
from bot.channels.wecom_kf_reading import Heard, read
from bot.cursors import Cursors
from bot.leases import Leases
from bot.message import Inbound

log = logging.getLogger(__name__)

EVERY: Final = 30.0
"""Seconds between two looks although nobody called: a callback may have been lost."""
SOON: Final = 1.0
"""Seconds until the next look while another process is pulling: it may have looked before our callback."""
MOST: Final = 1000
"""Entries of one page."""
FRESH: Final = timedelta(minutes=10)
"""How old what was said before the very first pull may be: WeCom hands out three days of it."""
_BAD_TOKEN: Final = 95007
Bury = Callable[[Unreadable, bytes], Awaitable[None]]
"""Keeps what was pulled and nobody can read."""


async def log_unreadable(error: Unreadable, body: bytes) -> None:
    """Say in the log that an entry was left out; its content stays out of the log."""
    log.error("entry %s of %d bytes cannot be read: %s", error.message_id, len(body), error)


class Puller:
    """Pulls one account's messages; of several processes one at a time.

    Args:
        client: of 微信客服.
        kf_id: the account, open_kfid.
        cursors: where it is kept how far the messages are.
        leases: whose turn it is to pull.
        notice: told of what is no message, such as somebody coming.
        bury: keeps what cannot be read.
        now: gives aware UTC.
        rest: waits between failures.
    """

    def __init__(
        self,
        client: WeComClient,
        kf_id: str,
        cursors: Cursors,
        leases: Leases,
        *,
        notice: Callable[[Heard], Awaitable[None]],
        bury: Bury,
        now: Callable[[], datetime],
        rest: Rest = asyncio.sleep,
    ) -> None:
        self._client = client
        self._kf_id = kf_id
        self._cursors = cursors
        self._leases = leases
        self._notice = notice
        self._bury = bury
        self._now = now
        self._insist = partial(insist, rest=rest, tell=str, asked=lambda error: getattr(error, "wait", 0.0))
        self._name = f"wecom_kf:{kf_id}"
        self._called = asyncio.Event()
        self._token = ""
        self._mine = False
        """The last turn to pull was ours."""

    def call(self, token: str) -> None:
        """WeCom says that there is something; with its token it may be asked more often."""
        self._token = token
        self._called.set()

    async def run(self, accept: Accept) -> None:
        """Pull at the start, at each call and every half minute, until cancelled."""
        while True:
            self._called.clear()
            self._mine = False
            await self._insist(partial(self._turn, accept))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), EVERY if self._mine else SOON)

    async def _turn(self, accept: Accept) -> None:
        self._mine = await self._leases.take(self._name)
        if not self._mine:
            return
        try:
            await self.pull(accept)
        finally:
            await self._leases.give_back(self._name)

    async def pull(self, accept: Accept) -> None:
        """Take page after page; each one's cursor is kept when its messages are, so that none is left out.

        What was pulled and not yet noted as that is pulled again, and kept once by its msgid.
        """
        more = True
        while more:
            cursor = await self._cursors.get(self._name)
            page = await self._page(cursor)
            await self._take(page.get("msg_list"), accept, first=not cursor)
            onward = page.get("next_cursor")
            more = bool(page.get("has_more")) and isinstance(onward, str) and onward != cursor
            if isinstance(onward, str) and onward and onward != cursor:
                await self._cursors.keep(self._name, onward)
            if more and not await self._leases.take(self._name):
                return

    async def _page(self, cursor: str) -> Json:
        body: Json = {"cursor": cursor, "open_kfid": self._kf_id, "limit": MOST, "voice_format": 0}
        token = self._token
        try:
            return await self._client.post("kf/sync_msg", body | ({"token": token} if token else {}))
        except WeComError as error:
            if error.code != _BAD_TOKEN or not token:
                raise
            self._token = "" if self._token == token else self._token
        return await self._client.post("kf/sync_msg", body)

    async def _take(self, entries: Any, accept: Accept, *, first: bool) -> None:
        found: list[Heard] = []
        for entry in entries if isinstance(entries, list) else ():
            try:
                found.append(read(entry))
            except Unreadable as error:
                await self._bury(error, repr(entry).encode("utf-8", "replace"))
        for heard in found:
            await self._notice(heard)
        inbounds = [heard.inbound for heard in found if heard.inbound is not None]
        fresh = self._not_too_old(inbounds) if first else inbounds
        if fresh:
            await accept(fresh)

    def _not_too_old(self, inbounds: Sequence[Inbound]) -> list[Inbound]:
        since = self._now() - FRESH
        fresh = [one for one in inbounds if one.sent_at is None or one.sent_at >= since]
        if len(fresh) < len(inbounds):
            log.warning("%d messages from before the first pull were left out", len(inbounds) - len(fresh))
        return fresh
