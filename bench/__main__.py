"""`make bench`: prints what is accepted and decided each second beside the raw limit, in one run.

`--quick` takes about a minute. It asserts nothing: the figures are read by people, as ratios.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter, sleep
from urllib.request import urlopen

from bench.apart import result, server
from bench.disk import shim, slower, sync_cost
from bench.lists import measure_lists
from bench.load import Load, flood, message, post, stream
from bench.places import measure_places
from bench.tree import measure_tree

CONNECTIONS = 32
SLOW = 8
"""Milliseconds added to each sync: what many real disks take."""
ANSWERS = 19_000


def main() -> None:
    """Measure everything once and print it."""
    if "soak" in sys.argv[1:]:
        soak()
        return
    if "lists" in sys.argv[1:]:
        measure_lists()
        return
    if "tree" in sys.argv[1:]:
        measure_tree()
        return
    if "places" in sys.argv[1:]:
        measure_places()
        return
    quick = "--quick" in sys.argv[1:]
    seconds, messages = (3.0, 1500) if quick else (10.0, 6000)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        library = shim(folder)
        print(f"{os.cpu_count()} cores, a sync takes {sync_cost(folder) * 1e3:.2f} ms here\n", flush=True)
        raw = {}
        for added in (0, SLOW) if library else (0,):
            disk = slower(library, added)
            where = f"+{added} ms" if added else "as it is"
            raw[added] = _flooded("raw", name, disk, seconds).per_second
            _line(f"raw limit, disk {where}", raw[added], None)
            _line(f"accepted, SQLite, disk {where}", _accepted("sqlite", name, disk, seconds), raw[added])
            for kind in ("sqlite", "postgresql"):
                decided = result("decided", kind, messages, env=disk)
                _line(f"decided, {kind}, disk {where}", decided["per_second"], raw[added], decided["cpu_us"])
        _line("python-telegram-bot, bare echo", result("echo", messages)["per_second"], raw[0])
        _first_answers(name, 5 if quick else 20)
        _burst(name, ANSWERS // 6 if quick else ANSWERS)
    if not quick:
        measure_tree()
    _start_up()


def _line(name: str, rate: float, raw: float | None, cpu: float | None = None) -> None:
    ratio = f"{rate / raw:6.2f} of raw" if raw else " " * 13
    spent = f"   {cpu:6.0f} us of CPU each" if cpu else ""
    print(f"{name:<44}{rate:9.0f}/s {ratio}{spent}", flush=True)


def _requests(path: str, prefix: str, limit: int | None = None) -> Iterator[bytes]:
    for number in count() if limit is None else range(limit):
        handle = f"resident{number % 20_000}"
        yield post(path, message(f"{prefix}{number}", handle, "3栋楼下路灯坏了"))


def _flooded(module: str, folder: str, disk: Mapping[str, str], seconds: float) -> Load:
    with server(module, folder, env=disk) as serving:
        return flood(serving.port, _requests("/", "r"), connections=CONNECTIONS, seconds=seconds)


def _accepted(kind: str, folder: str, disk: Mapping[str, str], seconds: float) -> float:
    """Messages answered with 200 while the same writer decides as many as it can beside them."""
    with server("serving", kind, folder, env=disk) as serving:
        load = flood(serving.port, _requests("/hooks/memory", "a"), connections=CONNECTIONS, seconds=seconds)
    return load.per_second


def _first_answers(folder: str, seconds: int) -> None:
    """From the call to the moment the answer is handed to the channel, at 20 messages a second."""
    with server("serving", "sqlite", folder) as serving:
        began = perf_counter()
        stream(
            serving.port, _requests("/hooks/memory", "f", 20 * seconds), connections=CONNECTIONS, rate=20.0
        )
        sleep(1.0)
        handed = serving.ask("handed")
    waits = sorted(
        moment - began - int(chat.removeprefix("resident")) / 20.0
        for chat, moment in handed.items()
        if chat.startswith("resident")
    )
    if waits:
        at = (waits[len(waits) // 2], waits[int(len(waits) * 0.99)])
        print(f"{'first answer at 20/s':<44}p50 {at[0] * 1e3:.0f} ms, p99 {at[1] * 1e3:.0f} ms", flush=True)


def _burst(folder: str, answers: int) -> None:
    """As many answers as in a minute at 19,000: the slowest accept, and when the last is worked off."""
    with server("serving", "sqlite", folder) as serving:
        began = perf_counter()
        load = stream(
            serving.port,
            _requests("/hooks/memory", "b", answers),
            connections=CONNECTIONS * 4,
            rate=ANSWERS / 60,
        )
        came = perf_counter() - began
        while serving.ask("state")["done"] < len(load.waits) and perf_counter() - began < came + 300:
            sleep(0.5)
        over = perf_counter() - began - came
    slowest = max(load.waits)
    print(
        f"{answers} messages at {ANSWERS / 60:.0f}/s: slowest accept {slowest:.2f} s, "
        f"refused {load.refused}, worked off {over:.0f} s after the last",
        flush=True,
    )


def _start_up() -> None:
    """From the start of the program to the first 200, and its memory when idle.

    The first start of all makes the tables and founds the town.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _port() as port:
        environment = {
            **os.environ,
            "XIAOGE_DATABASE_URL": f"sqlite:///{folder}/x.db",
            "XIAOGE_MEDIA": f"{folder}/media",
            "XIAOGE_PORT": str(port),
        }
        first, _ = _started(environment, port)
        later = min(_started(environment, port) for _ in range(3))
    print(
        f"first 200 after {later[0]:.2f} s (with an empty database {first:.2f} s); "
        f"idle memory {later[1]:.0f} MB",
        flush=True,
    )


def _started(environment: Mapping[str, str], port: int) -> tuple[float, float]:
    """Seconds to the first 200, and megabytes two seconds after it."""
    began = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seconds = _first_200(port, began)
        sleep(2.0)
        return seconds, _memory(process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    yield port


def _first_200(port: int, began: float) -> float:
    while perf_counter() - began < 60:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answered:
                if answered.status == 200:
                    return perf_counter() - began
        except OSError:
            sleep(0.02)
    raise RuntimeError("no 200 within a minute")


def _memory(pid: int) -> float:
    """Megabytes resident in the process and the ones it has started."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    pids = [pid, *map(int, listed.split())]
    total = 0
    for one in pids:
        status = Path(f"/proc/{one}/status")
        if status.exists():
            line = next(row for row in status.read_text().splitlines() if row.startswith("VmRSS"))
            total += int(line.split()[1])
    return total / 1024


def soak() -> None:
    """Two hundred kills under load on each database, and what they found."""
    from bench.soaking import run

    run(200)


if __name__ == "__main__":
    main()
