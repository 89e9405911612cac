"""The promise a case is opened under: hours and ladder, copied from the book and then frozen."""

import json
from copy import deepcopy
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from handbook import Book
from handbook.spans import Span


class Rung(BaseModel):
    """One step of the ladder: whose turn it is and how long they have."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    to: str
    accept: Span
    resolve: Span


class Promise(BaseModel):
    """What was promised when the case was opened; editing the book changes new cases only."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    grade: str
    name: str
    calendar: str
    receipt: Span
    arrive: Span | None
    ladder: tuple[Rung, ...]
    nudges: tuple[int, ...]
    auto_return: bool
    tell_whole_ladder: bool
    daily_zero: bool
    needs_verification: bool
    arbitration: Span
    approval: Span
    silence: Span
    reopen_within: Span
    max_extensions: int
    max_returns: int
    book: str
    """Version of the book it was taken from."""

    @property
    def top(self) -> int:
        """The last rung, the 兜底."""
        return len(self.ladder) - 1

    def rung(self, step: int) -> Rung:
        """The rung a case stands on; above the last there is nothing, so it stays the last."""
        return self.ladder[min(step, self.top)]


@lru_cache(maxsize=512)
def _from_book(book: Book, grade_key: str) -> tuple[Promise, str]:
    grade, rules = book.grade(grade_key), book.incidents
    promise = Promise(
        grade=grade_key,
        name=grade.name,
        calendar=grade.calendar,
        receipt=grade.receipt,
        arrive=grade.arrive,
        ladder=tuple(Rung(to=s.to, accept=s.accept, resolve=s.resolve) for s in grade.ladder),
        nudges=grade.nudges,
        auto_return=grade.auto_return,
        tell_whole_ladder=grade.tell_whole_ladder,
        daily_zero=grade.daily_zero,
        needs_verification=grade.needs_verification,
        arbitration=rules.arbitration,
        approval=rules.approval,
        silence=rules.silence,
        reopen_within=rules.reopen_within,
        max_extensions=rules.max_extensions,
        max_returns=rules.returns_before_arbitration,
        book=book.version,
    )
    return promise, promise.model_dump_json()


def promise_of(book: Book, grade: str) -> tuple[Promise, dict[str, Any]]:
    """The promise a new case of this grade is opened under, and its frozen copy for the row."""
    promise, frozen = _from_book(book, grade)
    return promise, json.loads(frozen)


_read: dict[tuple[str, str], tuple[dict[str, Any], Promise]] = {}
"""The last promise read under each book and grade: hardly ever do two differ, and to compare is quick."""


def read_promise(frozen: dict[str, Any]) -> Promise:
    """The promise kept on a row."""
    name = (frozen["book"], frozen["grade"])
    kept = _read.get(name)
    if kept is None or kept[0] != frozen:
        kept = _read[name] = deepcopy(frozen), Promise.model_validate(frozen)
    return kept[1]
