"""An incident and the moves it may make: the one state machine of the closed loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, String
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type, in_values


class State(StrEnum):
    """Where a case stands (reference model: registered .. closed, and the side states)."""

    REGISTERED = "registered"
    TRIAGED = "triaged"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    HANDLED = "handled"
    VERIFIED = "verified"
    WAITING_REPORTER = "waiting_reporter"
    RETURNED = "returned"
    ARBITRATION = "arbitration"
    PAUSED = "paused"
    CLOSED_SOLVED = "closed_solved"
    CLOSED_UNSOLVED = "closed_unsolved"
    CLOSED_NOT_OURS = "closed_not_ours"
    CLOSED_INVALID = "closed_invalid"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


ENDED = frozenset(
    {
        State.CLOSED_SOLVED,
        State.CLOSED_UNSOLVED,
        State.CLOSED_NOT_OURS,
        State.CLOSED_INVALID,
        State.MERGED,
        State.WITHDRAWN,
    }
)
OPEN = frozenset(State) - ENDED
IN_HAND = frozenset({State.ACCEPTED, State.ON_SITE})
TO_BE_DONE = frozenset({State.DISPATCHED, State.ACCEPTED, State.ON_SITE})
"""States in which somebody is expected to act on the spot."""
CHANGEABLE = frozenset(
    {*TO_BE_DONE, State.REGISTERED, State.TRIAGED, State.RETURNED, State.ARBITRATION, State.PAUSED}
)
"""States in which a report can still be put right or taken back."""
REOPENABLE = frozenset({State.CLOSED_SOLVED, State.CLOSED_UNSOLVED, State.CLOSED_NOT_OURS})


class Move(StrEnum):
    """What can happen to a case. Each happening is one event row."""

    REPORT = "report"
    TRIAGE = "triage"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    RETURN = "return"
    AUTO_RETURN = "auto_return"
    ARBITRATE = "arbitrate"
    APPEAL_RETURN = "appeal_return"
    TRANSFER = "transfer"
    JOIN = "join"
    PART_DONE = "part_done"
    ARRIVE = "arrive"
    FINISH = "finish"
    RETRACT = "retract"
    VERIFY = "verify"
    REWORK = "rework"
    ASK_REPORTER = "ask_reporter"
    ANSWER = "answer"
    CLOSE_SOLVED = "close_solved"
    CLOSE_UNSOLVED = "close_unsolved"
    CLOSE_NOT_OURS = "close_not_ours"
    CLOSE_INVALID = "close_invalid"
    SELF_HANDLE = "self_handle"
    MERGE = "merge"
    ABSORB = "absorb"
    REQUEST = "request"
    REFUSE_REQUEST = "refuse_request"
    EXTEND = "extend"
    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"
    SUPERVISE = "supervise"
    URGE = "urge"
    NUDGE = "nudge"
    WARN = "warn"
    CLIMB = "climb"
    REOPEN = "reopen"
    RATE = "rate"
    RECLASSIFY = "reclassify"
    NOTE = "note"


@dataclass(frozen=True)
class Rule:
    """Which states a move may start from, where it leads (None: stays), and whether a reason is due."""

    start: frozenset[State]
    to: State | None
    reason: bool = False


def _rule(start: frozenset[State] | set[State], to: State | None, *, reason: bool = False) -> Rule:
    return Rule(frozenset(start), to, reason)


_S = State
_PRE_WORK = {_S.REGISTERED, _S.TRIAGED, _S.DISPATCHED, _S.RETURNED}
_MOVABLE = frozenset({*_PRE_WORK, *IN_HAND, _S.ARBITRATION})
_ACTIVE = frozenset({*_MOVABLE, _S.HANDLED, _S.VERIFIED})
_DECIDABLE = frozenset({*_ACTIVE, _S.PAUSED})

MOVES: Mapping[Move, Rule] = {
    Move.TRIAGE: _rule({_S.REGISTERED}, _S.TRIAGED),
    Move.DISPATCH: _rule({_S.TRIAGED, _S.RETURNED}, _S.DISPATCHED),
    Move.ACCEPT: _rule({_S.DISPATCHED, _S.RETURNED}, _S.ACCEPTED),
    Move.RETURN: _rule({_S.DISPATCHED, *IN_HAND}, _S.RETURNED, reason=True),
    Move.AUTO_RETURN: _rule(IN_HAND, _S.RETURNED),
    Move.APPEAL_RETURN: _rule({_S.DISPATCHED, *IN_HAND}, _S.ARBITRATION, reason=True),
    Move.ARBITRATE: _rule({_S.ARBITRATION}, _S.DISPATCHED),
    Move.TRANSFER: _rule(_MOVABLE, _S.DISPATCHED),
    Move.JOIN: _rule(_MOVABLE, None),
    Move.PART_DONE: _rule(_DECIDABLE, None),
    Move.ARRIVE: _rule({_S.ACCEPTED, _S.DISPATCHED}, _S.ON_SITE),
    Move.FINISH: _rule({_S.DISPATCHED, *IN_HAND}, _S.HANDLED),
    Move.RETRACT: _rule({_S.HANDLED, _S.VERIFIED, _S.WAITING_REPORTER}, _S.ACCEPTED),
    Move.VERIFY: _rule({_S.HANDLED}, _S.VERIFIED),
    Move.REWORK: _rule({_S.HANDLED}, _S.ACCEPTED, reason=True),
    Move.ASK_REPORTER: _rule({_S.VERIFIED}, _S.WAITING_REPORTER),
    Move.ANSWER: _rule({_S.WAITING_REPORTER}, None),
    Move.CLOSE_SOLVED: _rule({_S.WAITING_REPORTER}, _S.CLOSED_SOLVED),
    Move.CLOSE_UNSOLVED: _rule(_DECIDABLE, _S.CLOSED_UNSOLVED, reason=True),
    Move.CLOSE_NOT_OURS: _rule(_DECIDABLE, _S.CLOSED_NOT_OURS, reason=True),
    Move.CLOSE_INVALID: _rule(_DECIDABLE, _S.CLOSED_INVALID, reason=True),
    Move.SELF_HANDLE: _rule({_S.REGISTERED}, _S.CLOSED_SOLVED),
    Move.MERGE: _rule(_DECIDABLE, _S.MERGED),
    Move.ABSORB: _rule(OPEN, None),
    Move.REQUEST: _rule(_DECIDABLE, None, reason=True),
    Move.REFUSE_REQUEST: _rule(_DECIDABLE, None),
    Move.EXTEND: _rule({*TO_BE_DONE, _S.RETURNED}, None, reason=True),
    Move.SUSPEND: _rule(_MOVABLE, _S.PAUSED, reason=True),
    Move.RESUME: _rule({_S.PAUSED}, None),
    # From closed only within the undo window of a deed handled by oneself (handlers.amending sees to it).
    Move.WITHDRAW: _rule({*CHANGEABLE, _S.CLOSED_SOLVED}, _S.WITHDRAWN),
    Move.SUPERVISE: _rule(_DECIDABLE, None),
    Move.URGE: _rule(OPEN, None),
    Move.NUDGE: _rule(_ACTIVE, None),
    Move.WARN: _rule(_ACTIVE, None),
    Move.CLIMB: _rule(_ACTIVE, _S.DISPATCHED),
    Move.REOPEN: _rule({_S.WAITING_REPORTER, *REOPENABLE}, _S.DISPATCHED),
    Move.RATE: _rule({_S.CLOSED_SOLVED, _S.CLOSED_UNSOLVED}, None),
    Move.RECLASSIFY: _rule(_DECIDABLE, None),
    Move.NOTE: _rule(frozenset(State), None),
}
"""The table of moves. REPORT alone has no start: it makes the row."""

GETS_ON = frozenset({Move.ACCEPT, Move.ARRIVE, Move.RESUME})
"""Moves by which the same person goes on: what they have asked for stays asked for."""


class WrongMove(Exception):
    """The case cannot make this move from where it stands."""

    def __init__(self, move: Move, state: State, number: int | None = None) -> None:
        super().__init__(f"{move} from {state}")
        self.move = move
        self.state = state
        self.number = number


class Register(StrEnum):
    """The three registers that are kept apart."""

    APPEAL = "appeal"
    OPINION = "opinion"
    DEED = "deed"


class Privacy(StrEnum):
    """How much of the reporter a handler sees."""

    OPEN = "open"
    ANONYMOUS = "anonymous"
    SECRET = "secret"


class Incident(SQLModel, table=True):
    """Something reported that must be dealt with. Its id is the number people see; it never changes."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint(in_values("state", State), name="state"),
        CheckConstraint(in_values("filed_as", Register), name="filed_as"),
        CheckConstraint(in_values("privacy", Privacy), name="privacy"),
        CheckConstraint(
            f"state IN ({', '.join(repr(str(s)) for s in sorted(ENDED))}) "
            "OR (owner_id IS NOT NULL AND next_due IS NOT NULL)",
            name="accountable",
        ),
        CheckConstraint("(state = 'paused') = (paused_from IS NOT NULL)", name="paused"),
        Index("ix_incident_owner_id_state", "owner_id", "state"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    what: str
    spot: str = ""
    """Where exactly, in the reporter's words (2单元门口)."""
    category: str
    grade: str
    filed_as: Register = Field(
        default=Register.APPEAL, sa_column=Column(choice_type(Register), nullable=False)
    )
    privacy: Privacy = Field(default=Privacy.OPEN, sa_column=Column(choice_type(Privacy), nullable=False))
    danger: str | None = None
    grid_id: int = Field(foreign_key="grid.id", index=True)
    lat: float | None = None
    lon: float | None = None
    reporter_id: int = Field(foreign_key="person.id", index=True)
    filed_by_id: int = Field(foreign_key="person.id")
    """Who wrote it: the reporter, or a worker on the reporter's behalf."""
    state: State = Field(sa_column=Column(choice_type(State), nullable=False, index=True))
    paused_from: State | None = Field(default=None, sa_column=Column(choice_type(State)))
    owner_id: int | None = Field(default=None, foreign_key="person.id")
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    handler_id: int | None = Field(default=None, foreign_key="person.id")
    """Who did the work that was reported as finished."""
    step: int = 0
    """Rung of the frozen ladder the case stands on."""
    returns: int = 0
    extensions: int = 0
    round: int = 1
    """1, and one more each time it is opened again."""
    promise: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    """Hours and ladder of the grade as they were when the case was opened (frozen)."""
    request: dict[str, Any] | None = Field(default=None, sa_column=Column(Json(none_as_null=True)))
    """What waits for an approval: move, by, approver, reason, until."""
    approver_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    main_id: int | None = Field(default=None, foreign_key="incident.id", index=True)
    supervised: bool = False
    rating: str | None = None
    rating_reason: str | None = None
    opened_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    changed_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    accept_due: datetime | None = Field(default=None, sa_column=Column(Moment))
    arrive_due: datetime | None = Field(default=None, sa_column=Column(Moment))
    resolve_due: datetime | None = Field(default=None, sa_column=Column(Moment))
    due_certain: bool = True
    """False when a due time lies beyond the calendar's last year."""
    next_due: datetime | None = Field(default=None, sa_column=Column(Moment, index=True))
    """When the clock must look at this case again; never None while it is open."""
    ended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    version: int = 0

    @property
    def number(self) -> str:
        """What people call the case."""
        return str(self.id)

    @property
    def title(self) -> str:
        """A name short enough to stand beside the number."""
        words = self.what.strip().splitlines()[0] if self.what.strip() else ""
        return words if len(words) <= 16 else words[:15] + "…"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self.state in OPEN

    def may(self, move: Move) -> bool:
        """Whether the table of moves lets this case make `move` now."""
        return self.state in MOVES[move].start

    def move(self, move: Move, now: datetime) -> State:
        """Make a move and return the state it started from.

        Keeps the row's own invariants (paused_from, ended_at, owner of an ended case); whose turn it is and
        when the next due time comes is set by the handler, in the same work.
        Raises WrongMove when the table does not allow it.
        """
        rule = MOVES[move]
        if self.state not in rule.start:
            raise WrongMove(move, self.state, self.id)
        before = self.state
        self.state = self._target(move, rule)
        self.paused_from = before if move is Move.SUSPEND else self._still_paused_from()
        if rule.to is not None and move not in GETS_ON:
            self.request = self.approver_id = None
        self.changed_at = now
        self.version += 1
        if self.state in ENDED and before not in ENDED:
            self._end(now)
        elif self.state not in ENDED:
            self.ended_at = None
        return before

    def _target(self, move: Move, rule: Rule) -> State:
        if move is Move.RESUME:
            return self.paused_from or State.ACCEPTED
        return rule.to or self.state

    def _still_paused_from(self) -> State | None:
        return self.paused_from if self.state is State.PAUSED else None

    def _end(self, now: datetime) -> None:
        self.ended_at = now
        self.next_due = self.accept_due = self.arrive_due = self.resolve_due = None


class IncidentEvent(SQLModel, table=True):
    """One thing that happened to a case: who, when, by which message, why. Only ever added."""

    __tablename__ = "incident_event"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    move: Move = Field(sa_column=Column(choice_type(Move), nullable=False))
    before: State | None = Field(default=None, sa_column=Column(choice_type(State)))
    after: State = Field(sa_column=Column(choice_type(State), nullable=False))
    actor_id: int | None = Field(default=None, foreign_key="person.id")
    """None: the clock."""
    channel: str
    message_id: str
    reason: str | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))


