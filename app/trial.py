"""A channel for trials of the whole program: driven by plain HTTP, its sendings written down outside of it.

What a killed process remembered is gone; what it sent is not. So each message sent is a line of a file before
the outcome is told, as a platform would have it.
"""

import json
import os
from pathlib import Path

from bot.channel import Can, Outcome, Sent
from bot.channels.memory import MemoryChannel
from bot.message import Outbound

CAN = Can(
    buttons=True, photos=True, places=True, groups=True, per_second=float("inf"), per_chat_second=float("inf")
)


class TrialChannel(MemoryChannel):
    """The memory channel, with a file as the other side.

    Args:
        sendings: one line of JSON is added for each message sent: {"mail", "chat", "words"}.
    """

    def __init__(self, sendings: Path) -> None:
        super().__init__(can=CAN)
        sendings.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(sendings, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def send(self, message: Outbound) -> Outcome:
        """Write the message down; the line is whole or absent even if the process is killed meanwhile."""
        line = {"mail": message.mail_id, "chat": message.chat, "words": "\n".join(message.parts)}
        os.write(self._file, (json.dumps(line, ensure_ascii=False) + "\n").encode(errors="replace"))
        return Sent(str(message.mail_id))

    async def stop(self) -> None:
        """Close the file."""
        await super().stop()
        os.close(self._file)
