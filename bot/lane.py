"""The lane: one writer that accepts first and decides after, many works to a commit.

Law 7 of the architecture. One thread owns the writing connection. It takes all that is queued: acceptances
become
inbox rows in one commit, and only then is the platform answered; then chats with waiting messages are
decided, each
message in its own savepoint, together with the jobs of the other doors.
"""

import asyncio
import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import bindparam, select, update

from bot.door import receive
from bot.message import Inbound
from bot.tracing import working_on
from handlers.actor import Actor
from handlers.work import Desk, Return
from handlers.writing import Writing, insert_new
from models import Conversation, Inbox, InboxState

log = logging.getLogger("xiaoge.lane")
T = TypeVar("T")

INBOX = Inbox.__table__  # type: ignore[attr-defined]
CONVERSATION = Conversation.__table__  # type: ignore[attr-defined]
CHATS_AT_ONCE = 64
MESSAGES_OF_A_CHAT = 10
TRIES = 3
REST = 0.5
"""Seconds the writer waits after a commit failed (a full disk) before it tries again."""


@dataclass
class _Acceptance:
    inbounds: Sequence[Inbound]
    done: "Future[None]"


@dataclass
class _Job:
    run: Callable[[Writing], Any]
    done: "Future[Any]"
    quiet: bool = False


@dataclass
class _Batch:
    """What the writer took from its queue."""

    acceptances: list[_Acceptance] = field(default_factory=list)
    jobs: list[_Job] = field(default_factory=list)
    stop: bool = False


class Lane:
    """The writers of a process: one on SQLite, several on PostgreSQL, each with its share of the chats."""

    def __init__(self, desk: Desk, *, writers: int = 1, on_mail: Callable[[], None] | None = None) -> None:
        """`on_mail` is called after each commit that may have left something to send."""
        self._writers = [_Writer(desk, on_mail or (lambda: None), i) for i in range(writers)]
        self._next = 0

    def start(self) -> None:
        """Begin to write; whatever an earlier process left undecided is decided first."""
        for writer in self._writers:
            writer.start()
        self.sweep()

    def stop(self) -> None:
        """Finish what is queued, then end."""
        for writer in self._writers:
            writer.stop()

    def sweep(self) -> None:
        """Look for messages that were accepted and are still undecided (a crash, another process)."""
        self._any().put(_Job(self._find_waiting, Future()))

    def _find_waiting(self, session: Writing) -> None:
        keys = session.execute(
            select(INBOX.c.chat_key).where(INBOX.c.state == InboxState.WAITING).distinct().limit(5000)
        ).scalars()
        for key in list(keys):
            self._for(key).wake(key)

    def _for(self, chat_key: str) -> "_Writer":
        return self._writers[hash(chat_key) % len(self._writers)]

    def _any(self) -> "_Writer":
        self._next = (self._next + 1) % len(self._writers)
        return self._writers[self._next]

    async def accept(self, inbounds: Sequence[Inbound]) -> None:
        """Keep messages; returns when they are committed and will be decided. Raises when they could not be
        kept.
        """
        if not inbounds:
            return
        item = _Acceptance(inbounds, Future())
        self._for(inbounds[0].chat_key).put(item)
        await asyncio.wrap_future(item.done)

    async def run(self, job: Callable[[Writing], T], *, quiet: bool = False) -> T:
        """Run one piece of writing in its own savepoint; returns after its commit. Raises what it raised.

        `quiet` says that it promises no mail: without it the postman's own looks would wake the postman.
        """
        item = _Job(job, Future(), quiet)
        self._any().put(item)
        result: T = await asyncio.wrap_future(item.done)
        return result

    def run_soon(self, job: Callable[[Writing], T]) -> "Future[T]":
        """The same for callers without an event loop."""
        item = _Job(job, Future())
        self._any().put(item)
        return item.done

    @property
    def waiting(self) -> int:
        """Chats with messages that are accepted and not yet decided."""
        return sum(writer.waiting for writer in self._writers)


