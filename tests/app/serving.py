"""Help for the supervisor's tests: real processes which serve, die and tell of it, and callers who call."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

SUPERVISOR = """
import sys
from app.supervisor import supervise
grace, child = float(sys.argv[1]), sys.argv[2]
sys.exit(supervise(lambda fd: [sys.executable, "-c", child, str(fd)], "127.0.0.1", 0, grace=grace))
"""
SAY_UP = """
import os, signal, socket, sys
listener = socket.socket(fileno=os.dup(int(sys.argv[1])))
print("up", os.getpid(), listener.getsockname()[1], flush=True)
"""
SERVE = """
while True:
    caller, _ = listener.accept()
    with caller:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n%d" % os.getpid())
"""
TINY = SAY_UP + SERVE
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@dataclass
class Served:
    """A running supervisor, and what its child said last when it came up."""

    process: "subprocess.Popen[str]"
    child: int = 0
    port: int = 0

    def hear(self, words: str) -> str:
        """Wait for a line with these words, whoever says it; empty when nobody is left to do so."""
        assert self.process.stdout
        return next((line for line in self.process.stdout if words in line), "")

    def wait_until_up(self) -> int:
        """Wait until a child says that it is up, and return its process id."""
        _, child, port = self.hear("up ").split()
        self.child, self.port = int(child), int(port)
        return self.child


@contextlib.contextmanager
def supervised(
    child: str = TINY, *, grace: float = 30.0, stdin: int = subprocess.DEVNULL
) -> Iterator[Served]:
    """Run a supervisor in a process of its own, over a child with that program, until the block ends."""
    command = [sys.executable, "-c", SUPERVISOR, str(grace), child]
    out, same = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, stdin=stdin, stdout=out, stderr=same, text=True) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def call(port: int) -> bytes:
    """Call once and return the answer's body; empty when the server died over it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(REQUEST)
            return read_all(connection).rpartition(b"\r\n\r\n")[2]
        except ConnectionError:
            return b""


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side has no more to say."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@dataclass
class Callers:
    """Several callers who call again as soon as they are answered, and note who answered."""

    port: int
    answers: list[int] = field(default_factory=list)
    refused: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _enough: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def calling(self, number: int) -> Iterator[None]:
        """Let so many call until the block ends."""
        threads = [threading.Thread(target=self._call_on) for _ in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()

    def wait_for(self, child: int, times: int) -> bool:
        """Wait until a child has given so many answers; False if it did not within 30 s."""
        with self._changed:
            return self._changed.wait_for(lambda: self.answers.count(child) >= times, timeout=30)

    def _call_on(self) -> None:
        while not self._enough.is_set():
            try:
                answer = call(self.port)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            if answer:
                with self._changed:
                    self.answers.append(int(answer))
                    self._changed.notify_all()
