"""A platform that is not sure delivers again, three times at once and after a restart: it acts once."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from bot.channels.telegram import SECRET_HEADER
from bot.message import Inbound
from models import Inbox, InboxState, Incident, IncidentEvent, MailState, Outbox
from models.database import Database, open_database
from tests.channels.stages import telegram as parser
from tests.channels.stages import telegram_request
from tests.crash.far_end import SECRET, telegram
from tests.crash.kills import message_of
from tests.crash.serving import Caller, Served, found, served, wait_until
from tests.postgres import free_port

pytestmark = pytest.mark.long


PAYLOADS = Path(__file__).parents[1] / "channels/payloads/telegram"
TIMES = 3


def recorded() -> list[bytes]:
    """Every recorded update of Telegram's, each with a number of its own, and from somebody else."""
    files = sorted(PAYLOADS.glob("*.json"))
    updates = [update for path in files for update in json.loads(path.read_text())["updates"]]
    return [json.dumps(_own({**one, "update_id": 900_000 + n}, n)).encode() for n, one in enumerate(updates)]


def _own(update: Any, number: int) -> Any:
    """The same in a chat of its own: nobody has to wait for what is said to others."""
    for part in update.values():
        message = part.get("message", part) if isinstance(part, dict) else {}
        kind = message.get("chat", {}).get("type")
        if kind == "private":
            message["chat"]["id"] = part["from"]["id"] = 6_200_000 + number
        elif kind is not None:
            message["chat"]["id"] = -6_200_000 - number
    return update


def read(bodies: Sequence[bytes]) -> list[Inbound]:
    """The messages in them, by the channel's own reading."""
    channel = parser()
    return [one for body in bodies for one in channel.parse(telegram_request(json.loads(body)))]


def deliver(port: int, channel: str, bodies: Sequence[bytes]) -> Counter[int]:
    """Post each body three times at once. Returns how often each status was answered."""

    def post(body: bytes) -> int | None:
        caller = Caller(port, channel, {SECRET_HEADER: SECRET})
        try:
            return caller.once(body)
        finally:
            caller.close()

    with ThreadPoolExecutor(4 * TIMES) as pool:
        statuses = list(pool.map(post, [body for body in bodies for _ in range(TIMES)]))
    return Counter(status or 0 for status in statuses)


def kill(there: Served) -> None:
    """End the serving process, and wait until the next one answers."""
    child = there.child()
    assert child is not None
    there.kill_child(child)
    wait_until(lambda: there.child() not in (None, child))
    wait_until(there.answers)


def quiet(database: Database) -> bool:
    """Whether every message is decided and every letter sent."""
    with Session(database.reader) as session:
        inbox = select(func.count()).where(col(Inbox.state) == InboxState.WAITING)
        open_mail = (MailState.WAITING, MailState.CLAIMED)
        outbox = select(func.count()).where(col(Outbox.state).in_(open_mail))
        return not session.execute(inbox).scalar_one() and not session.execute(outbox).scalar_one()


def states(database: Database) -> dict[str, tuple[InboxState, int]]:
    """Message -> its state and how often it failed."""
    with Session(database.reader) as session:
        rows = session.execute(select(col(Inbox.message_id), col(Inbox.state), col(Inbox.tries)))
        return {row.message_id: (row.state, row.tries) for row in rows}


def done_once(database: Database) -> tuple[int, int, int]:
    """How many cases, events and answers there are."""
    with Session(database.reader) as session:
        cases = select(func.count()).select_from(Incident)
        events = select(func.count()).select_from(IncidentEvent)
        answers = select(func.count()).where(col(Outbox.key).contains(":reply:"))
        found_ = [session.execute(query).scalar_one() for query in (cases, events, answers)]
        return found_[0], found_[1], found_[2]


def test_recorded_telegram_updates_act_once(migrated_url: str, tmp_path: Path) -> None:
    bodies = recorded()
    messages = read(bodies)
    found(migrated_url, channel=None)
    database = open_database(migrated_url)
    port = free_port()
    with telegram() as far, served(migrated_url, tmp_path, port=port, more=far.settings(port)) as there:
        far.server.meet(*(int(one.chat) for one in messages))
        wait_until(lambda: bool(far.server.updates.webhook))
        first = deliver(port, "telegram", bodies)
        wait_until(lambda: quiet(database))
        after_first = done_once(database)
        kill(there)
        second = deliver(port, "telegram", bodies)
        wait_until(lambda: quiet(database))
        sent = len(far.server.sent)

    assert first == second == {200: TIMES * len(bodies)}
    assert states(database) == {one.message_id: (InboxState.DONE, 0) for one in messages}
    assert done_once(database) == after_first
    with Session(database.reader) as session:
        letters = select(func.count()).where(col(Outbox.state) == MailState.SENT)
        assert sent == session.execute(letters).scalar_one() > 0
    database.close()


def test_reports_act_once(migrated_url: str, tmp_path: Path) -> None:
    messages = [message_of(client, number) for client in range(4) for number in range(5)]
    bodies = [json.dumps(message).encode() for message in messages]
    found(migrated_url)
    database = open_database(migrated_url)
    with served(migrated_url, tmp_path) as there:
        first = deliver(there.port, "memory", bodies)
        wait_until(lambda: quiet(database))
        kill(there)
        second = deliver(there.port, "memory", bodies)
        wait_until(lambda: quiet(database))

    assert first == second == {200: TIMES * len(bodies)}
    assert done_once(database)[0] == len(messages)
    assert set(there.sent().values()) == {1}
    database.close()
