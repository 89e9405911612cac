"""The catalogue: importing it enters every noun's commands into the table of what may be asked."""

from handlers import (
    amending,
    approvals,
    boards,
    closing,
    dispatching,
    funnel,
    handling,
    people,
    pressing,
    reporting,
    waiting,
    watching,
)
from handlers.command import COMMANDS, HANDLERS

__all__ = [
    "COMMANDS",
    "HANDLERS",
    "amending",
    "approvals",
    "boards",
    "closing",
    "dispatching",
    "funnel",
    "handling",
    "people",
    "pressing",
    "reporting",
    "waiting",
    "watching",
]
