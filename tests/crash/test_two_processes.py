"""Two programs on one PostgreSQL: a chat that reaches now the one, now the other, is kept in order."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from models import Inbox, IncidentEvent, JobRun, Move
from models.database import open_database
from tests.crash.kills import PER_CHAT, Report, look, message_of, summary
from tests.crash.serving import Caller, Served, found, served, wait_until
from tests.crash.test_replays import quiet

CHATS = 12
"""At once; each has few messages, since a flood is slowed down."""


def deliver_in_turns(chat: int, doors: tuple[Served, Served]) -> list[str]:
    """One resident's messages, each to the other program than the one before. Returns their names."""
    callers = [Caller(door.port) for door in doors]
    names = []
    for number in range(PER_CHAT):
        message = message_of(chat, number)
        callers[number % 2].post(message)
        callers[1 - number % 2].post(message)
        names.append(str(message["message_id"]))
    for caller in callers:
        caller.close()
    return names


def test_two_programs_keep_the_order_and_do_nothing_twice(migrated_postgres_url: str, tmp_path: Path) -> None:
    url = migrated_postgres_url
    found(url)
    database = open_database(url)
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    with served(url, folders[0]) as first, served(url, folders[1]) as second:
        with ThreadPoolExecutor(CHATS) as pool:
            names = pool.map(lambda chat: deliver_in_turns(chat, (first, second)), range(CHATS))
            delivered = {name for chat in names for name in chat}
        wait_until(lambda: quiet(database))
        sent = [door.sent() for door in (first, second)]

    report = Report()
    look(url, delivered, sent[0] + sent[1], report)
    assert report.faults == {}, summary(report)
    assert report.extra_sends == 0
    assert report.acknowledged == CHATS * PER_CHAT
    assert all(sum(one.values()) > 0 for one in sent)
    with Session(database.reader) as session:
        runs = Counter(session.execute(select(col(JobRun.job), col(JobRun.slot))).all())
        filed = session.execute(
            select(col(Inbox.chat_key), col(IncidentEvent.message_id))
            .join(IncidentEvent, col(IncidentEvent.message_id) == col(Inbox.message_id))
            .where(col(IncidentEvent.move) == Move.REPORT)
            .order_by(col(IncidentEvent.id))
        ).all()
    assert set(runs.values()) == {1}
    for chat in {row.chat_key for row in filed}:
        numbers = [int(row.message_id.partition(":")[2]) for row in filed if row.chat_key == chat]
        assert numbers == list(range(PER_CHAT))
    database.close()