class _Writer:
    """One thread with one connection."""

    def __init__(self, desk: Desk, on_mail: Callable[[], None], number: int) -> None:
        self._desk = desk
        self._on_mail = on_mail
        self._queue: queue.SimpleQueue[_Acceptance | _Job | str | None] = queue.SimpleQueue()
        self._chats: OrderedDict[str, None] = OrderedDict()
        self._thread = threading.Thread(target=self._loop, name=f"writer-{number}", daemon=True)

    @property
    def waiting(self) -> int:
        return len(self._chats)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def put(self, item: _Acceptance | _Job) -> None:
        self._queue.put(item)

    def wake(self, chat_key: str) -> None:
        self._queue.put(chat_key)

    def _loop(self) -> None:
        tired = False
        while True:
            batch = self._take(wait=REST if tired else None)
            tired = False
            self._accept(batch.acceptances)
            if batch.jobs or self._chats:
                tired = not self._write(batch.jobs)
            if batch.stop and not self._chats:
                return

    def _take(self, wait: float | None) -> _Batch:
        """Everything that is queued; blocks only when nothing else is to be done."""
        batch = _Batch()
        item: _Acceptance | _Job | str | None
        with suppress(queue.Empty):
            if not self._chats or wait is not None:
                item = self._queue.get(timeout=wait)
                self._sort(item, batch)
            while len(batch.jobs) < 500:
                self._sort(self._queue.get_nowait(), batch)
        return batch

    def _sort(self, item: _Acceptance | _Job | str | None, batch: _Batch) -> None:
        match item:
            case None:
                batch.stop = True
            case _Acceptance():
                batch.acceptances.append(item)
            case _Job():
                batch.jobs.append(item)
            case _:
                self._chats[item] = None

    # ---- accepting ---------------------------------------------------------------------------------------

    def _accept(self, acceptances: list[_Acceptance]) -> None:
        if not acceptances:
            return
        now = self._desk.now()
        inbounds = [inbound for item in acceptances for inbound in item.inbounds]
        try:
            with self._desk.session() as session:
                session.execute(
                    insert_new(session, INBOX),
                    [
                        {
                            "channel": inbound.channel,
                            "message_id": inbound.message_id,
                            "chat_key": inbound.chat_key,
                            "body": inbound.model_dump(mode="json", exclude_defaults=True),
                            "received_at": now,
                            "state": InboxState.WAITING,
                            "tries": 0,
                        }
                        for inbound in inbounds
                    ],
                )
                talks = {inbound.chat_key: inbound for inbound in inbounds}
                session.execute(
                    insert_new(session, CONVERSATION),
                    [
                        {
                            "chat_key": key,
                            "channel": inbound.channel,
                            "chat": inbound.chat,
                            "handle": inbound.handle,
                            "state": {},
                            "half_done": False,
                            "prompt_mail": 0,
                            "touched_at": now,
                        }
                        for key, inbound in sorted(talks.items())
                    ],
                )
        except Exception as trouble:
            log.exception("messages could not be kept")
            for item in acceptances:
                _answer(item.done, trouble=trouble)
            return
        for key in talks:
            self._chats[key] = None
        for item in acceptances:
            _answer(item.done, None)

    # ---- deciding ----------------------------------------------------------------------------------------

    def _write(self, jobs: list[_Job]) -> bool:
        """Run jobs and decide chats in one commit. Returns False when the commit failed."""
        chats = [self._chats.popitem(last=False)[0] for _ in range(min(len(self._chats), CHATS_AT_ONCE))]
        results: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            with self._desk.session() as session:
                for job in jobs:
                    results.append(self._run(session, job))
                left = self._decide(session, chats)
        except Exception as trouble:
            log.exception("a commit failed")
            for key in chats:
                self._chats[key] = None
            for job in jobs:
                _answer(job.done, trouble=trouble)
            return False
        for key in left:
            self._chats[key] = None
        for job, value, problem in results:
            if problem is not None:
                _answer(job.done, trouble=problem)
            else:
                _answer(job.done, value)
        if chats or not all(job.quiet for job in jobs):
            self._on_mail()
        return True

    def _run(self, session: Writing, job: _Job) -> tuple[_Job, Any, BaseException | None]:
        try:
            with session.part():
                value = job.run(session)
            return job, value, None
        except Exception as problem:
            return job, None, problem

    def _decide(self, session: Writing, chats: list[str]) -> list[str]:
        """Decide the waiting messages of some chats, oldest first. Returns chats that have more."""
        if not chats:
            return []
        talks = self._locked(session, chats)
        rows = session.execute(
            select(INBOX)
            .where(INBOX.c.chat_key.in_(talks), INBOX.c.state == InboxState.WAITING)
            .order_by(INBOX.c.id)
        ).mappings()
        by_chat: dict[str, list[Any]] = {}
        for row in rows:
            by_chat.setdefault(row["chat_key"], []).append(row)
        left = [key for key in chats if key not in talks]
        tree = self._desk.tree(session)
        done: list[int] = []
        for key, waiting in by_chat.items():
            if len(waiting) > MESSAGES_OF_A_CHAT:
                left.append(key)
            for row in waiting[:MESSAGES_OF_A_CHAT]:
                decided = self._one(session, tree, row, talks)
                if not decided:
                    left.append(key)
                    break
                done.append(row["id"])
        self._keep_talks(session, list(by_chat), talks)
        if done:
            session.execute(update(INBOX).where(INBOX.c.id.in_(done)).values(state=InboxState.DONE))
        return left

    def _locked(self, session: Writing, chats: list[str]) -> dict[str, dict[str, Any]]:
        """Lock the conversations, then read them; one that another process holds is left for later."""
        query = (
            select(
                CONVERSATION.c.chat_key,
                CONVERSATION.c.state,
                CONVERSATION.c.person_id,
                CONVERSATION.c.half_done,
            )
            .where(CONVERSATION.c.chat_key.in_(chats))
            .order_by(CONVERSATION.c.chat_key)
            .with_for_update(skip_locked=True)
        )
        return {
            row.chat_key: {"state": row.state, "person": row.person_id, "half_done": row.half_done}
            for row in session.execute(query)
        }

    def _one(self, session: Writing, tree: Any, row: Any, talks: dict[str, dict[str, Any]]) -> bool:
        """One message in its own savepoint. A message that fails three times is dead and does not hold up
        others.
        """
        talk = talks[row["chat_key"]]
        with working_on(f"{row['channel']}:{row['message_id']}"):
            try:
                with session.part():
                    after, person = receive(
                        self._desk, session, tree, Inbound.model_validate(row["body"]), talk["state"]
                    )
            except Exception as trouble:
                log.exception("a message could not be decided", extra={"inbox": row["id"]})
                return self._failed(session, row, talk["person"], trouble)
        talk["state"] = after.model_dump(mode="json", exclude_defaults=True)
        talk["person"] = person
        talk["half_done"] = after.form is not None
        return True

    def _failed(self, session: Writing, row: Any, person: int | None, trouble: Exception) -> bool:
        dead = row["tries"] + 1 >= TRIES
        if dead:
            self._apologise(session, row, person)
        session.execute(
            update(INBOX)
            .where(INBOX.c.id == row["id"])
            .values(
                tries=row["tries"] + 1,
                trouble=f"{type(trouble).__name__}: {trouble}"[:500],
                state=InboxState.DEAD if dead else InboxState.WAITING,
            )
        )
        return False

    def _apologise(self, session: Writing, row: Any, person: int | None) -> None:
        """Tell the sender that this message is lost to us; whatever broke it must not break that as well."""
        try:
            with session.part():
                back = Return(row["channel"], str(row["body"]["chat"]), str(row["body"]["handle"]))
                work = self._desk.work_in(
                    session,
                    Actor(person, ""),
                    channel=row["channel"],
                    message_id=row["message_id"],
                    back=back,
                )
                work.reply("trouble.sorry")
                work.flush()
        except Exception:
            log.exception("a sender could not be told", extra={"inbox": row["id"]})

    def _keep_talks(self, session: Writing, keys: list[str], talks: dict[str, dict[str, Any]]) -> None:
        if not keys:
            return
        now = self._desk.now()
        session.execute(
            update(CONVERSATION)
            .where(CONVERSATION.c.chat_key == bindparam("key_"))
            .values(
                state=bindparam("state_"),
                person_id=bindparam("person_"),
                half_done=bindparam("half_"),
                touched_at=now,
            ),
            [
                {
                    "key_": key,
                    "state_": talks[key]["state"],
                    "person_": talks[key]["person"],
                    "half_": talks[key]["half_done"],
                }
                for key in keys
            ],
        )


def _answer(done: "Future[Any]", value: Any = None, *, trouble: BaseException | None = None) -> None:
    """Tell who waits; somebody who no longer waits (a cancelled request) must not stop the writer."""
    with suppress(InvalidStateError):
        if trouble is not None:
            done.set_exception(trouble)
        else:
            done.set_result(value)
