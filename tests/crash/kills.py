"""The kill test: the serving process dies again and again under load, and nothing is lost or done twice.

`kill_test` is shared by the suite (few kills) and the soak run (many).
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from models import (
    Inbox,
    InboxState,
    IncidentEvent,
    MailState,
    Move,
    Outbox,
    Part,
    Participant,
)
from models.database import Database, open_database
from tests.crash.finishing import finish
from tests.crash.serving import Caller, Count, Served, found, served, wait_until
from tests.keys import use_test_keys

CLIENTS = 8
AT_MOST = 20
"""Messages of one client between two kills: enough to be under load, few enough to be sent in the end."""
PER_CHAT = 3
"""Messages of one resident: less than what counts as a flood."""
EARLIEST, LATEST = 0.020, 0.350
"""Seconds from a process's first answer to its death."""
FILING = {Move.REPORT, Move.TRIAGE, Move.DISPATCH}


@dataclass
class Report:
    """What the kill test found. All but the first three must be zero or empty."""

    kills: int = 0
    acknowledged: int = 0
    extra_sends: int = 0
    """Letters sent once more than once: one per kill may be."""
    lost: list[str] = field(default_factory=list)
    """Acknowledged, and not done."""
    twice: list[str] = field(default_factory=list)
    """Filed more than once."""
    half: list[str] = field(default_factory=list)
    """Done, and not with exactly one case, its three events, its reporter and its answer."""
    out_of_order: list[str] = field(default_factory=list)
    """Chats whose cases are not in the order of their messages."""
    never_sent: list[int] = field(default_factory=list)
    """Letters that count as sent and were not, or wait for ever."""
    refused: int = 0
    """Calls that found nobody listening."""
    damaged: str = ""
    """What the database's own check says."""

    @property
    def faults(self) -> dict[str, object]:
        """Everything that must not be."""
        named = {one.name: getattr(self, one.name) for one in fields(self)[3:]}
        found_ = {name: value for name, value in named.items() if value}
        return found_ | ({"extra_sends": self.extra_sends} if self.extra_sends > self.kills else {})


def kill_test(url: str, kills: int, seed: int) -> Report:
    """Kill the serving process at random moments under the load of eight callers, then look at everything.

    Args:
        url: a migrated, empty database of the test's own.
        kills: how often.
        seed: of the moments.
    """
    use_test_keys()
    found(url)
    with TemporaryDirectory(prefix="xiaoge-kills-") as name:
        folder = Path(name)
        report = Report()
        with served(url, folder) as there:
            load = _Load(there)
            with load.running():
                _kill(there, load, kills, random.Random(seed), report)
            _wait_until_decided(url)
        finish(url, there.sendings, later=timedelta(minutes=1))
        report.refused = load.refused
        look(url, load.acknowledged, there.sent(), report)
    return report


# ---- the load ----------------------------------------------------------------------------------------------


