"""`xiaoge check-tree | head`: who reads may stop before everything is told."""

import os
import subprocess
import sys


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "app", "places"],
        check=False,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)

    assert done.returncode == 0
    assert "ipe" not in done.stderr
