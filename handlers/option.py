"""Option: one possible answer to a question that is asked with a list."""

from dataclasses import dataclass

MOST = 9
"""A list one can answer with a single digit."""


@dataclass(frozen=True)
class Option:
    """One possible value of a field, and how it is shown."""

    value: int | str
    label: str
    category: str | None = None
    """Of a case: what it is about."""
    called: str = ""
    """Of a person: the name alone, which people shorten (小李, 李队)."""
    grid: int | None = None
    """Of a case: where it is."""