class _Load:
    """Callers who deliver messages one after the other, each until it is acknowledged, and some once more."""

    def __init__(self, there: Served) -> None:
        self._there = there
        self._stop = threading.Event()
        self._permits = [threading.Semaphore(AT_MOST) for _ in range(CLIENTS)]
        self.acknowledged: set[str] = set()
        self.answered = Count()
        self.refused = 0
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Call until the block ends."""
        threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self.allow_more()
            for thread in threads:
                thread.join()

    def allow_more(self) -> None:
        """Let each client deliver some more."""
        for permit in self._permits:
            permit.release(AT_MOST)

    def _call(self, client: int) -> None:
        caller, chance = Caller(self._there.port), random.Random(client)
        for number in range(10**6):
            self._permits[client].acquire()
            if self._stop.is_set():
                break
            message = message_of(client, number)
            caller.post(message)
            self._note(str(message["message_id"]))
            if chance.random() < 0.1:
                caller.post(message)
        caller.close()
        with self._lock:
            self.refused += caller.refused

    def _note(self, name: str) -> None:
        with self._lock:
            self.acknowledged.add(name)
        self.answered.add()


def message_of(client: int, number: int) -> dict[str, object]:
    """A report that is filed in one turn: what and where are clear."""
    handle = f"居民{client}-{number // PER_CHAT}"
    return {
        "message_id": f"{client}:{number}",
        "chat": handle,
        "handle": handle,
        "sender_name": handle,
        "text": f"幸福社区第一网格{number % 4 + 1}栋的路灯坏了",
    }


def _kill(there: Served, load: _Load, kills: int, moments: random.Random, report: Report) -> None:
    pause = threading.Event()
    for _ in range(kills):
        child = _newborn(there)
        load.allow_more()
        if not load.answered.wait_for(load.answered.value + 1):
            raise TimeoutError(f"nobody is answered:\n{there.log.read_text()[-2000:]}")
        pause.wait(moments.uniform(EARLIEST, LATEST))
        there.kill_child(child)
        report.kills += 1
        wait_until(partial(_replaced, there, child))
    load.allow_more()
    load.answered.wait_for(load.answered.value + CLIENTS)


def _replaced(there: Served, dead: int) -> bool:
    return there.child() != dead


def _newborn(there: Served) -> int:
    wait_until(lambda: there.child() is not None)
    child = there.child()
    assert child is not None
    return child


def _wait_until_decided(url: str) -> None:
    database = open_database(url)
    try:
        wait_until(lambda: not _undecided(database), every=0.1)
    finally:
        database.close()


def _undecided(database: Database) -> int:
    with Session(database.reader) as session:
        query = select(func.count()).where(col(Inbox.state) == InboxState.WAITING)
        return int(session.execute(query).scalar_one())


# ---- what became of it -------------------------------------------------------------------------------------


def look(url: str, acknowledged: set[str], sent: Counter[int], report: Report) -> None:
    """Enter into the report what became of the messages; every message was to file a case.

    Args:
        url: the database.
        acknowledged: names of the messages that were answered with 200.
        sent: how often each letter went out.
        report: is added to.
    """
    report.acknowledged = len(acknowledged)
    database = open_database(url)
    try:
        with Session(database.reader) as session:
            _look_at_messages(session, acknowledged, report)
            _look_at_order(session, report)
            _look_at_mail(session, sent, report)
            if database.kind == "sqlite":
                verdict = str(session.execute(text("PRAGMA integrity_check")).scalar())
                report.damaged = "" if verdict == "ok" else verdict
    finally:
        database.close()


def _look_at_messages(session: Session, acknowledged: set[str], report: Report) -> None:
    states = dict(session.execute(select(col(Inbox.message_id), col(Inbox.state))).all())
    report.lost = sorted(name for name in acknowledged if states.get(name) != InboxState.DONE)
    filed = _filed(session)
    reporters = _reporters(session)
    answers = set(session.execute(select(col(Outbox.key))).scalars())
    for name in states:
        cases = filed.get(name, {})
        if len(cases) > 1:
            report.twice.append(name)
        whole = len(cases) == 1 and all(moves == FILING for moves in cases.values())
        spoken_for = all(reporters[case] == 1 for case in cases)
        if not (whole and spoken_for and f"memory:{name}:reply:1" in answers):
            report.half.append(name)


def _filed(session: Session) -> Mapping[str, dict[int, set[str]]]:
    """Message -> the cases it filed -> their first moves."""
    filed: dict[str, dict[int, set[str]]] = {}
    query = select(col(IncidentEvent.message_id), col(IncidentEvent.incident_id), col(IncidentEvent.move))
    for message, case, move in session.execute(query.where(col(IncidentEvent.channel) == "memory")):
        filed.setdefault(message, {}).setdefault(case, set()).add(move)
    return filed


def _reporters(session: Session) -> Counter[int]:
    query = select(col(Participant.incident_id)).where(col(Participant.part) == Part.REPORTER)
    return Counter(session.execute(query).scalars())


def _look_at_order(session: Session, report: Report) -> None:
    """Cases of one chat are numbered as their messages were sent."""
    query = (
        select(col(Inbox.chat_key), col(Inbox.message_id))
        .join(IncidentEvent, col(IncidentEvent.message_id) == col(Inbox.message_id))
        .where(col(IncidentEvent.move) == Move.REPORT)
        .order_by(col(IncidentEvent.incident_id))
    )
    chats: dict[str, list[int]] = {}
    for chat, message in session.execute(query):
        chats.setdefault(chat, []).append(int(message.partition(":")[2]))
    report.out_of_order = [chat for chat, numbers in chats.items() if numbers != sorted(numbers)]


def _look_at_mail(session: Session, sent: Counter[int], report: Report) -> None:
    states = dict(session.execute(select(col(Outbox.id), col(Outbox.state))).all())
    report.extra_sends = sum(times - 1 for times in sent.values())
    settled = {MailState.SENT, MailState.DROPPED}
    report.never_sent = sorted(
        mail
        for mail, state in states.items()
        if state not in settled or (state == MailState.SENT and not sent[mail])
    )


def summary(report: Report) -> str:
    """The report as one line of JSON, for a log."""
    return json.dumps({one.name: getattr(report, one.name) for one in fields(report)}, ensure_ascii=False)
