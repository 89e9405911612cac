"""A year (or a season of it) in each of the five places: holidays, a leave, an outage; nobody is forgotten.

People report, workers act or do not, residents agree, disagree or say nothing. What must hold then holds for
every case of the year (product.md row 105).
"""

import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from handbook.loading import places
from handlers.actor import CLOCK
from handlers.clocks import Kind
from handlers.dues import clocks_of
from models import ENDED, IN_HAND, OPEN, Incident, IncidentEvent, MailState, Move, Outbox, State
from tests.town import PLAIN, Town, founded

pytestmark = pytest.mark.long


WORDS = (
    "3栋楼下路灯坏了",
    "2栋门口垃圾没人清",
    "楼上邻居天天吵架,和我们闹矛盾",
    "小区门口路面塌陷了",
    "下水道堵了,污水往外冒",
    "有人占道摆摊",
    "楼道里堆满杂物",
    "广场舞太吵",
)
BEGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
YEAR, SEASON = 365, 75
"""`make soak` plays the whole year (XIAOGE_LONG=1); the suite a season over the spring festival."""
DAYS = YEAR if os.environ.get("XIAOGE_LONG") else SEASON
LEAVE = range(30, 44)
OUTAGE = range(50, 53)


class Year:
    """Plays the people of a town, day by day."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town = town
        self.dice = random.Random(seed)
        self.keepers = [
            seat for seat in ("worker", "worker2", "section", "community", "town") if seat in town.seats
        ]

    def play(self) -> None:
        """Play the year, then six quiet weeks in which everything is dealt with."""
        for day in range(DAYS):
            self._day(day)
        for _ in range(45):
            self._work_through(1.0)
            self.town.skip_to(self.town.now + timedelta(days=1))

    def _day(self, day: int) -> None:
        town = self.town
        if day in OUTAGE:
            town.now += timedelta(days=1)  # the program is down: nobody looks at any due time
            return
        town.skip_to(town.now)  # after the outage the clock looks before anybody speaks
        if self.dice.random() < 0.2:
            who = self.dice.choice(["resident", "neighbour"])
            town.send(town.inbound(who, self.dice.choice(WORDS)))
        if town.now.astimezone(town.book.zone).weekday() < 5:
            self._work_through(0.0 if day in LEAVE else 0.6)
        self._residents_answer()
        town.skip_to(town.now + timedelta(days=1))

    def _work_through(self, zeal: float) -> None:
        for case in self._cases():
            if case.owner_id is not None and self.dice.random() <= zeal:
                words = self._deed(case)
                if words:
                    self._say(self._name(case.owner_id), words)
        for case in self._cases():
            if case.approver_id is not None and self.dice.random() <= max(zeal, 0.3):
                self._say(self._name(case.approver_id), f"同意 {case.id}")

    def _deed(self, case: Incident) -> str:
        """What the owner of a case says to move it on."""
        if case.state in (State.DISPATCHED, State.RETURNED):
            return self.dice.choice([f"接单 {case.id}", f"接单 {case.id}", f"退回 {case.id} 不归我"])
        if case.state in IN_HAND:
            return self.dice.choice([f"办结 {case.id} 处理好了", f"延期 {case.id} 2天 等配件"])
        if case.state is State.HANDLED:
            return f"核查通过 {case.id}"
        if case.state is State.ARBITRATION:
            return f"裁定 {case.id} {self.town.name('worker')} 就在他的片区"
        return ""

    def _residents_answer(self) -> None:
        for case in self._cases():
            if case.state is State.WAITING_REPORTER and self.dice.random() < 0.3:
                words = self.dice.choice(["已解决", "已解决", "未解决"])
                self._say(self._name(case.reporter_id), f"{words} {case.id}")

    def _say(self, who: str, words: str) -> None:
        self.town.now += timedelta(seconds=5)
        self.town.send(self.town.inbound(who, words))

    def _cases(self) -> list[Incident]:
        with Session(self.town.database.reader, expire_on_commit=False) as session:
            return list(session.execute(select(Incident).where(col(Incident.state).in_(OPEN))).scalars())

    def _name(self, person_id: int) -> str:
        return self.town.people[person_id]


@pytest.mark.parametrize("place", [place for place in places() if place != "default"])
def test_a_year_forgets_nobody(place: str, sqlite_url: str) -> None:
    with founded(place, sqlite_url, can=PLAIN, now=BEGIN) as town:
        Year(town, seed=len(place)).play()

        with Session(town.database.reader, expire_on_commit=False) as session:
            cases = list(session.execute(select(Incident)).scalars())
            events = list(session.execute(select(IncidentEvent).order_by(col(IncidentEvent.id))).scalars())
            mail = list(session.execute(select(Outbox)).scalars())

        assert len(cases) > DAYS // 8
        assert [case.id for case in cases if case.state not in ENDED] == []
        _every_case_was_answered(cases, mail)
        _nobody_waited_unseen(town, cases, events)
        _every_nudge_once(events)
        _nothing_is_left_unsent(mail)


def _every_case_was_answered(cases: list[Incident], mail: list[Outbox]) -> None:
    """The reporter heard of the filing and of the end."""
    told = {(one.incident_id, one.text) for one in mail if one.state is MailState.SENT}
    endings = ("close.reporter", "close.silent", "withdraw.done", "ended.close_unsolved")

    for case in cases:
        assert any((case.id, text) in told for text in ("report.filed", "report.filed_danger"))
        assert any((case.id, text) in told for text in endings)


def _nobody_waited_unseen(town: Town, cases: list[Incident], events: list[IncidentEvent]) -> None:
    """Each resolution clock that was missed is followed by a climb, a warning or a taking back in the log."""
    followed = {Move.CLIMB, Move.WARN, Move.AUTO_RETURN, Move.REOPEN}
    by_case: dict[int, list[IncidentEvent]] = {}
    for event in events:
        by_case.setdefault(event.incident_id, []).append(event)
    with town.desk.reading(CLOCK) as reading:
        for case in cases:
            for leg in clocks_of(reading, case).legs:
                if leg.kind is Kind.RESOLVE and leg.due is not None and leg.missed(town.now):
                    log = by_case[case.id or 0]
                    assert any(event.move in followed and event.at >= leg.due for event in log), (
                        case.id,
                        leg,
                    )


def _every_nudge_once(events: list[IncidentEvent]) -> None:
    """At most one nudge for each share of each clock."""
    starts = Counter[int]()
    nudges: Counter[tuple[int, int, int]] = Counter()
    fresh = {Move.DISPATCH, Move.CLIMB, Move.ARBITRATE, Move.REOPEN, Move.TRANSFER}
    for event in events:
        if event.move in fresh:
            starts[event.incident_id] += 1
        if event.move is Move.NUDGE:
            nudges[event.incident_id, starts[event.incident_id], event.data["percent"]] += 1

    assert nudges
    assert max(nudges.values()) == 1


def _nothing_is_left_unsent(mail: list[Outbox]) -> None:
    states = Counter(one.state for one in mail)

    assert states[MailState.WAITING] + states[MailState.CLAIMED] + states[MailState.DEAD] == 0
