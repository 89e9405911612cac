"""Rewrites the two lock files, so that every installation gets the same, tested versions.

Runs inside an empty virtual environment (`make lock`). The lock files hold exact versions and nothing about
where they came from: any index or mirror will do.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq"]
HEAD = "# Written by `make lock`; do not edit. {what}\n"
# Not a dependency of the program: it makes the program importable inside its environment.
BUILD = "setuptools>=77"
# A lock is made on one system and must install on others.
MARKERS = {"uvloop": 'sys_platform != "win32"'}


def wanted() -> tuple[list[str], list[str]]:
    """Return the runtime and the development requirements, because each has a lock file of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [BUILD, *project["dependencies"]], project["optional-dependencies"]["dev"]


def pins() -> list[str]:
    """Return `name==version` of all that is installed here, pip itself left out."""
    frozen = subprocess.run(
        [*PIP, "freeze", "--all", "--exclude", "pip"], check=True, capture_output=True, text=True
    )
    return [with_marker(line) for line in frozen.stdout.splitlines() if "==" in line]


def with_marker(pin: str) -> str:
    """Add the condition under which a pin holds on other systems."""
    marker = MARKERS.get(pin.partition("==")[0].lower())
    return f"{pin} ; {marker}" if marker else pin


def write(name: str, what: str) -> None:
    """Write one lock file from what is installed here."""
    (ROOT / name).write_text(HEAD.format(what=what) + "\n".join(pins()) + "\n", "utf-8")


def main() -> None:
    """Lock the runtime, then add the rest on top: the second lock holds the first one's versions."""
    runtime, dev = wanted()
    subprocess.run([*PIP, "install", "--upgrade", *runtime], check=True)
    write("requirements.lock", "What the program runs on.")
    subprocess.run([*PIP, "install", *runtime, *dev], check=True)
    write("requirements-dev.lock", "What the program, its tests and its checks run on.")


if __name__ == "__main__":
    main()
