"""The stand-in's gateway: lines, and deliveries that come again until they are confirmed."""

import asyncio
import contextlib
import itertools
import json
import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bot.channels.loopback import HOST

logging.getLogger("websockets").setLevel(logging.WARNING)

MESSAGES: Final = "/v1.0/im/bot/messages/get"


@dataclass
class _Delivery:
    """A frame that is not confirmed yet."""

    text: str
    due: float = 0.0
    """When it is sent (again), by the loop's time."""
    line: ServerConnection | None = field(default=None, repr=False)


class Gateway:
    """Keeps lines and shares deliveries out among them. Use it with `async with`.

    Args:
        retry_seconds: so long a confirmation is waited for.
    """

    def __init__(self, retry_seconds: float) -> None:
        self.lines: list[ServerConnection] = []
        self.opened = 0
        """How many lines were ever opened."""
        self.confirmed: list[dict[str, Any]] = []
        """Confirmations, oldest first."""
        self._retry = retry_seconds
        self._tickets: set[str] = set()
        self._numbers = itertools.count(1)
        self._waiting: dict[str, _Delivery] = {}
        self._changed = asyncio.Event()
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gateway":
        self._server = await serve(self._hold, HOST, 0, process_request=self._admit, ping_interval=None)
        self._task = asyncio.create_task(self._deliver(), name="dingtalk's gateway")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._server is not None:
            for line in self.lines:
                line.transport.abort()
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where lines are opened. Only while it runs."""
        if self._server is None:
            raise RuntimeError("the gateway is not started")
        return f"ws://{HOST}:{next(iter(self._server.sockets)).getsockname()[1]}/connect"

    # -- what the stand-in does ---------------------------------------------------------------------------

    def ticket(self) -> str:
        """A ticket that opens one line."""
        ticket = f"ticket/{next(self._numbers)}=="
        self._tickets.add(ticket)
        return ticket

    def put(self, kind: str, topic: str, data: str) -> str:
        """Deliver something until it is confirmed. Returns the frame's number."""
        number = f"frame{next(self._numbers)}"
        self._waiting[number] = _Delivery(_frame(number, kind, topic, data))
        self._pulse()
        return number

    @property
    def pending(self) -> list[str]:
        """Numbers of frames that are not confirmed, oldest first."""
        return list(self._waiting)

    async def quiet(self) -> None:
        """Wait until all is confirmed."""
        while self._waiting:
            await self._changed.wait()

    async def opening(self, lines: int = 1) -> None:
        """Wait until so many lines are open."""
        while len(self.lines) < lines:
            await self._changed.wait()

    async def say(self, topic: str, data: str = "{}") -> None:
        """Tell every line something of the system: ping, disconnect."""
        for line in list(self.lines):
            with contextlib.suppress(ConnectionClosed):
                await line.send(_frame(f"system{next(self._numbers)}", "SYSTEM", topic, data))

    async def send_raw(self, text: str) -> None:
        """Send every line something that is no frame."""
        for line in list(self.lines):
            await line.send(text)

    def cut(self) -> None:
        """Cut every line, as a broken network does."""
        for line in list(self.lines):
            line.transport.abort()

    # -- lines --------------------------------------------------------------------------------------------

    def _admit(self, line: ServerConnection, request: Request) -> Response | None:
        ticket = parse_qs(urlsplit(request.path).query).get("ticket", [""])[0]
        if ticket not in self._tickets:
            return line.respond(HTTPStatus.UNAUTHORIZED, "no such ticket\n")
        self._tickets.discard(ticket)
        return None

    async def _hold(self, line: ServerConnection) -> None:
        self.lines.append(line)
        self.opened += 1
        self._pulse()
        try:
            async for said in line:
                self._confirm(json.loads(said))
        except ConnectionClosed:
            pass
        finally:
            self.lines.remove(line)
            for delivery in self._waiting.values():
                if delivery.line is line:
                    delivery.due = 0.0
            self._pulse()

    def _confirm(self, ack: dict[str, Any]) -> None:
        self.confirmed.append(ack)
        if ack.get("code") == HTTPStatus.OK:
            self._waiting.pop(str(ack["headers"]["messageId"]), None)
        self._pulse()

    async def _deliver(self) -> None:
        """Send what is due, each time by the next line; for ever."""
        loop = asyncio.get_running_loop()
        for turn in itertools.count():
            due = [one for one in self._waiting.values() if one.due <= loop.time()] if self.lines else []
            if due:
                line = self.lines[turn % len(self.lines)]
                due[0].due, due[0].line = loop.time() + self._retry, line
                with contextlib.suppress(ConnectionClosed):
                    await line.send(due[0].text)
                continue
            later = [one.due for one in self._waiting.values() if one.due > loop.time()]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(later) if later else None):
                    await self._changed.wait()

    def _pulse(self) -> None:
        """Wake all who wait for a change; who waits later waits for the next one."""
        self._changed.set()
        self._changed = asyncio.Event()


def _frame(number: str, kind: str, topic: str, data: str) -> str:
    headers = {
        "appId": "loopback",
        "connectionId": "loopback",
        "contentType": "application/json",
        "messageId": number,
        "topic": topic,
    }
    return json.dumps({"specVersion": "1.0", "type": kind, "headers": headers, "data": data})
