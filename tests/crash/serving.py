"""Help for the crash tests: the real program in processes of its own, and callers who do not give up."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handbook import open_book
from handlers.founding import found_town
from handlers.work import Desk
from models.database import open_database
from scheduler.clock import SystemClock
from tests.postgres import free_port

PLACE = "default"
ANSWERED = 200
PAUSE = threading.Event()
PATIENCE = 60.0  # seconds after which a caller, or whoever waits for something, gives up


def found(url: str, *, channel: str | None = "memory") -> None:
    """Found the place's town in a migrated database, everybody reachable on a channel."""
    database = open_database(url)
    with Desk(database, open_book(PLACE), SystemClock().now).work() as work:
        found_town(work, channel=channel)
    database.close()


@dataclass
class Served:
    """A running program: the supervisor, and whatever child it has at the moment."""

    process: "subprocess.Popen[bytes]"
    port: int
    sendings: Path
    log: Path

    def child(self) -> int | None:
        """The serving process, if there is one now."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(listed[0]) if listed else None

    def answers(self) -> bool:
        """Whether it serves by now. Raises RuntimeError with its log when it has ended instead."""
        if self.process.poll() is not None:
            raise RuntimeError(f"it does not serve:\n{self.log.read_text()[-4000:]}")
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as line,
        ):
            line.request("GET", "/healthz")
            return line.getresponse().status == ANSWERED
        return False

    def kill_child(self, child: int) -> None:
        """End the serving process as a power cut would, as far as it is concerned."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    def sent(self) -> Counter[int]:
        """How often each mail was sent."""
        lines = self.sendings.read_text().splitlines() if self.sendings.exists() else []
        return Counter(json.loads(line)["mail"] for line in lines)


@contextlib.contextmanager
def served(
    url: str, folder: Path, *, port: int | None = None, more: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run `xiaoge serve` over a database with a town in it, until the block ends.

    Args:
        url: the database.
        folder: where the log, the sendings and the media go.
        port: where it listens; a free one unless told.
        more: further settings.
    """
    port = port or free_port()
    sendings, log = folder / "sendings.jsonl", folder / "served.log"
    settings = {
        "XIAOGE_DATABASE_URL": url,
        "XIAOGE_PLACE": PLACE,
        "XIAOGE_PORT": str(port),
        "XIAOGE_MEDIA": str(folder / "media"),
        "XIAOGE_TEST_HOOK": str(sendings),
        **(more or {}),
    }
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            env=os.environ | settings,
            stdout=out,
            stderr=out,
        )
    there = Served(process, port, sendings, log)
    try:
        wait_until(there.answers)
        yield there
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Caller:
    """Calls as a platform does: again and again until the call is answered with 200."""

    def __init__(self, port: int, channel: str = "memory", headers: Mapping[str, str] | None = None) -> None:
        self._port = port
        self._path = f"/hooks/{channel}"
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._line: http.client.HTTPConnection | None = None
        self.refused = 0
        self.cut = 0
        self.answers: Counter[int] = Counter()

    def post(self, fields: Mapping[str, object]) -> None:
        """Deliver one message: return when it is acknowledged."""
        body = json.dumps(fields, ensure_ascii=False).encode()
        while self.once(body) != ANSWERED:
            PAUSE.wait(0.001)

    def once(self, body: bytes) -> int | None:
        """Call once. Returns the status, or None when nothing was answered."""
        try:
            line = self._line or http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            self._line = line
            line.request("POST", self._path, body, self._headers)
            answer = line.getresponse()
            answer.read()
        except ConnectionRefusedError:
            self.refused += 1
        except (OSError, http.client.HTTPException):
            self.cut += 1
        else:
            self.answers[answer.status] += 1
            return answer.status
        self.close()
        return None

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None


@dataclass
class Count:
    """A number that threads add to and wait for."""

    value: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self) -> None:
        """One more."""
        with self._changed:
            self.value += 1
            self._changed.notify_all()

    def wait_for(self, least: int) -> bool:
        """Wait until the number is at least so large. Returns whether it came to be."""
        with self._changed:
            return self._changed.wait_for(lambda: self.value >= least, timeout=PATIENCE)


def wait_until(true: Callable[[], object], every: float = 0.01) -> None:
    """Look again and again until something holds. Raises TimeoutError when it never does."""
    for _ in range(int(PATIENCE / every)):
        if true():
            return
        PAUSE.wait(every)
    raise TimeoutError("it did not come to be")
