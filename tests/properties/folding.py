"""A case read from its log alone: what its row must say if the log is the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from models import MOVES, Move, State

GIVEN = frozenset({Move.DISPATCH, Move.TRANSFER, Move.CLIMB, Move.ARBITRATE, Move.REOPEN})
GIVEN_BACK = frozenset({Move.RETURN, Move.AUTO_RETURN, Move.APPEAL_RETURN})
TO_HANDLER = frozenset({Move.ASK_REPORTER, Move.REWORK, Move.RETRACT})
TAKES_UP = frozenset({Move.ACCEPT, Move.ARRIVE, Move.FINISH, Move.SELF_HANDLE})


class LogBroken(AssertionError):
    """An event that cannot follow the ones before it."""


@dataclass
class Folded:
    """What the log says of a case so far."""

    number: int
    state: State | None = None
    owner: int | None = None
    handler: int | None = None
    checked_by_log: bool = True
    """Whether the log names the owner: who checks a result is chosen, and stands on the row alone."""
    paused_from: State | None = None
    step: int = 0
    returns: int = 0
    returns_since_arbitration: int = 0
    extensions: int = 0
    round: int = 1
    supervised: bool = False
    ratings: int = 0
    moves: list[Move] = field(default_factory=list)

    def read(self, event: Any) -> None:
        """Take one event row. Raises LogBroken when it cannot stand here."""
        move, data = Move(event.move), event.data
        self.follow(move, event.before, event.after)
        if move in GIVEN or move in GIVEN_BACK:
            self.owner, self.checked_by_log = data["to"], True
            self.step = data.get("step", self.step)
        elif move in TAKES_UP:
            self.handler = event.actor_id
            self.owner = event.actor_id if move is Move.SELF_HANDLE else self.owner
            self.checked_by_log = move is not Move.FINISH
        elif move in TO_HANDLER:
            self.owner, self.checked_by_log = self.handler, True
        self._count(move, data)
        self.moves.append(move)

    def follow(self, move: Move, before: State | None, after: State) -> None:
        """Go from one state to the next by the table. Raises LogBroken."""
        if move is Move.REPORT:
            if self.state is not None or before is not None:
                raise LogBroken(f"{self.number} was reported twice")
            self.state = State.REGISTERED
            return
        rule = MOVES[move]
        if before != self.state or before not in rule.start:
            raise LogBroken(f"{self.number}: {move} from {before}, after the log led to {self.state}")
        wanted = self.paused_from if move is Move.RESUME else rule.to or before
        if after != wanted:
            raise LogBroken(f"{self.number}: {move} led to {after}, not to {wanted}")
        self.paused_from = before if move is Move.SUSPEND else self.paused_from
        self.state = after
        if after is not State.PAUSED:
            self.paused_from = None

    def _count(self, move: Move, data: dict[str, Any]) -> None:
        self.returns += move is Move.RETURN
        self.returns_since_arbitration += move is Move.RETURN
        self.extensions += move is Move.EXTEND
        self.supervised |= move is Move.SUPERVISE
        self.ratings += move is Move.RATE
        if move is Move.ARBITRATE:
            self.returns_since_arbitration = 0
        if move is Move.REOPEN:
            self.round += 1
            self.returns = self.returns_since_arbitration = self.extensions = self.ratings = 0


def fold(number: int, events: Sequence[Any]) -> Folded:
    """Read a whole log."""
    folded = Folded(number)
    for event in events:
        folded.read(event)
    return folded
