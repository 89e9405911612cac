"""What is asked every few seconds must not read tables through: they grow for years."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from bot.outbox import claim
from handlers.actor import CLOCK
from handlers.watching import troubles
from models import Inbox, Outbox
from tests.town import Town, founded

PAST = 3000
"""Rows of the past, of each kind: enough that no planner reads them all by choice."""


@pytest.fixture
def town(migrated_url: str) -> Iterator[Town]:
    """A town with a long past, all of it done."""
    with founded("default", migrated_url) as one:
        with one.desk.session() as session:
            session.execute(insert(Outbox), [_letter(one, number) for number in range(PAST)])
            session.execute(insert(Inbox), [_message(one, number) for number in range(PAST)])
        with one.database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        yield one


def _letter(one: Town, number: int) -> dict[str, Any]:
    at = one.now - timedelta(days=PAST - number)
    sent = {"state": "sent", "sent_at": at, "tries": 1, "urgent": False}
    words = {
        "key": f"past:{number}",
        "recipient": f"p{number % 20}",
        "text": "menu.help",
        "args": {},
        "choices": [],
    }
    return {**words, **sent, "at": at, "not_before": at}


def _message(one: Town, number: int) -> dict[str, Any]:
    at = one.now - timedelta(days=PAST - number)
    names = {"channel": "memory", "message_id": f"past:{number}", "chat_key": f"memory|{number % 50}|x"}
    return {**names, "body": {}, "received_at": at, "state": "done", "tries": 0}


@pytest.fixture
def plans(town: Town) -> Iterator[list[str]]:
    """How the database goes about each question from now on."""
    found: list[str] = []
    explain = "EXPLAIN QUERY PLAN" if town.database.kind == "sqlite" else "EXPLAIN"

    def note(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            asking = cursor.connection.cursor()
            asking.execute(f"{explain} {statement}", parameters)
            found.append("\n".join(str(row[-1]) for row in asking.fetchall()))
            asking.close()

    engines = {town.database.writer, town.database.reader}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield found
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def read_through(plans: list[str], table: str) -> list[str]:
    """Plans that read all rows of a table."""
    signs = (f"SCAN {table}", "SCAN earlier", f"Seq Scan on {table}")
    return [plan for plan in plans for line in plan.splitlines() if _is_scan(line, signs)]


def _is_scan(line: str, signs: tuple[str, ...]) -> bool:
    return any(line.strip().lstrip("-> ").startswith(sign) for sign in signs) and "INDEX" not in line


def test_letters_are_claimed_by_their_index(town: Town, plans: list[str]) -> None:
    with town.desk.session() as session:
        claim(session, town.book, {town.channel.name: town.channel}, town.now)

    assert plans
    assert read_through(plans, "outbox") == []


def test_the_watch_asks_by_indexes(town: Town, plans: list[str]) -> None:
    with town.desk.reading(CLOCK) as reading:
        found = troubles(reading)

    assert [trouble.kind for trouble in found if trouble.kind != "calendar"] == []
    assert len(plans) >= 5
    assert read_through(plans, "outbox") == []
    assert read_through(plans, "inbox") == []


def test_undecided_messages_are_found_by_their_index(town: Town, plans: list[str]) -> None:
    town.lane.sweep()
    town.lane.run_soon(lambda _: None).result()

    assert plans
    assert read_through(plans, "inbox") == []
