"""The clocks of a case: pure functions of its event log, its frozen promise and the work calendar.

Nothing is stored and patched: the due columns of the row are what these functions say after each move, so
every
number can be recomputed and explained (product.md row 28).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from handbook.calendar import Pause, WorkCalendar
from handbook.spans import Span
from handlers.promise import Promise
from models import Move


class Fact(NamedTuple):
    """What the clocks need of one event."""

    at: datetime
    move: Move
    data: Mapping[str, Any] = {}


class Kind(StrEnum):
    """What a clock measures."""

    RECEIPT = "receipt"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    RESOLVE = "resolve"
    ASSIGN = "assign"
    VERIFY = "verify"
    ARBITRATE = "arbitrate"
    APPROVE = "approve"
    SILENCE = "silence"
    PAUSE = "pause"
    TOP = "top"


@dataclass(frozen=True)
class Leg:
    """One running of one clock: from when, how long, and whether it was met."""

    kind: Kind
    started: datetime
    span: Span
    calendar: str
    step: int = 0
    extensions: tuple[Span, ...] = ()
    met: datetime | None = None
    left: datetime | None = None
    """When the clock was taken away unmet (the case went to somebody else)."""
    due: datetime | None = None
    """None while the case is paused."""
    certain: bool = True
    nudges: tuple[tuple[int, datetime], ...] = ()

    @property
    def running(self) -> bool:
        """Whether the clock is neither met nor taken away."""
        return self.met is None and self.left is None

    def missed(self, now: datetime) -> bool:
        """Whether it was, or by now is, too late."""
        if self.due is None:
            return False
        return (self.met or self.left or now) > self.due or (self.running and now >= self.due)


@dataclass(frozen=True)
class Clocks:
    """All clocks a case has had, in the order they began."""

    legs: tuple[Leg, ...]
    paused: bool

    def running(self, kind: Kind) -> Leg | None:
        """The clock of this kind that runs now."""
        return next((leg for leg in reversed(self.legs) if leg.kind is kind and leg.running), None)

    def last(self, kind: Kind) -> Leg | None:
        """The latest clock of this kind, running or not."""
        return next((leg for leg in reversed(self.legs) if leg.kind is kind), None)


class Due(NamedTuple):
    """Something the clock must do at a moment."""

    at: datetime
    kind: Kind
    percent: int | None = None
    """Set for a nudge: how much of the time has gone by."""


_HANDED = frozenset({Move.DISPATCH, Move.TRANSFER, Move.CLIMB, Move.ARBITRATE, Move.REOPEN})
_FRESH = frozenset({Move.CLIMB, Move.ARBITRATE, Move.REOPEN})
_OVER = frozenset(
    {
        Move.CLOSE_SOLVED,
        Move.CLOSE_UNSOLVED,
        Move.CLOSE_NOT_OURS,
        Move.CLOSE_INVALID,
        Move.SELF_HANDLE,
        Move.MERGE,
        Move.WITHDRAW,
    }
)


@dataclass
class _Tape:
    """The legs as the log is read from its beginning."""

    promise: Promise
    legs: list[Leg] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    calendar: str = ""
    step: int = 0

    def start(self, kind: Kind, at: datetime, span: Span, calendar: str | None = None) -> None:
        self.legs.append(Leg(kind, at, span, calendar or self.calendar, self.step))

    def stop(self, at: datetime, *kinds: Kind, met: bool) -> None:
        for i, leg in enumerate(self.legs):
            if leg.running and leg.kind in kinds:
                self.legs[i] = replace(leg, met=at) if met else replace(leg, left=at)

    def has(self, kind: Kind) -> bool:
        return any(leg.kind is kind and leg.running for leg in self.legs)

    def read(self, fact: Fact) -> None:
        """Let one event start, stop or stretch the clocks."""
        reader = _READERS.get(fact.move)
        if reader is not None:
            reader(self, fact.at, fact.move, fact.data)

    def _reported(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.calendar = self.promise.calendar
        self.start(Kind.RECEIPT, at, self.promise.receipt)
        self.stop(at, Kind.RECEIPT, met=True)

    def _handed(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.step = data.get("step", self.step)
        self.calendar = data.get("calendar") or self.promise.calendar
        rung = self.promise.rung(self.step)
        self.stop(at, Kind.ACCEPT, Kind.ASSIGN, Kind.ARBITRATE, Kind.SILENCE, Kind.VERIFY, met=False)
        self.start(Kind.ACCEPT, at, rung.accept)
        if move in _FRESH or data.get("regraded"):
            at = self._since(at) if data.get("kept") else at
            self.stop(at, Kind.RESOLVE, Kind.ARRIVE, met=False)
        if not self.has(Kind.RESOLVE):
            self.start(Kind.RESOLVE, at, rung.resolve)
            if self.promise.arrive is not None:
                self.start(Kind.ARRIVE, at, self.promise.arrive)

    def _since(self, at: datetime) -> datetime:
        """Since when the case has been worked on: who changes their own case's grade wins no time by it."""
        return next((leg.started for leg in self.legs if leg.kind is Kind.RESOLVE and leg.running), at)

    def _away(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.stop(at, Kind.ACCEPT, met=False)
        arbitrate = move is Move.APPEAL_RETURN
        span = self.promise.arbitration if arbitrate else self.promise.approval
        self.start(Kind.ARBITRATE if arbitrate else Kind.ASSIGN, at, span)

    def _accepted(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.stop(at, Kind.ACCEPT, Kind.ASSIGN, met=True)

    def _arrived(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.stop(at, Kind.ACCEPT, Kind.ARRIVE, met=True)

    def _finished(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.stop(at, Kind.ACCEPT, Kind.ARRIVE, Kind.RESOLVE, met=True)
        self.start(Kind.VERIFY, at, self.promise.approval)

    def _verified(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.stop(at, Kind.VERIFY, met=True)

    def _asked(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.start(Kind.SILENCE, at, self.promise.silence)

    def _again(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        """The clock runs on. It stood while the result was checked; taking one's word back wins no time."""
        self.stop(at, Kind.VERIFY, Kind.SILENCE, met=False)
        i = max(i for i, leg in enumerate(self.legs) if leg.kind is Kind.RESOLVE)
        finished = self.legs[i].met
        if move is Move.REWORK and finished is not None:
            self.pauses.append((finished, at))
        self.legs[i] = replace(self.legs[i], met=None)

    def _extended(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        span = Span.parse(data["span"])
        for i, leg in enumerate(self.legs):
            if leg.running and leg.kind is Kind.RESOLVE:
                self.legs[i] = replace(leg, extensions=(*leg.extensions, span))

    def _suspended(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.pauses.append((at, None))

    def _resumed(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.pauses[-1] = (self.pauses[-1][0], at)

    def _over(self, at: datetime, move: Move, data: Mapping[str, Any]) -> None:
        self.stop(at, *Kind, met=move is Move.SELF_HANDLE)
        if self.pauses and self.pauses[-1][1] is None:
            self._resumed(at, move, data)


_READERS: Mapping[Move, Callable[[_Tape, datetime, Move, Mapping[str, Any]], None]] = {
    Move.REPORT: _Tape._reported,
    **dict.fromkeys(_HANDED, _Tape._handed),
    **dict.fromkeys((Move.RETURN, Move.AUTO_RETURN, Move.APPEAL_RETURN), _Tape._away),
    Move.ACCEPT: _Tape._accepted,
    Move.ARRIVE: _Tape._arrived,
    Move.FINISH: _Tape._finished,
    Move.VERIFY: _Tape._verified,
    Move.ASK_REPORTER: _Tape._asked,
    **dict.fromkeys((Move.REWORK, Move.RETRACT), _Tape._again),
    Move.EXTEND: _Tape._extended,
    Move.SUSPEND: _Tape._suspended,
    Move.RESUME: _Tape._resumed,
    **dict.fromkeys(_OVER, _Tape._over),
}
"""What each move does to the clocks; moves that are not here do nothing to them."""

_WITHOUT_PAUSE = frozenset({Kind.RECEIPT, Kind.SILENCE})


def clocks(
    promise: Promise, facts: Iterable[Fact], calendars: Mapping[str, WorkCalendar], *, all_due: bool = True
) -> Clocks:
    """All clocks of a case from its log: due times by the calendar, pauses and extensions counted.

    `facts` in the order they happened; `calendars` as the book names them; without `all_due` only clocks
    that run are given a due time, which is all that tells what comes next.
    """
    tape = _Tape(promise)
    for fact in facts:
        tape.read(fact)
    pauses = tuple(tape.pauses)
    paused = bool(pauses) and pauses[-1][1] is None
    legs = (_timed(leg, promise, pauses, calendars) if all_due or leg.running else leg for leg in tape.legs)
    return Clocks(tuple(legs), paused)


def _timed(leg: Leg, promise: Promise, pauses: Sequence[Pause], calendars: Mapping[str, WorkCalendar]) -> Leg:
    calendar = calendars[leg.calendar]
    stops = () if leg.kind in _WITHOUT_PAUSE else pauses
    due = calendar.due(leg.started, leg.span, stops, leg.extensions)
    nudges: tuple[tuple[int, datetime], ...] = ()
    if leg.kind is Kind.RESOLVE and leg.running and due.at is not None:
        marks = calendar.nudges(leg.started, leg.span, promise.nudges, stops, leg.extensions)
        nudges = tuple((p, m.at) for p, m in zip(promise.nudges, marks, strict=True) if m.at is not None)
    return replace(leg, due=due.at, certain=due.certain, nudges=nudges)


_SHORT = timedelta(minutes=30)
"""A clock shorter than this is not nudged: the case itself was told a moment ago."""


def agenda(state_kinds: Iterable[Kind], all_clocks: Clocks, facts: Sequence[Fact]) -> list[Due]:
    """What the clock must still do for a case, earliest first.

    `state_kinds` are the clocks that matter in the state the case is in. A clock that has already been
    answered for
    (a warning after it was missed) is left out.
    """
    found: list[Due] = []
    for kind in state_kinds:
        leg = all_clocks.running(kind)
        if leg is None or leg.due is None:
            continue
        if not _answered(leg, facts):
            found.append(Due(leg.due, kind))
            found += [Due(at, kind, percent) for percent, at in _open_nudges(leg, facts)]
    return sorted(found, key=lambda due: due.at)


def _answered(leg: Leg, facts: Sequence[Fact]) -> bool:
    return any(
        fact.move is Move.WARN
        and fact.data.get("clock") == leg.kind
        and fact.at >= leg.started
        and leg.due is not None
        and fact.at >= leg.due
        for fact in facts
    )


def _open_nudges(leg: Leg, facts: Sequence[Fact]) -> list[tuple[int, datetime]]:
    if leg.due is None or leg.due - leg.started < _SHORT:
        return []
    done = max(
        (
            fact.data["percent"]
            for fact in facts
            if fact.move is Move.NUDGE and fact.at >= leg.started and fact.data.get("clock") == leg.kind
        ),
        default=0,
    )
    return [(percent, at) for percent, at in leg.nudges if percent > done and at < leg.due]
