"""A hundred thousand random moves: whatever people and time do to a case, what must hold holds after each."""

import shutil
from collections import Counter
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from handbook.loading import places
from models import ENDED, MOVES, OPEN, Incident, Move, State, WrongMove
from tests.keys import use_test_keys
from tests.properties.folding import Folded
from tests.properties.steps import BY_CLOCK, OF_THE_REGISTRY
from tests.properties.walking import Walk, seeds_of, shortest
from tests.properties.world import COMMANDS, world

pytestmark = pytest.mark.long


WALKS = 2
STEPS = 450
TABLE_MOVES = 96_000
PAGE = Path(__file__).parent / "lifecycle.txt"
RARE = frozenset({Move.AUTO_RETURN, Move.HAND_OVER})
"""Moves a walk may miss: only one grade of one place takes cases back by itself, and no post ends on it."""
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LASTING = frozenset({Move.ACCEPT, Move.ARRIVE, Move.RESUME})


# ---- through the commands, on a real database ------------------------------------------------------------


def walk(place: str, steps: list[int], template: Path) -> Counter[str]:
    """Take all steps in a fresh town. Returns what was seen; raises what went wrong."""
    with TemporaryDirectory() as folder:
        copy = shutil.copy(template, Path(folder) / "town.db")
        with world(place, f"sqlite:///{copy}") as made:
            walker = Walk(made)
            for step in steps:
                walker.step(step)
            return walker.seen


def fewest_steps(pool: Executor, place: str, seed: int, template: Path) -> str:
    """Name the fewest steps of a walk that fail like the whole of it, for whoever looks for the fault."""

    def fault(steps: list[int]) -> BaseException | None:
        return pool.submit(walk, place, steps, template).exception()

    kind = type(fault(seeds_of(seed, STEPS)))
    steps = shortest(seeds_of(seed, STEPS), lambda some: type(fault(some)) is kind)
    return f"{place}: {fault(steps)!r}\nsteps: {steps}"


@pytest.fixture(scope="module")
def walked(sqlite_template: Path) -> Counter[str]:
    """Walks in every place, two at a time, and what was seen on all of them together."""
    walks = [(place, seed) for seed in range(1, WALKS + 1) for place in places()]
    seen: Counter[str] = Counter()
    with ProcessPoolExecutor(2, get_context("spawn"), use_test_keys) as pool:
        tasks = [pool.submit(walk, place, seeds_of(seed, STEPS), sqlite_template) for place, seed in walks]
        for task, (place, seed) in zip(tasks, walks, strict=True):
            assert task.exception() is None, fewest_steps(pool, place, seed, sqlite_template)
            seen.update(task.result())
    return seen


def test_what_must_hold_holds_after_every_step_in_every_place(walked: Counter[str]) -> None:
    commands = sum(count for name, count in walked.items() if name in COMMANDS)
    moves = sum(count for name, count in walked.items() if name.startswith(("move ", "refused ")))

    assert commands > 0.8 * WALKS * STEPS * len(places())
    assert moves + TABLE_MOVES > 100_000
    assert min(walked[what] for what in ("sent", "dropped", "crash", "own number")) > 30


def test_the_walks_make_every_move_and_give_every_command(walked: Counter[str]) -> None:
    assert {move for move in Move if not walked[f"move {move}"]} <= RARE
    assert {name for name in COMMANDS if not walked[name]} <= BY_CLOCK | OF_THE_REGISTRY


# ---- the table alone -------------------------------------------------------------------------------------


def test_the_table_is_the_page() -> None:
    written: dict[str, set[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").replace("\n    ", " ").splitlines():
        if not line.startswith("#"):
            state, _, moves = line.partition(": ")
            written[state] = set(moves.split())

    table = {
        str(state): {_arrow(move) for move, rule in MOVES.items() if state in rule.start} for state in State
    }
    assert table == written


def _arrow(move: Move) -> str:
    rule = MOVES[move]
    target = "<" if move is Move.RESUME else rule.to or "="
    return f"{move}>{target}{'!' if rule.reason else ''}"


def test_every_open_state_can_still_come_to_an_end() -> None:
    reach = {state: {_target(move, state) for move in MOVES if state in MOVES[move].start} for state in State}

    for state in OPEN:
        seen, todo = {state}, [state]
        while todo:
            new = reach[todo.pop()] - seen
            seen |= new
            todo += new
        assert State.CLOSED_SOLVED in seen, state


def _target(move: Move, state: State) -> State:
    return State.ACCEPTED if move is Move.RESUME else MOVES[move].to or state


def new_case(number: int) -> Incident:
    """A case that has just been registered."""
    return Incident(
        id=number,
        what="灯",
        category="1601",
        grade="general",
        grid_id=1,
        reporter_id=1,
        filed_by_id=1,
        owner_id=2,
        state=State.REGISTERED,
        promise={},
        next_due=NOW,
        opened_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.parametrize("seed", range(5))
def test_random_moves_on_the_row_keep_its_own_rules(seed: int) -> None:
    random = Random(seed)
    case, fold, now = new_case(1), Folded(1, State.REGISTERED), NOW
    for turn in range(TABLE_MOVES // 5):
        if case.state in ENDED and random.random() < 0.3:
            case, fold = new_case(turn), Folded(turn, State.REGISTERED)
        now += timedelta(seconds=random.randrange(1000))
        if random.random() < 0.2:
            case.request, case.approver_id, case.request_until = {"move": "extend"}, 3, now
        _one_move(case, fold, random.choice(list(MOVES)), now)


def _one_move(case: Incident, fold: Folded, move: Move, now: datetime) -> None:
    """Make a move, or be refused it; look at the row afterwards."""
    before, version, asked = case.state, case.version, case.request
    allowed = case.may(move)
    assert allowed == (before in MOVES[move].start)
    if not allowed:
        with pytest.raises(WrongMove):
            case.move(move, now)
        assert (case.state, case.version, case.request) == (before, version, asked)
        return
    assert case.move(move, now) == before
    fold.follow(move, before, case.state)
    assert (case.state, case.paused_from) == (fold.state, fold.paused_from)
    assert (case.state is State.PAUSED) == (case.paused_from is not None)
    assert (case.version, case.changed_at) == (version + 1, now)
    assert (case.ended_at is None) == (case.state in OPEN)
    stays = MOVES[move].to is None or move in LASTING
    assert case.request == (asked if stays and case.state in OPEN else None) or before in ENDED
    assert (case.request is None) == (case.request_until is None)
    assert case.paused_until is None or case.state is State.PAUSED
    if case.state in ENDED and before not in ENDED:
        assert (case.next_due, case.accept_due, case.resolve_due, case.approver_id) == (None,) * 4
