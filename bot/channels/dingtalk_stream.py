"""The line to DingTalk's gateway: deliveries come in by it, and each is confirmed when it is kept."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bot.channels.dingtalk_api import MESSAGES, Api
from bot.channels.edge import load_json
from bot.leases import Leases, LocalLeases

log = logging.getLogger(__name__)

# At its finer levels the library logs the line's address, which holds a ticket.
logging.getLogger("websockets").setLevel(logging.WARNING)

SILENCE: Final = 600.0
"""Seconds without a single frame after which a line is held for dead, whatever it answers to pings."""
BRIEF: Final = 10.0
"""Seconds: when a line ends sooner, the next one is not opened without a rest."""
_KNOCKS: Final = 20.0
"""Seconds between two pings; as long until one that is not answered ends the line."""

_TOLD: Final = 60.0
"""Seconds between two times it is kept that a line is held; the watch waits for ten minutes."""

Take = Callable[[str], Awaitable[None]]
"""Keeps what was delivered; raises when it could not, and it is delivered again."""


class Stream:
    """Holds one line at a time; other processes may hold their own, the gateway shares deliveries out.

    Args:
        api: opens lines.
        take: keeps a delivery.
        silence: seconds without a frame after which the line is opened anew.
        leases: where it is kept that a line is held, so that the watch says when none is. Any number of
            processes may hold one, so whose lease it is means nothing.
    """

    def __init__(self, api: Api, take: Take, silence: float = SILENCE, leases: Leases | None = None) -> None:
        self._api = api
        self._take = take
        self._silence = silence
        self._leases = leases or LocalLeases()
        self._lease = f"dingtalk:{api.app.client_id}"

    async def hold(self) -> None:
        """Open a line and listen until it ends. Raises when it could not be opened, or ended soon."""
        endpoint, ticket = await self._api.open_line()
        address = f"{endpoint}?ticket={quote(ticket, safe='')}"
        async with connect(
            address, open_timeout=_KNOCKS, ping_interval=_KNOCKS, ping_timeout=_KNOCKS, close_timeout=1
        ) as line:
            since = asyncio.get_running_loop().time()
            telling = asyncio.create_task(self._tell_it_is_held(), name="dingtalk's lease")
            try:
                why = await self._listen(line)
            finally:
                telling.cancel()
        if asyncio.get_running_loop().time() - since < BRIEF:
            raise ConnectionError(f"the line to DingTalk ended soon: {why}")
        log.info("the line to DingTalk ended, another is opened: %s", why)

    async def _tell_it_is_held(self) -> None:
        while True:
            try:
                await self._leases.take(self._lease)
            except Exception as error:  # noqa: BLE001 - a database that is away: the line is held all the same
                log.warning("a lease was not prolonged: %s", type(error).__name__)
            await asyncio.sleep(_TOLD)

    async def forget(self) -> None:
        """Say that no line is held because none is wanted; what fails is told by the watch for two days."""
        with suppress(Exception):
            await self._leases.give_back(self._lease)

    async def _listen(self, line: ClientConnection) -> str:
        """Answer frames until the line ends. Returns why it did."""
        try:
            while await self._next(line):
                pass
        except ConnectionClosed:
            return "it was cut"
        except TimeoutError:
            return f"nothing came for {self._silence:.0f} s"
        return "the gateway asked for it"

    async def _next(self, line: ClientConnection) -> bool:
        """Wait for a frame and answer it. Returns whether the line goes on."""
        async with asyncio.timeout(self._silence):
            raw = await line.recv()
        frame = _frame(raw)
        if frame is None:
            log.warning("a frame of %d bytes cannot be read", len(raw))
            return True
        kind, headers, data = frame
        topic = str(headers.get("topic", ""))
        if kind == "SYSTEM":
            if topic == "ping":
                await line.send(_ack(headers, data))
            return topic != "disconnect"
        if kind == "CALLBACK" and topic == MESSAGES:
            await self._deliver(line, headers, data)
        elif kind == "EVENT":
            await line.send(_ack(headers, json.dumps({"status": "SUCCESS", "message": "success"})))
        else:
            await line.send(_ack(headers, json.dumps({"response": None})))
        return True

    async def _deliver(self, line: ClientConnection, headers: dict[str, Any], data: str) -> None:
        """Confirm what is kept. What could not be kept is not confirmed, so it comes again."""
        try:
            await self._take(data)
        except Exception as error:  # noqa: BLE001 - a full disk, a database that is away: the line stays
            log.warning("a message could not be kept and is awaited again: %s", type(error).__name__)
            return
        await line.send(_ack(headers, json.dumps({"response": None})))


def _frame(raw: str | bytes) -> tuple[str, dict[str, Any], str] | None:
    """Kind, headers and data of a frame; None for what is no frame."""
    try:
        frame = load_json(raw.encode() if isinstance(raw, str) else raw)
        kind, headers, data = frame["type"], frame["headers"], frame.get("data", "")
    except Exception:  # noqa: BLE001 - bytes from outside
        return None
    if not isinstance(kind, str) or not isinstance(headers, dict):
        return None
    return kind, headers, data if isinstance(data, str) else json.dumps(data)


def _ack(headers: dict[str, Any], data: str) -> str:
    """Write the confirmation of a frame."""
    named = {"messageId": headers.get("messageId", ""), "contentType": "application/json"}
    return json.dumps({"code": 200, "headers": named, "message": "OK", "data": data}, ensure_ascii=False)
