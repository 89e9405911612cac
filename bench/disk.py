"""A slower disk: most real ones take 2 to 10 ms for a sync, and this machine's may take a tenth of one."""

import os
import shutil
import subprocess
from pathlib import Path

_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int slowly(const char *name, int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    const char *wait = getenv("BENCH_SYNC_MS");
    long ms = wait ? atol(wait) : 0;
    struct timespec span = {ms / 1000, (ms % 1000) * 1000000L};
    int outcome = real(fd);
    nanosleep(&span, NULL);
    return outcome;
}
int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
"""
WAIT = "BENCH_SYNC_MS"


def shim(folder: Path) -> Path | None:
    """Compile a library that makes every sync of a process wait; None where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "slowly.c", folder / "slowly.so"
    source.write_text(_SHIM, "utf-8")
    folder.chmod(0o755)  # PostgreSQL runs as somebody else and loads it too
    done = subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=False, capture_output=True
    )
    return library if done.returncode == 0 else None


def slower(library: Path | None, milliseconds: int) -> dict[str, str]:
    """The environment in which a process finds its disk that much slower; nothing for none."""
    if library is None or not milliseconds:
        return {}
    return {"LD_PRELOAD": str(library), WAIT: str(milliseconds)}


def sync_cost(folder: Path, times: int = 200) -> float:
    """Seconds that one sync of a small write takes here, the median of many."""
    from time import perf_counter

    number = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT)
    spans = []
    for _ in range(times):
        os.write(number, b"x" * 4096)
        began = perf_counter()
        os.fdatasync(number)
        spans.append(perf_counter() - began)
    os.close(number)
    return sorted(spans)[times // 2]
