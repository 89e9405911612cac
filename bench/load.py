"""Calls a server as platforms do: over kept-alive connections, one call at a time on each."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import uvloop


@dataclass
class Load:
    """What came of a number of calls."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    """Seconds from when each call was due to its 200."""
    refused: int = 0
    """Answers that were not 200."""

    @property
    def per_second(self) -> float:
        """Calls answered with 200 in a second."""
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """The wait that this share of the calls did not exceed, in seconds."""
        ranked = sorted(self.waits)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else 0.0


def message(message_id: str, handle: str, text: str) -> dict[str, Any]:
    """A message as the memory channel reads it."""
    return {"message_id": message_id, "chat": handle, "handle": handle, "sender_name": handle, "text": text}


def post(path: str, body: dict[str, Any]) -> bytes:
    """A whole HTTP request."""
    data = json.dumps(body, ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


class _Line(asyncio.Protocol):
    """One connection; tells its owner whenever it is free for a call."""

    def __init__(self, calls: "_Calls") -> None:
        self._calls = calls
        self._buffer = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from it

    def send(self, request: bytes, due: float) -> None:
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or len(rest) < _length(head):
            return
        self._buffer = b""
        self._calls.answered(self, head.startswith(b"HTTP/1.1 200"), self._due)

    def connection_lost(self, exc: Exception | None) -> None:
        self._calls.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r", 1)[0]) if at >= 0 else 0


class _Calls:
    """Hands requests to free connections; what finds none waits, and its wait counts."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.load = Load()
        self._requests = requests
        self._free: deque[_Line] = deque()
        self._late: deque[tuple[bytes, float]] = deque()
        self._open = 0
        self._until: float | None = None
        self._idle = asyncio.Event()

    async def connect(self, port: int, connections: int) -> list[_Line]:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", port)
            self._free.append(line)
        return list(self._free)

    def call(self, due: float) -> bool:
        """Make the next call; False when there are no more."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._open += 1
        self._idle.clear()
        if self._free:
            self._free.popleft().send(request, due)
        else:
            self._late.append((request, due))
        return True

    def answered(self, line: _Line, good: bool, due: float) -> None:
        now = perf_counter()
        if good:
            self.load.waits.append(now - due)
        else:
            self.load.refused += 1
        self._open -= 1
        self._next(line, now)
        if not self._open:
            self._idle.set()

    def _next(self, line: _Line, now: float) -> None:
        if self._late:
            line.send(*self._late.popleft())
            return
        self._free.append(line)
        if self._until is not None and now < self._until:
            self.call(now)

    def lost(self, line: _Line) -> None:
        if line in self._free:
            self._free.remove(line)
        else:
            self.load.refused += 1

    async def closed_loop(self, connections: int, seconds: float) -> None:
        """Each connection makes its next call as soon as the last is answered."""
        self._until = perf_counter() + seconds
        for _ in range(connections):
            self.call(perf_counter())
        await self._idle.wait()

    async def open_loop(self, rate: float) -> None:
        """Calls come at a steady rate, whether the earlier ones are answered or not."""
        began, made = perf_counter(), 0
        more = True
        while more:
            while more and made / rate <= perf_counter() - began:
                more = self.call(began + made / rate)
                made += 1
            await asyncio.sleep(max(0.0, began + made / rate - perf_counter()))
        await self._idle.wait()


def flood(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Load:
    """Call as fast as a number of connections can, for so many seconds."""
    return _run(port, requests, connections, lambda calls: calls.closed_loop(connections, seconds))


def stream(port: int, requests: Iterator[bytes], *, connections: int, rate: float) -> Load:
    """Call at a steady rate until the requests are used up."""
    return _run(port, requests, connections, lambda calls: calls.open_loop(rate))


def _run(port: int, requests: Iterator[bytes], connections: int, way: Any) -> Load:
    async def run() -> Load:
        calls = _Calls(requests)
        lines = await calls.connect(port, connections)
        began = perf_counter()
        await way(calls)
        calls.load.seconds = perf_counter() - began
        for line in lines:
            line.close()
        return calls.load

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())
