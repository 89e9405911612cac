"""Holds the listening socket while the serving process comes and goes, so that no caller is ever refused.

A channel's server whose call is refused waits minutes before it tries again, or gives up. Here its call waits
in the socket's queue until the next serving process takes it: one second instead. The supervisor is small and
does nothing else, so that it has no reason to fail.
"""

import contextlib
import ctypes
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from app.listening import listen

STEADY_AFTER = 2.0  # seconds; a process that lived as long did start, whatever ended it
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0  # seconds before another start of what will not stay up
GRACE = 30.0  # seconds in which a process told to stop may finish what it has begun
STOP = (signal.SIGTERM, signal.SIGINT)
WATCHED = (*STOP, signal.SIGHUP, signal.SIGCHLD)
PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


def supervise(
    argv_for_child: Callable[[int], list[str]],
    host: str,
    port: int,
    *,
    grace: float = GRACE,
    hopeless: int | None = None,
) -> int:
    """Serve by a child process, start it again whenever it ends, and keep the socket open throughout.

    SIGTERM and SIGINT end both; SIGHUP lets the child finish and starts another (a new handbook, a new
    version). In a terminal SIGHUP means that the terminal was closed, and ends both as well. To be called in
    the main thread.

    Args:
        argv_for_child: makes the command line from the number of the listening socket's file descriptor
            (`uvicorn --fd N`).
        host: the address or name to listen on.
        port: the port; 0 lets the system choose.
        grace: seconds that a child told to end may take before it is killed.
        hopeless: the exit code by which the first child says that another start would be of no use.

    Returns:
        the child's exit code as a shell tells it, when told to stop or hopeless; 0 when the child ended by
        the very signal that it was told to stop with.

    Raises:
        OSError: the address cannot be listened on, or the command cannot be started at all.
    """
    with listen(host, port) as listener, _signals() as heard:
        return _Supervisor(argv_for_child(listener.fileno()), listener, heard, grace, hopeless).run()


def wait_before_start(early_ends: int) -> float:
    """Return the seconds to wait before a start, after so many processes in a row ended soon after theirs.

    One such end is an accident, and callers are waiting; more of them are a fault that haste would not mend.
    """
    if early_ends <= 1:
        return 0.0
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(early_ends - 2, 16)))


class _Supervisor:
    """One loop: hear a signal or the end of a wait, and bring the child into the state that is wanted."""

    def __init__(
        self,
        argv: list[str],
        listener: socket.socket,
        heard: socket.socket,
        grace: float,
        hopeless: int | None,
    ) -> None:
        self.argv = argv
        self.listener = listener
        self.heard = heard
        self.grace = grace
        self.hopeless = hopeless
        self.in_terminal = sys.stdin is not None and sys.stdin.isatty()
        self.child: subprocess.Popen[bytes] | None = None
        self.code = 0
        self.told_to_stop: int | None = None
        self.early_ends = 0
        self.has_served = False
        self.began = 0.0
        self.deadline: float | None = None
        """When to start the child if there is none, or to kill it if it was told to end."""

    def run(self) -> int:
        self._start()
        while self.child or not (self.told_to_stop or self._is_hopeless()):
            for number in self._hear():
                self._obey(number)
            self._look_after_child()
            self._meet_deadline()
        return self.code

    def _is_hopeless(self) -> bool:
        """Whether the first start failed for good; one that has served is started again whatever it says."""
        return self.code == self.hopeless and not self.has_served

    def _start(self) -> None:
        self.deadline = None
        self.began = time.monotonic()
        self.child = subprocess.Popen(  # noqa: S603 (the command line is the program's own)
            self.argv,
            stdin=subprocess.DEVNULL,
            pass_fds=[self.listener.fileno()],
            process_group=0,  # Ctrl-C reaches the child once, from us
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 (there are no other threads)
        )
        log.info("serving as process %d", self.child.pid)

    def _hear(self) -> bytes:
        wait = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        ready, _, _ = select.select([self.heard], [], [], wait)
        return self.heard.recv(4096) if ready else b""

    def _obey(self, number: int) -> None:
        if number in STOP or (number == signal.SIGHUP and self.in_terminal):
            self.told_to_stop = number
            self._tell_child(number)
        elif number == signal.SIGHUP and not self._ending():
            self.early_ends = 0
            self._tell_child(signal.SIGTERM)

    def _ending(self) -> bool:
        return self.child is not None and self.deadline is not None

    def _tell_child(self, number: int) -> None:
        if self.child:
            self.child.send_signal(number)
            self.deadline = self.deadline or time.monotonic() + self.grace
        else:
            self.deadline = time.monotonic()

    def _look_after_child(self) -> None:
        if self.child is None or self.child.poll() is None:
            return
        asked, lived = self._ending(), time.monotonic() - self.began
        log.log(
            logging.INFO if asked else logging.ERROR, "process %d ended: %d", self.child.pid, self._code()
        )
        self.code, self.child = self._code(), None
        self.has_served |= self.code != self.hopeless
        self.early_ends = self.early_ends + 1 if lived < STEADY_AFTER and not asked else 0
        self._plan_start()

    def _plan_start(self) -> None:
        wait = wait_before_start(self.early_ends)
        self.deadline = time.monotonic() + wait
        if wait:
            log.error("it ended soon %d times in a row; the next start is in %.1f s", self.early_ends, wait)

    def _meet_deadline(self) -> None:
        if self.deadline is None or time.monotonic() < self.deadline:
            return
        if self.child:
            log.error("process %d did not end within %.1f s and is killed", self.child.pid, self.grace)
            self.child.kill()
            self.deadline = None
        elif self.told_to_stop is None and not self._is_hopeless():
            self._start_again()

    def _start_again(self) -> None:
        try:
            self._start()
        except OSError:  # no memory, no process to be had: callers wait meanwhile
            log.exception("no process could be started")
            self.early_ends += 1
            self._plan_start()

    def _code(self) -> int:
        returned = self.child.returncode if self.child else 0
        if returned >= 0:
            return returned
        return 0 if -returned == self.told_to_stop else 128 - returned


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """Turn signals into bytes that can be waited for together with a deadline; restore everything after."""
    heard, told = socket.socketpair()
    with heard, told:
        told.setblocking(False)
        before = {number: signal.signal(number, _heed) for number in WATCHED}
        wakeup = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        try:
            yield heard
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)


def _heed(_number: int, _frame: FrameType | None) -> None:
    """Let Python write the signal's number to the socket; the loop does the rest."""


def _die_with(parent: int) -> Callable[[], None] | None:
    """Make the child end when its parent is killed: two processes that write must never live side by side."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was killed before the kernel was asked
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_kernel
