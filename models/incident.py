"""An incident: one row that makes its own moves."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type, in_values
from models.grid import path_type
from models.moves import ENDED, GETS_ON, MOVES, OPEN, Move, Rule, State, WrongMove


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
    opened_in: str | None = Field(default=None, sa_column=Column(path_type(), index=True))
    """Path of its grid when it was opened: figures of a time count it there, wherever the grid lies today."""
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
    """What waits for an approval: move, by, reason, and what the move needs."""
    approver_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    request_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When what was asked for goes to the next person above; set as long as something waits."""
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
    paused_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    """The day on which a paused case is taken up again."""
    next_due: datetime | None = Field(default=None, sa_column=Column(Moment, index=True))
    """When the clock must look at this case again; never None while it is open."""
    ended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    version: int = 0

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a column as SQLAlchemy does; SQLModel also asks pydantic, which checks nothing in a table."""
        object.__setattr__(self, name, value)

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

        Keeps the row's own invariants (paused_from, what was asked for, ended_at, no due times once it has
        ended); whose turn it is and when the next due time comes is set by the handler, in the same work.
        Raises WrongMove when the table does not allow it.
        """
        rule = MOVES[move]
        if self.state not in rule.start:
            raise WrongMove(move, self.state, self.id)
        before = self.state
        self.state = self._target(move, rule)
        self.paused_from = before if move is Move.SUSPEND else self._still_paused_from()
        self.paused_until = self.paused_until if self.state is State.PAUSED else None
        if rule.to is not None and move not in GETS_ON:
            self.drop_request()
        self.changed_at = now
        self.version += 1
        if self.state in ENDED and before not in ENDED:
            self._end(now)
        elif self.state not in ENDED:
            self.ended_at = None
        return before

    def drop_request(self) -> None:
        """Nothing waits for an approval any more."""
        self.request = self.approver_id = self.request_until = None

    def _target(self, move: Move, rule: Rule) -> State:
        if move is Move.RESUME:
            return self.paused_from or State.ACCEPTED
        return rule.to or self.state

    def _still_paused_from(self) -> State | None:
        return self.paused_from if self.state is State.PAUSED else None

    def _end(self, now: datetime) -> None:
        self.ended_at = now
        self.next_due = self.accept_due = self.arrive_due = self.resolve_due = None
