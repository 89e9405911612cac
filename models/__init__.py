"""Rows of the database and the rules that hold within a single row."""

from models.base import Moment
from models.conversation import Conversation
from models.grid import Grid, GridKind, path_range
from models.incident import (
    CHANGEABLE,
    ENDED,
    IN_HAND,
    MOVES,
    OPEN,
    REOPENABLE,
    TO_BE_DONE,
    Attachment,
    Correction,
    Incident,
    IncidentEvent,
    Move,
    Part,
    Participant,
    Privacy,
    Register,
    State,
    WrongMove,
)
from models.job import JobRun
from models.mail import Inbox, InboxState, MailState, Outbox
from models.person import Account, Person, Post, Unit
from models.token import RegistryVersion, Scope, Token

__all__ = [
    "CHANGEABLE",
    "ENDED",
    "IN_HAND",
    "MOVES",
    "OPEN",
    "REOPENABLE",
    "TO_BE_DONE",
    "Account",
    "Attachment",
    "Conversation",
    "Correction",
    "Grid",
    "GridKind",
    "Inbox",
    "InboxState",
    "Incident",
    "IncidentEvent",
    "JobRun",
    "MailState",
    "Moment",
    "Move",
    "Outbox",
    "Part",
    "Participant",
    "Person",
    "Post",
    "Privacy",
    "Register",
    "RegistryVersion",
    "Scope",
    "State",
    "Token",
    "Unit",
    "WrongMove",
    "path_range",
]
