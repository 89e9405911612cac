"""Which place and which message is being worked on: whatever is logged meanwhile can be found by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("message", default="")
_place: ContextVar[str] = ContextVar("place", default="")


def place() -> str:
    """Name the place whose work this thread or task does; empty where the process serves one alone."""
    return _place.get()


@contextmanager
def in_place(name: str) -> Iterator[None]:
    """Bind a place's name for the length of a block, and to every task and writer that is made in it."""
    token = _place.set(name)
    try:
        yield
    finally:
        _place.reset(token)


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
