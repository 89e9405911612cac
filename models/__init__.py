"""Rows of the database and the rules that hold within a single row."""

from models.audit import AuditHead, AuditLine, Deed, Subject
from models.base import Moment
from models.conversation import Conversation
from models.detail import Agreement, Apart, Detail, Joined, Swept
from models.given_list import GivenList, ListState
from models.grid import Grid, GridBoundary, GridKind, GridSpan, GridTally, path_range
from models.group import Delivery, Group, GroupCode, GroupOpen, GroupPost, PostState, Purpose
from models.household import Ending, Household, Member
from models.imported import CodeSerial, Imported
from models.incident import Incident, Privacy, Register
from models.incident_log import Attachment, Correction, IncidentEvent, Part, Participant
from models.invitation import Invitation, Way, WrongCode
from models.job import JobRun
from models.leave import Leave
from models.mail import Inbox, InboxState, MailSort, MailState, Outbox
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
from models.notice import Notice, NoticeMove, NoticeState, OptOut, Receipt, WrongNoticeMove
from models.paper import Paper, PaperKind
from models.person import Account, Person, Post, Unit
from models.platform import Lease, PlatformCursor, PlatformToken
from models.rate import RateCount
from models.token import RegistryVersion, Scope, Token
from models.warned import Warned

__all__ = [
    "CHANGEABLE",
    "ENDED",
    "IN_HAND",
    "MOVES",
    "OPEN",
    "REOPENABLE",
    "TO_BE_DONE",
    "Account",
    "Agreement",
    "Apart",
    "Attachment",
    "AuditHead",
    "AuditLine",
    "CodeSerial",
    "Conversation",
    "Correction",
    "Deed",
    "Delivery",
    "Detail",
    "Ending",
    "GivenList",
    "Grid",
    "GridBoundary",
    "GridKind",
    "GridSpan",
    "GridTally",
    "Group",
    "GroupCode",
    "GroupOpen",
    "GroupPost",
    "Household",
    "Imported",
    "Inbox",
    "InboxState",
    "Incident",
    "IncidentEvent",
    "Invitation",
    "JobRun",
    "Joined",
    "Lease",
    "Leave",
    "ListState",
    "MailSort",
    "MailState",
    "Member",
    "Moment",
    "Move",
    "Notice",
    "NoticeMove",
    "NoticeState",
    "OptOut",
    "Outbox",
    "Paper",
    "PaperKind",
    "Part",
    "Participant",
    "Person",
    "PlatformCursor",
    "PlatformToken",
    "Post",
    "PostState",
    "Privacy",
    "Purpose",
    "RateCount",
    "Receipt",
    "Register",
    "RegistryVersion",
    "Scope",
    "State",
    "Subject",
    "Swept",
    "Token",
    "Unit",
    "Warned",
    "Way",
    "WrongCode",
    "WrongMove",
    "WrongNoticeMove",
    "path_range",
]
