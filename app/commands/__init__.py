"""The command line, a module for each noun; what does the work is loaded when it is asked for."""

import argparse
import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings

Add = Callable[..., argparse.ArgumentParser]
"""Adds a command: its name, what runs it, and a line about it."""
FAILED = 1
MISUSED = 2


def complain(trouble: Exception | str, code: int) -> int:
    """Say in one line what is wrong. Returns the exit code."""
    print(f"xiaoge: {trouble}", file=sys.stderr)
    return code


def settings_of(given: argparse.Namespace) -> "Settings":
    """The settings of the place that a command is about."""
    from app.places import place_called

    return place_called(given.place)


def agreed(question: str) -> bool:
    """Ask whoever sits there; where nobody does, nothing is done."""
    try:
        return input(f"{question}(y/N) ").strip().lower() in ("y", "yes", "是")
    except EOFError:
        return False


def load_quickly() -> None:
    """Stop the collector until all is loaded: it would look at the same modules again and again."""
    gc.disable()
