"""A small HTTP/1.1 server on this machine's own address, for the stand-ins of platforms."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
LONGEST_BODY = 64 * 1024 * 1024
_NAME = re.compile(rb'[; ]name="([^"]*)"')


@dataclass(frozen=True)
class Call:
    """One HTTP request. Header names are lower case."""

    verb: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; None for `status` cuts the line without any."""

    status: int | None
    body: bytes = field(default=b"", repr=False)
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    """Further header lines."""


Answer = Callable[[Call], Awaitable[Reply]]


class LoopbackServer:
    """Answers HTTP on a free port of 127.0.0.1, in the running loop. Use it with `async with`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lines: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end. Only while it does."""
        if self._server is None:
            raise RuntimeError("the server is not started")
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> "LoopbackServer":
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        if line is not None:
            self._lines.add(line)
            line.add_done_callback(self._lines.discard)
        try:
            await self._converse(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            log.debug("a line was cut")
        except Exception:
            log.exception("a request was not answered")
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (call := await _read(reader)) is not None:
            reply = await self._answer(call)
            if reply.status is None:
                return
            writer.write(_written(reply))
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """Read one request, or None when the other side has hung up or speaks something else."""
    first = (await reader.readline()).split()
    if len(first) != 3 or not first[2].startswith(b"HTTP/1"):
        return None
    headers: dict[str, str] = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if length > LONGEST_BODY:
        return None
    target = urlsplit(first[1].decode("latin-1"))
    query = dict(parse_qsl(target.query))
    return Call(
        first[0].decode("latin-1"), unquote(target.path), query, headers, await reader.readexactly(length)
    )


def _written(reply: Reply) -> bytes:
    status = HTTPStatus(reply.status or 500)
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: {reply.kind}\r\n"
        f"Content-Length: {len(reply.body)}\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers) + "\r\n"
    return head.encode("latin-1") + reply.body


def form_of(call: Call) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Fields and files of a request, whether they came as a query, a form, a multipart form or JSON."""
    kind, _, rest = call.headers.get("content-type", "").partition(";")
    fields: dict[str, Any] = dict(call.query)
    if kind == "application/json":
        return fields | json.loads(call.body or b"{}"), {}
    if kind == "multipart/form-data":
        parts, files = _multipart(call.body, rest.partition("boundary=")[2].strip('"'))
        return fields | parts, files
    return fields | dict(parse_qsl(call.body.decode(), keep_blank_values=True)), {}


def _multipart(body: bytes, boundary: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(f"\r\n--{boundary}".encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            continue
        if b"filename=" in head:
            files[name[1].decode()] = content
        else:
            fields[name[1].decode()] = content.decode()
    return fields, files
