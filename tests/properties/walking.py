"""A random walk through a world, everything that must hold looked at after each step."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from string import Formatter
from typing import Any

from handlers.clocks import Fact
from handlers.dues import set_dues
from handlers.refusal import Refusal
from models import ENDED, MOVES, OPEN, TO_BE_DONE, Incident, Move, State
from tests.properties.folding import Folded
from tests.properties.steps import Chooser
from tests.properties.world import INCIDENTS, Happened, World

DUES = ("accept_due", "arrive_due", "resolve_due", "next_due", "paused_until", "due_certain")
ONCE_IN_A_LIFE = ":alarm:"
"""In the key of what a person is told once of a case, whatever becomes of it later."""
MOST_ROUNDS = 40
"""Looks of the clock at one moment after which it must have come to rest."""


class Walk:
    """Walks, and remembers each case as it was last seen: nothing may change behind its back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[int, Any] = {}
        self.folds: dict[int, Folded] = {}
        self.logs: dict[int, list[Any]] = {}
        self.seen: Counter[str] = Counter()

    def step(self, seed: int) -> None:
        """Do what a number says: mostly a command, else time, mail, a commit or a crash."""
        chooser = Chooser(self.world, self.known, seed)
        roll = chooser.random.random()
        if roll < 0.86:
            self._obeyed(self.world.do(*chooser.order(), chat=chooser.random.random() < 0.8))
        elif roll < 0.93:
            self.world.wait(chooser.wait())
            self._tick()
        elif roll < 0.96:
            self._post()
        elif roll < 0.99:
            self._keep(together=chooser.random.random() < 0.7)
        else:
            self._crash()

    # ---- commands ----------------------------------------------------------------------------------------

    def _obeyed(self, happened: Happened) -> None:
        self.seen[happened.command.name] += 1
        if isinstance(happened.outcome, Refusal):
            self.seen["refused " + happened.outcome.text] += 1
            self._changed_nothing(happened)
            return
        self._look(happened)

    def _changed_nothing(self, happened: Happened) -> None:
        """A refusal is a text with its arguments, and nothing else."""
        outcome = happened.outcome
        assert isinstance(outcome, Refusal)
        given = set(outcome.args_) - {"choices"}
        wanted = placeholders(self.world.book.text(outcome.text))
        assert given == wanted, f"{outcome.text} is given {given}, and says {wanted}"
        assert not happened.events
        assert not happened.mail
        assert not self.world.session.dirty
        assert not self.world.session.new
        for number in self._named(happened):
            assert self.world.row(number) == self.known.get(number), f"a refusal changed {number}"

    def _named(self, happened: Happened) -> set[int]:
        named = {getattr(happened.command, field, None) for field in ("incident", "into")}
        return {number for number in named if isinstance(number, int) and number in self.known}

    def _look(self, happened: Happened) -> None:
        """Everything that must hold for what was just done."""
        lost = happened.promised - {mail.key for mail in happened.mail}
        assert {key for key in lost if ONCE_IN_A_LIFE not in key} == set(), "its key had been used before"
        touched = {event.incident_id for event in happened.events} | self._named(happened)
        for event in happened.events:
            self._event_stands(happened, event)
            self.logs.setdefault(event.incident_id, []).append(event)
            fold = self.folds.setdefault(event.incident_id, Folded(event.incident_id))
            fold.read(event)
            self.seen[f"move {event.move}"] += 1
        for number in touched:
            self._case_stands(number)
        for mail in happened.mail:
            self._mail_stands(mail, self._named(happened) if mail.chat is not None else set())

    def _event_stands(self, happened: Happened, event: Any) -> None:
        """I2: who, by which message, and why where the table says so."""
        assert event.actor_id == happened.actor.id
        assert (event.channel, event.message_id) == (happened.channel, happened.message_id)
        assert event.message_id
        assert event.channel
        assert (event.actor_id is None) == (event.channel == "clock")
        if event.move != Move.REPORT and MOVES[Move(event.move)].reason:
            assert event.reason, f"{event.move} without a reason"
        if event.move == Move.CLIMB:
            assert self._rank(event.data["to"]) < self._rank(event.data["former"]), (
                "it climbed to a lower level"
            )
        if event.move == Move.RETURN:
            assert event.actor_id not in self._backstop(event.incident_id), "the backstop gave a case back"

    def _rank(self, person: int) -> tuple[int, bool]:
        """How far down the tree somebody stands, an area's keeper first; a unit's people below everybody."""
        book, nodes = self.world.book, self.world.tree.nodes
        posts = [post for post in self.world.tree.staff[person].posts if post.unit_id is None]
        levels = [(book.level(nodes[post.grid_id].level), post.role) for post in posts]
        found = [(book.level_index(level.key), role != level.keeper) for level, role in levels]
        return min(found, default=(len(book.levels), True))

    def _backstop(self, number: int) -> Sequence[int]:
        """Who keeps the last rung of a case's ladder on its own branch."""
        row = self.known.get(number) or self.world.row(number)
        tree = self.world.tree
        node = tree.at_level(row.grid_id, row.promise["ladder"][-1]["to"])
        return tree.keepers(node.id) if node else ()

    # ---- cases -------------------------------------------------------------------------------------------

    def _case_stands(self, number: int) -> None:
        row, fold = self.world.row(number), self.folds[number]
        before = self.known.get(number)
        self.known[number] = row
        self._row_is_the_log(row, fold)
        self._is_accountable(row)
        self._dues_are_the_logs(row)
        assert fold.returns_since_arbitration <= row.promise["max_returns"], "given back too often"
        assert fold.extensions <= row.promise["max_extensions"]
        assert fold.ratings <= 1
        if before is not None:
            kept = (before.reporter_id, before.filed_by_id, before.opened_at)
            assert kept == (row.reporter_id, row.filed_by_id, row.opened_at)
            assert before.danger in (None, row.danger), "danger is never talked away"
            assert row.version >= before.version

    def _row_is_the_log(self, row: Any, fold: Folded) -> None:
        said = (row.state, row.paused_from, row.returns, row.extensions, row.round, row.supervised)
        assert said == (
            fold.state,
            fold.paused_from,
            fold.returns,
            fold.extensions,
            fold.round,
            fold.supervised,
        )
        if row.state in OPEN and fold.checked_by_log:
            assert (row.owner_id, row.step) == (fold.owner, fold.step)
        if fold.handler is not None and row.state in (State.HANDLED, State.WAITING_REPORTER):
            assert row.handler_id == fold.handler
        assert (row.rating is not None) == (fold.ratings == 1)

    def _is_accountable(self, row: Any) -> None:
        """I1: open means exactly one accountable person and a next due time; ended means neither clock nor
        request.
        """
        staff = self.world.tree.staff
        if row.state in OPEN:
            assert row.owner_id in staff, f"{row.id} lies with somebody who holds no post"
            assert row.next_due is not None
            assert row.ended_at is None
            assert (row.request is None) == (row.approver_id is None) == (row.request_until is None)
            assert (row.state == State.PAUSED) == (row.paused_until is not None)
            self._can_be_answered_for(row)
            return
        assert row.state in ENDED
        assert row.ended_at is not None
        dues = (row.next_due, row.accept_due, row.arrive_due, row.resolve_due, row.paused_until)
        assert (*dues, row.request, row.approver_id, row.request_until) == (None,) * 8
        assert (row.state == State.MERGED) <= (row.main_id in self.world.rows())

    def _can_be_answered_for(self, row: Any) -> None:
        """The clocks of its state run, and what was asked for could still be granted."""
        if row.state == State.DISPATCHED:
            assert row.accept_due is not None
        if row.state in (*TO_BE_DONE, State.RETURNED):
            assert row.resolve_due is not None, f"no time is set for {row.id} to be done"
        if row.request is not None:
            assert row.state in MOVES[Move(row.request["move"])].start, (
                "what was asked for can never be granted"
            )

    def _dues_are_the_logs(self, row: Any) -> None:
        if row.state in ENDED:
            return
        shadow = shadow_of(row)
        facts = [Fact(event.at, Move(event.move), event.data) for event in self.logs[row.id]]
        set_dues(self.world.asking(), shadow, facts)
        for due in DUES:
            assert getattr(shadow, due) == getattr(row, due), f"{due} of {row.id}"

    # ---- the clock ---------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """The clock looks until nothing is due any more; it must come to rest."""
        self.world.commit()
        for _ in range(MOST_ROUNDS):
            happened = self.world.follow()
            assert not isinstance(happened.outcome, Refusal)
            assert happened.outcome.data["failed"] == []
            self._look(happened)
            if not happened.outcome.data["followed"]:
                break
        late = [
            row.id for row in self.world.rows().values() if row.next_due and row.next_due <= self.world.now
        ]
        assert not late, f"the clock never comes to rest with {late}"

    # ---- mail --------------------------------------------------------------------------------------------

    def _mail_stands(self, mail: Any, named: set[int]) -> None:
        """Its words are in the book, and a reporter reads the number they know or have just named (I6)."""
        wanted = placeholders(self.world.book.text(mail.text)) - OPTIONAL
        missing = wanted - set(mail.args)
        assert not missing, f"{mail.text} has nothing for {missing}"
        if mail.incident_id is None or "number" not in mail.args or mail.person_id in self.world.tree.staff:
            return
        own = {str(p.told_as or mail.incident_id) for p in self._reports(mail.incident_id, mail.person_id)}
        if own:
            self.seen["own number"] += 1
            numbers = own | {str(number) for number in named}
            known = str(mail.args["number"]) in numbers or str(mail.args["number"]) in self._merged_numbers(
                mail
            )
            assert known, f"{mail.text} calls {own} {mail.args['number']}"

    def _reports(self, number: int, person: int | None) -> list[Any]:
        return [p for p in self.world.parts(number) if p.person_id == person and p.part == "reporter"]

    def _merged_numbers(self, mail: Any) -> set[str]:
        """Other cases the same person reported that were merged into this one."""
        rows = self.world.rows().values()
        return {
            str(r.id)
            for r in rows
            if r.reporter_id == mail.person_id and leads_to(self.known, r.id, mail.incident_id)
        }

    def _post(self) -> None:
        """I3: what goes out is still true when it goes out."""
        for letter in self.world.claim():
            mail = self.world.mail(letter.mail_id)
            if mail.still is not None and mail.incident_id is not None:
                row = self.world.row(mail.incident_id)
                assert holds(mail.still, row, mail.person_id), (
                    f"{mail.text} went out when it was no longer {mail.still}"
                )
            self.seen["sent"] += 1
            self.world.sent(letter)
        for mail in self.world.dropped():
            row = self.world.row(mail.incident_id)
            assert not holds(mail.still, row, mail.person_id), (
                f"{mail.text} was dropped though it is {mail.still}"
            )
            self.seen["dropped"] += 1

    # ---- keeping -----------------------------------------------------------------------------------------

    def _keep(self, *, together: bool) -> None:
        assert self.world.rows() == self.known, "a case changed without an event"
        self.world.commit()
        if together:
            self.world.together()

    def _crash(self) -> None:
        """What was not committed is gone; the rest is read again from the database alone."""
        self.world.restart()
        self.known = self.world.rows()
        self.logs = {number: self.world.events(number) for number in self.known}
        self.folds = {number: folded(number, log) for number, log in self.logs.items()}
        self.seen["crash"] += 1


