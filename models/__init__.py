"""Rows of the database and the rules that hold within a single row."""

from models.audit import AuditHead, AuditLine, Deed, Subject
from models.base import Moment
from models.conversation import Conversation
from models.grid import Grid, GridKind, path_range
from models.incident import Incident, Privacy, Register
from models.incident_log import Attachment, Correction, IncidentEvent, Part, Participant
from models.job import JobRun
from models.mail import Inbox, InboxState, MailState, Outbox
from models.moves import (
    CHANGEABLE,
    ENDED,
    IN_HAND,
    MOVES,
    OPEN,
    REOPENABLE,
    TO_BE_DONE,
    Move,
    State,
    WrongMove,
)
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
    "AuditHead",
    "AuditLine",
    "Conversation",
    "Correction",
    "Deed",
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
    "Subject",
    "Token",
    "Unit",
    "WrongMove",
    "path_range",
]
