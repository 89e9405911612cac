"""What a further place costs a process: memory when idle, and seconds of the start."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from urllib.error import URLError
from urllib.request import urlopen

BOOKS = ("minhou", "minhou", "shexian", "yinzhou", "yulin", "qingcao")
COUNTS = (1, 2, 4, 6)
PORT = 18_765
_MB = 1024


def measure_places() -> None:
    """Serve one place, then more of them, and print what each takes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        file = folder / "places.toml"
        file.write_text("\n".join(_table(folder, number, book) for number, book in enumerate(BOOKS)), "utf-8")
        tables = file.read_text("utf-8").split("\n\n")
        for number in range(len(BOOKS)):
            _run(file, "--place", f"place{number}", "found")
        before = 0.0
        for count in COUNTS:
            file.write_text("\n\n".join(tables[:count]), "utf-8")
            seconds, memory = _served(file, count)
            each = f"{(memory - before) / max(1, count - _last(count)):6.1f} MB more each" if before else ""
            print(f"{count} places: up in {seconds:4.1f} s, {memory:6.1f} MB {each}", flush=True)
            before = memory


def _last(count: int) -> int:
    return COUNTS[COUNTS.index(count) - 1]


def _table(folder: Path, number: int, book: str) -> str:
    name = f"place{number}"
    return (
        f'[{name}]\nbook = "{book}"\ndatabase = "sqlite:///{folder / name}.db"\nmedia = "{folder / name}"\n'
        f'title = "{number}县"\n'
    )


def _environment(file: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("XIAOGE_")}
    return own | {"XIAOGE_PLACES": str(file), "XIAOGE_PORT": str(PORT), "XIAOGE_LOG": "error"}


def _run(file: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "app", *words], env=_environment(file), check=True, stdout=subprocess.DEVNULL
    )


def _served(file: Path, count: int) -> tuple[float, float]:
    """Seconds until all places are well, and MB of the serving process ten seconds later."""
    began = perf_counter()
    with subprocess.Popen([sys.executable, "-m", "app", "serve"], env=_environment(file)) as outer:
        try:
            while _well() != count:
                sleep(0.05)
            seconds = perf_counter() - began
            sleep(10)
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
            status = Path(f"/proc/{children[0]}/status").read_text()
        finally:
            outer.send_signal(signal.SIGTERM)
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return seconds, int(line.split()[1]) / _MB


def _well() -> int:
    try:
        with urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=5) as answer:
            return int(answer.read().decode().count(": ok"))
    except (URLError, OSError):
        return 0
