"""The due columns of random cases, found twice: by the product's clocks, and by a slow reader of the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import islice, repeat
from random import Random
from typing import Any, cast

import pytest

from handbook import Book
from handbook.loading import DEFAULT, places
from handlers.clocks import Fact
from handlers.dues import set_dues
from handlers.promise import promise_of
from handlers.work import Work
from models import ENDED, MOVES, OPEN, Incident, Move, State
from tests.calendar.oracle import Rules, Walk
from tests.calendar.test_deadline_oracle import DAYS, WORLDS, rules_of
from tests.handbook.books import book_of
from tests.properties.slow_clocks import Days, Event, Found, Proven, SlowClocks, Walked, moment

pytestmark = pytest.mark.long


CASES = 5_400
WALKED = 60
PLACES = tuple(place for place in places() if place != DEFAULT)
FIRST = round(datetime(2026, 8, 20, tzinfo=UTC).timestamp())
LAST = round(datetime(2026, 12, 30, tzinfo=UTC).timestamp())
GIVING = frozenset({Move.DISPATCH, Move.TRANSFER, Move.CLIMB, Move.ARBITRATE, Move.REOPEN})
OFTEN = frozenset({Move.FINISH, Move.REWORK, Move.RETRACT, Move.SUSPEND, Move.RESUME})
ENDING = frozenset(move for move, rule in MOVES.items() if rule.to in ENDED)
QUIET = frozenset({Move.JOIN, Move.PART_DONE, Move.ABSORB, Move.REQUEST, Move.REFUSE_REQUEST, Move.NOTE})
GAPS = (30, 600, 3600, 7200, 20_000, 86_400, 200_000)


@dataclass
class Asked:
    """What the product's clocks are asked with: a book, and the moment it is now."""

    book: Book
    now: datetime


@dataclass
class Story:
    """A random log of one case, legal from beginning to end."""

    place: str
    grade: str
    promise: dict[str, Any]
    log: list[Event] = field(default_factory=list)
    state: State = State.REGISTERED
    rested: State | None = None
    step: int = 0

    @property
    def dues(self) -> tuple[datetime | bool | None, ...]:
        """What the product says: acceptance, arrival, resolution, whether that is sure, and when to look."""
        facts = [Fact(moment(at), Move(move), data) for at, move, data in self.log]
        case = Incident(
            state=self.state,
            promise=self.promise,
            category="1601",
            grade=self.grade,
            what="灯",
            grid_id=1,
            reporter_id=1,
            filed_by_id=1,
            opened_at=facts[0].at,
            changed_at=facts[-1].at,
        )
        set_dues(cast(Work, Asked(book_of(self.place), facts[-1].at)), case, facts)
        return case.accept_due, case.arrive_due, case.resolve_due, case.due_certain, case.next_due

    def slow_dues(self, days: Mapping[str, Days]) -> tuple[datetime | bool | None, ...]:
        """The same, by the slow reader."""
        slow = SlowClocks(self.promise, self.log, str(self.state), days)
        resolve = slow.resolve()
        found = (_at(slow.accept()), _at(slow.arrive()), _at(resolve))
        return (*found, resolve.certain if resolve else True, moment(slow.next_due()))


def _at(found: Found | None) -> datetime | None:
    return None if found is None or found.due is None else moment(found.due)


def random_story(random: Random) -> Story:
    place = random.choice(PLACES)
    grade = random.choice(sorted(book_of(place).incidents.grades))
    story = Story(place, grade, promise_of(book_of(place), grade)[1])
    at = random.randrange(FIRST, LAST)
    story.log.append((at, str(Move.REPORT), {}))
    for move in (Move.TRIAGE, Move.DISPATCH):
        _take(story, random, move, at)
    for _ in range(random.randint(1, 22)):
        at += random.randrange(0, random.choice(GAPS), random.choice((1, 60)))
        _go_on(story, random, at)
    if story.state is State.VERIFIED:
        _take(story, random, Move.ASK_REPORTER, at)
    if story.state not in OPEN:
        _take(story, random, Move.REOPEN if story.state in MOVES[Move.REOPEN].start else Move.NOTE, at)
    return story


