"""The states a case can be in and the moves between them: the one state machine of the closed loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
    HAND_OVER = "hand_over"
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
    Move.TRANSFER: _rule(_MOVABLE - {_S.ARBITRATION}, _S.DISPATCHED),
    # A whole table goes to somebody else: state, clocks and requests of each case go on.
    Move.HAND_OVER: _rule(OPEN, None),
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
