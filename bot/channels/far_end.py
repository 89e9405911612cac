"""The people's side of a platform that is played on this machine: what a demo and a test speak through."""

from collections.abc import Sequence
from typing import Protocol


class FarEnd(Protocol):
    """Somebody else's platform with its people, played by a stand-in that checks what the real one checks."""

    channel: str
    """Name of the channel that talks with it."""

    async def say(self, user: str, words: str) -> None:
        """A person writes to our bot alone."""
        ...

    async def say_in_group(self, group: str, user: str, words: str) -> None:
        """A person speaks to our bot in a group, with @ where the platform wants that."""
        ...

    def heard(self, user: str) -> Sequence[str]:
        """Everything the person's own client shows of what our bot said to them alone, oldest first."""
        ...

    def heard_in_group(self, group: str) -> Sequence[str]:
        """The same of a group."""
        ...