def _go_on(story: Story, random: Random, at: int) -> None:
    legal = [move for move, rule in MOVES.items() if story.state in rule.start]
    weights = [0.2 if m in ENDING else 0.5 if m in QUIET else 5 if m in OFTEN else 2 for m in legal]
    _take(story, random, random.choices(legal, weights)[0], at)


def _take(story: Story, random: Random, move: Move, at: int) -> None:
    before, rule = story.state, MOVES[move]
    story.log.append((at, str(move), _data(story, random, move, at)))
    target = story.rested if move is Move.RESUME else rule.to or before
    assert target is not None
    story.rested = before if move is Move.SUSPEND else story.rested
    story.state = target


def _data(story: Story, random: Random, move: Move, at: int) -> dict[str, Any]:
    if move in GIVING:
        return _given(story, random, move)
    if move is Move.EXTEND:
        return {"span": random.choice(("1h", "3d", "30m", "1d", "2h wall", "0d"))}
    if move is Move.SUSPEND:
        return {"until": moment(at + random.randrange(3600, 400_000)).isoformat()}
    if move is Move.WARN:
        return {"clock": random.choice(("resolve", "resolve", "accept", "arrive", "assign", "arbitrate"))}
    if move is Move.NUDGE:
        return {"clock": "resolve", "percent": random.choice((25, 50, 75))}
    return {}


def _given(story: Story, random: Random, move: Move) -> dict[str, Any]:
    """Up the ladder, now and then back to its foot with a new grade; a unit may have hours of its own."""
    top = len(story.promise["ladder"]) - 1
    regraded = move is Move.TRANSFER and random.random() < 0.2
    story.step = 0 if regraded else min(story.step + (move in (Move.CLIMB, Move.REOPEN)), top)
    calendar = random.choice((None, None, None, *book_of(story.place).hours))
    return {"to": 1, "step": story.step, "calendar": calendar} | ({"regraded": True} if regraded else {})


@cache
def proven(place: str) -> dict[str, Days]:
    return {name: Proven(calendar) for name, calendar in book_of(place).calendars.items()}


@cache
def walked(place: str) -> dict[str, Days]:
    """The place's hours, written out minute by minute."""
    free, worked = rules_of(WORLDS["one shift"]).free, rules_of(WORLDS["one shift"]).worked
    book = book_of(place)
    local_free = {day.isoformat() for day in book.holidays.local_holidays}
    local_worked = {day.isoformat() for day in book.holidays.local_makeup}
    found: dict[str, Days] = {}
    for name, hours in book.hours.items():
        rules = Rules(
            zone=hours.zone,
            week={
                n: shifts
                for days, shifts in hours.shifts.items()
                for n in range(DAYS.index(days[:3]), DAYS.index(days[-3:]) + 1)
            },
            free=(free | local_free) - local_worked,
            worked=(worked | local_worked) - local_free,
            worked_like=DAYS.index(hours.makeup_as),
            always=hours.round_the_clock,
        )
        found[name] = Walked(Walk(rules, FIRST - 86_400 * 3, LAST + 86_400 * 150))
    return found


def stories(seed: int, count: int) -> Sequence[Story]:
    """So many logs of cases which are still open."""
    random = Random(seed)
    told = (random_story(random) for _ in repeat(None))
    return list(islice((story for story in told if story.state in OPEN), count))


@pytest.mark.parametrize("seed", range(6))
def test_the_due_columns_are_what_a_slow_reader_finds_in_the_log(seed: int) -> None:
    for story in stories(seed, CASES // 6):
        assert story.dues == story.slow_dues(proven(story.place)), story


def test_the_due_columns_are_where_a_walk_along_the_clock_ends() -> None:
    for story in stories(77, WALKED):
        if story.log[-1][0] < LAST:
            assert story.dues == story.slow_dues(walked(story.place)), story


def test_the_random_logs_reach_what_is_hard() -> None:
    found = stories(5, CASES // 6)
    moves = [{event[1] for event in story.log} for story in found]

    for move in ("suspend", "extend", "transfer", "climb", "reopen", "rework", "retract", "arbitrate"):
        assert sum(move in made for made in moves) > 40, move
    assert sum(story.state is State.PAUSED for story in found) > 20
    assert sum(not story.dues[3] for story in found) > 5
    assert {story.place for story in found} == set(PLACES)