def folded(number: int, log: Iterable[Any]) -> Folded:
    """A case as its log tells it."""
    fold = Folded(number)
    for event in log:
        fold.read(event)
    return fold


def shadow_of(row: Any) -> Incident:
    """A case with all its columns but the due ones, for computing those again."""
    values = {c.name: getattr(row, c.name) for c in INCIDENTS.columns if c.name not in DUES}
    return Incident(**values)


@cache
def placeholders(text: str) -> frozenset[str]:
    """The names a text of the book wants."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


OPTIONAL = frozenset({"phone", "advice", "more"})
"""What a text may want and get nothing for: its place stays empty."""


def leads_to(known: dict[int, Any], number: int, main: int) -> bool:
    """Whether a case was merged, over however many others, into another one."""
    while known[number].main_id is not None:
        number = known[number].main_id
        if number == main:
            return True
    return False


def holds(still: str, row: Any, person: int | None) -> bool:
    """What each condition of a promise means, in the test's own words."""
    state, mine = State(row.state), row.owner_id == person
    match still:
        case "open":
            return row.ended_at is None
        case "mine":
            return row.ended_at is None and mine
        case "not_accepted":
            return state is State.DISPATCHED and mine
        case "handled":
            return state is State.HANDLED and mine
        case "waiting":
            return state is State.WAITING_REPORTER
        case "requested":
            return row.request is not None and row.approver_id == person
    raise AssertionError(f"no condition called {still}")


def shortest(seeds: Sequence[int], fails: Any) -> list[int]:
    """The fewest steps that still fail: halves, quarters, eighths and so on are left out while it goes on
    failing.
    """
    steps, size = list(seeds), len(seeds) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if fails(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


def seeds_of(seed: int, count: int) -> list[int]:
    """The steps of a walk."""
    random = Random(seed)
    return [random.getrandbits(40) for _ in range(count)]
