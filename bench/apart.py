"""Runs each measurement in a process of its own, so that none inherits another's memory or caches."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Result = dict[str, Any]


def result(module: str, *arguments: object, env: Mapping[str, str] = {}) -> Result:
    """Run a module of the bench and read the JSON it prints last. Raises RuntimeError with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )
    if done.returncode:
        raise RuntimeError(f"bench.{module} failed:\n{done.stderr}")
    return _last(done.stdout)


def _last(printed: str) -> Result:
    found: Result = json.loads(printed.strip().splitlines()[-1])
    return found


class Server:
    """A serving process: its port, and questions to it over its standard input."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.port = int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server said nothing and ended with {self._process.wait()}")
        return line

    def ask(self, what: str) -> Any:
        """Ask the server something; it answers with one line of JSON."""
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return json.loads(self._line())


@contextmanager
def server(module: str, *arguments: object, env: Mapping[str, str] = {}) -> Iterator[Server]:
    """Run a serving module, which prints its port first and ends when its standard input does."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"bench.{module}", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    try:
        yield Server(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def answer(value: Any) -> None:
    """Print one line of JSON for whoever asked."""
    print(json.dumps(value), flush=True)
