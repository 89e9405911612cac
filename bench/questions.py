"""Lets the measuring process ask a serving one what it has seen; ends the server when nobody asks."""

import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

from bench.apart import answer


class Stoppable(Protocol):
    """A server that ends when it is told so."""

    should_exit: bool


def answer_questions(server: Stoppable, know: Callable[[str], Any]) -> None:
    """Answer each line of standard input with one of JSON; its end ends the server."""

    def listen() -> None:
        for line in sys.stdin:
            answer(know(line.strip()))
        server.should_exit = True

    threading.Thread(target=listen, daemon=True).start()
