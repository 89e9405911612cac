"""Help for the tests of several places: their tables, and the process that serves them."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from app.branch import Branch, branches_of
from app.build import Program
from app.places import Place, read_places
from app.registry import found_at
from app.serving import life_of
from models.sealing import new_key
from tests.crash.serving import wait_until
from tests.web.house import Told
from web.joined import make_joined_app

BOOKS = {"aa": "default", "bb": "qingcao"}
SECRETS = {"aa": "a" * 20, "bb": "b" * 20}
_SERIAL = count(1)


def tables_for(folder: Path, urls: Mapping[str, str], books: Mapping[str, str] = BOOKS) -> list[Place]:
    """The places of a file: one for each database, with a webhook and a trial's channel of its own."""
    numbered = enumerate(books.items())
    tables = [_table(folder, number, name, urls[name], book) for number, (name, book) in numbered]
    file = folder / "places.toml"
    file.write_text("\n".join(tables), "utf-8")
    places = read_places({"XIAOGE_PLACES": str(file)})
    assert places is not None
    return places


def _table(folder: Path, number: int, name: str, url: str, book: str) -> str:
    values = {
        "book": book,
        "database": url,
        "media": str(folder / "media" / name),
        "keys": new_key(),
        "search_key": new_key(),
        "telegram_token": f"{1000 + number}:fictional",
        "telegram_secret": SECRETS.get(name, f"secret-of-the-place-{name}"),
        "telegram_webhook_url": f"https://grid.example.cn/{name}/hooks/telegram",
        "telegram_base_url": "http://127.0.0.1:9",
        "test_hook": str(folder / f"{name}.jsonl"),
    }
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


def found(place: Place) -> None:
    """Write the example town, with the place's own keys."""
    assert found_at(place.must_be_usable())


@dataclass
class System:
    """A running process with its places."""

    branches: Sequence[Branch]
    url: str

    def branch(self, name: str) -> Branch:
        """One place in it."""
        return next(one for one in self.branches if one.name == name)

    def program(self, name: str) -> Program:
        """What runs for a place."""
        program = self.branch(name).program
        assert program is not None
        return program

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask as somebody who has been nowhere yet."""
        return httpx.get(self.url + path, timeout=30, **more)

    def say(self, place: str, handle: str, text: str) -> httpx.Response:
        """Deliver a message by the place's trial channel."""
        body = {"message_id": f"m{next(_SERIAL)}", "chat": handle, "handle": handle, "text": text}
        return httpx.post(f"{self.url}/{place}/hooks/memory", json=body, timeout=30)

    def rows(self, place: str, query: Any) -> list[Any]:
        """What a query finds in a place's database."""
        with self.program(place).desk.session() as session:
            return list(session.execute(query).scalars())

    def settle(self, place: str) -> None:
        """Wait until all that was said there is decided."""
        wait_until(lambda: not self.program(place).lane.waiting)


@contextmanager
def served(places: Sequence[Place], waits: Sequence[float] = (0.05,)) -> Iterator[System]:
    """Serve places in this process until the block ends."""
    branches = branches_of(places, lambda place, shelf: Branch(place, shelf, waits))
    app = make_joined_app(branches, life_of(branches))
    config = uvicorn.Config(app, port=0, log_level="warning", lifespan="on", timeout_graceful_shutdown=1)
    server = Told(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.up.wait(60), "the server did not come up"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield System(branches, f"http://127.0.0.1:{port}")
    finally:
        server.end()
        thread.join(30)
        assert not thread.is_alive(), "the server did not end"