class Part(StrEnum):
    """Why a person is told about a case."""

    REPORTER = "reporter"
    HELPER = "helper"
    FOLLOWER = "follower"


class Participant(SQLModel, table=True):
    """A reporter (also of a merged case), a co-handler, or somebody who follows a case."""

    __tablename__ = "participant"
    __table_args__ = (
        Index("uq_participant_incident_person_part", "incident_id", "person_id", "part", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    part: Part = Field(sa_column=Column(choice_type(Part), nullable=False))
    told_as: int | None = None
    """Number of the case they reported, when it was merged into this one."""
    task: str = ""
    done_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    answer: str | None = Field(default=None, sa_column=Column(String(16)))
    """solved or unsolved, in the present round."""


class Attachment(SQLModel, table=True):
    """A photo, a voice message or a file that belongs to a case; the bytes lie apart from the database."""

    __tablename__ = "attachment"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    person_id: int = Field(foreign_key="person.id")
    kind: str
    key: str
    """Name in the media store, or how the channel names it until it is fetched."""
    at: datetime = Field(sa_column=Column(Moment, nullable=False))


class Correction(SQLModel, table=True):
    """A person set right what the words had suggested: kept to learn from later."""

    __tablename__ = "correction"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    incident_id: int = Field(foreign_key="incident.id", index=True)
    person_id: int = Field(foreign_key="person.id")
    field: str
    proposed: str
    chosen: str
    text: str
