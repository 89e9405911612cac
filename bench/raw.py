"""The raw limit: a bare ASGI application and one thread that writes four rows per message, in groups.

No people, no rules, no words: what this machine, its disk and Python leave to be shared out.
"""

import asyncio
import json
import queue
import socket
import sqlite3
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import uvicorn

from bench.apart import answer
from bench.questions import answer_questions

_TABLES = """
CREATE TABLE inbox (id INTEGER PRIMARY KEY, channel TEXT, message_id TEXT, body TEXT,
                    UNIQUE (channel, message_id));
CREATE TABLE incident (id INTEGER PRIMARY KEY, what TEXT, owner INTEGER, due TEXT);
CREATE TABLE event (id INTEGER PRIMARY KEY, incident TEXT, move TEXT, at TEXT);
CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT UNIQUE, recipient TEXT, text TEXT, args TEXT);
"""
_AT = "2026-11-23T01:00:00+00:00"
Item = tuple[str, str, str, "asyncio.Future[None]"]


class Writer(threading.Thread):
    """Takes all that is queued and commits it together."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._path = path

    def run(self) -> None:
        """Write until the process ends."""
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
        while True:
            items = [self.queue.get()]
            while len(items) < 1000 and not self.queue.empty():
                items.append(self.queue.get())
            _commit(connection, items)
            loop = items[0][3].get_loop()
            loop.call_soon_threadsafe(_tell, [item[3] for item in items])


def _commit(connection: sqlite3.Connection, items: list[Item]) -> None:
    ids = [(message_id, text, body) for message_id, text, body, _ in items]
    connection.execute("BEGIN IMMEDIATE")
    many = connection.executemany
    many("INSERT INTO inbox (channel, message_id, body) VALUES ('raw', ?, ?)", [(i, b) for i, _, b in ids])
    many("INSERT INTO incident (what, owner, due) VALUES (?, 17, ?)", [(t, _AT) for _, t, _ in ids])
    many("INSERT INTO event (incident, move, at) VALUES (?, 'report', ?)", [(i, _AT) for i, _, _ in ids])
    many(
        "INSERT INTO outbox (key, recipient, text, args) VALUES (?, 'p17', 'filed', '{}')",
        [(i,) for i, _, _ in ids],
    )
    connection.execute("COMMIT")


def _tell(waiting: list["asyncio.Future[None]"]) -> None:
    for future in waiting:
        future.set_result(None)


def make_app(writer: Writer) -> Any:
    """An ASGI application with one route: everything is kept and answered with 200."""

    async def app(_: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        fields = json.loads(body)
        kept = asyncio.get_running_loop().create_future()
        writer.queue.put((fields["message_id"], fields["text"], body.decode(), kept))
        await kept
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=sys.argv[1]) as folder:
        writer = Writer(Path(folder) / "raw.db")
        writer.start()
        listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        config = uvicorn.Config(make_app(writer), access_log=False, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        answer(listener.getsockname()[1])
        answer_questions(server, lambda _: None)
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
