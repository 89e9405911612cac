"""Which message is being worked on: whatever is logged meanwhile can be found by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("message", default="")


def current() -> str:
    """Name the message being worked on in this thread or task; empty when there is none."""
    return _current.get()


@contextmanager
def working_on(message: str) -> Iterator[None]:
    """Bind the message's name for the length of a block."""
    token = _current.set(message)
    try:
        yield
    finally:
        _current.reset(token)
