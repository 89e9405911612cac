"""The lane: one writer that accepts first and decides after, many works to a commit.

Law 7 of the architecture. One thread owns the writing connection. It takes all that is queued: acceptances
become inbox rows in one commit, and only then is the platform answered; then chats with waiting messages are
decided, together with the jobs of the other doors.
"""

import asyncio
import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from time import monotonic, perf_counter
from typing import Any, TypeVar
from zlib import crc32

from sqlalchemy import select

from bot.deciding import CONVERSATION, INBOX, Decided, decide
from bot.message import Inbound
from bot.seldom import Seldom
from bot.shielding import shielded
from handlers.work import Desk
from handlers.writing import Writing, insert_new
from models import InboxState
from models.database import is_passing

log = logging.getLogger("xiaoge.lane")
T = TypeVar("T")

CHATS_AT_ONCE = 64
CHATS_BETWEEN = 4
"""Chats decided between two looks at the door while messages keep coming."""
JOBS_AT_ONCE = 500
SWEPT = 5000
SLICE = 0.01
"""Seconds of deciding after which whoever has come to the door meanwhile is accepted first."""
REST = 0.5
"""Seconds the writer waits after a commit failed (a full disk) before it tries again."""
HELD = 0.02
"""Seconds the writer waits for another process to finish with a chat."""
WAITS = (1.0, 5.0)
"""Seconds before a message that broke is tried again: the second time, and the third."""
PATIENCE = 10.0
"""Seconds that deciding may go on when the program ends; what is left is found at the next start."""


class Stopped(Exception):
    """The lane has ended: nothing was written."""


@dataclass(frozen=True)
class _Acceptance:
    inbounds: Sequence[Inbound]
    done: "asyncio.Future[None]"


@dataclass(frozen=True)
class _Job:
    run: Callable[[Writing], Any]
    quiet: bool = False
    done: "Future[Any]" = field(default_factory=Future)


_Item = _Acceptance | _Job | str | None
_Work = tuple[_Job | None, str | None]
"""A job or a chat."""


@dataclass
class _Batch:
    """What the writer took from its queue."""

    acceptances: list[_Acceptance] = field(default_factory=list)
    jobs: list[_Job] = field(default_factory=list)


class Lane:
    """The writers of a process: one on SQLite, several on PostgreSQL, each with its share of the chats."""

    def __init__(
        self,
        desk: Desk,
        *,
        writers: int = 1,
        on_mail: Callable[[], None] | None = None,
        waits: Sequence[float] = WAITS,
    ) -> None:
        """`on_mail` is called after each commit that may have left something to send; `waits` are the seconds
        before each new try of a message that broke.
        """
        self._writers = [_Writer(desk, on_mail or (lambda: None), waits, i) for i in range(writers)]
        self._next = 0
        self.on_kept: Callable[[str], None] = lambda _: None
        """Told the channel of each message that was kept."""

    def start(self) -> None:
        """Begin to write; whatever an earlier process left undecided is decided first."""
        for writer in self._writers:
            writer.start()
        self.sweep()

    def stop(self) -> None:
        """Finish what is queued, then end. What would take too long is decided at the next start."""
        for writer in self._writers:
            writer.stop()

    def sweep(self) -> None:
        """Look for messages that were accepted and are still undecided (a crash, another process)."""
        self._any().put(_Job(self._find_waiting, quiet=True))

    def _find_waiting(self, session: Writing) -> None:
        query = select(INBOX.c.chat_key).where(INBOX.c.state == InboxState.WAITING).distinct().limit(SWEPT)
        for key in session.execute(query).scalars().all():
            self._for(key).put(key)

    def _for(self, chat_key: str) -> "_Writer":
        """The writer of a chat: always the same, so that its messages are kept and decided in order."""
        return self._writers[crc32(chat_key.encode(errors="replace")) % len(self._writers)]

    def _any(self) -> "_Writer":
        self._next = (self._next + 1) % len(self._writers)
        return self._writers[self._next]

    async def accept(self, inbounds: Sequence[Inbound]) -> None:
        """Keep messages; returns when they are committed and will be decided.

        A message that was kept before, or is being kept by somebody else now, is kept once. Raises when any
        could not be kept: then all may be handed in again. In a group nobody's numbers are kept.
        """
        shares: dict[_Writer, list[Inbound]] = {}
        for inbound in filter(None, map(shielded, inbounds)):
            shares.setdefault(self._for(inbound.chat_key), []).append(inbound)
        loop = asyncio.get_running_loop()
        items = {writer: _Acceptance(share, loop.create_future()) for writer, share in shares.items()}
        for writer, item in items.items():
            writer.put(item)
        calls = [item.done for item in items.values()]
        if not calls:
            return
        await (calls[0] if len(calls) == 1 else asyncio.gather(*calls))
        for inbound in inbounds:
            self.on_kept(inbound.channel)

    async def run(self, job: Callable[[Writing], T], *, quiet: bool = False) -> T:
        """Run a piece of writing, undone alone if it raises; returns after its commit. Raises what it raised.

        It may be run again when another process was in its way (a deadlock). `quiet` says that it promises no
        mail: without it the postman's own looks would wake the postman.
        """
        item = _Job(job, quiet)
        self._any().put(item)
        result: T = await asyncio.wrap_future(item.done)
        return result

    def run_soon(self, job: Callable[[Writing], T]) -> "Future[T]":
        """The same for callers without an event loop."""
        item = _Job(job)
        self._any().put(item)
        return item.done

    @property
    def waiting(self) -> int:
        """Chats with messages that are accepted and not yet decided."""
        return sum(writer.waiting for writer in self._writers)


class _Writer:
    """One thread with one connection."""

    def __init__(self, desk: Desk, on_mail: Callable[[], None], waits: Sequence[float], number: int) -> None:
        self._desk = desk
        self._on_mail = on_mail
        self._waits = waits
        self._complain = Seldom(log, REST)
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._chats: OrderedDict[str, None] = OrderedDict()
        self._in_hand = 0
        """Chats that are being decided, and may have to be looked at again."""
        self._resting: dict[str, float] = {}
        """Chat whose next message broke -> when it is tried again, by the monotonic clock.

        Kept in memory: after a restart it is tried at once.
        """
        self._wait: float | None = None
        """Seconds to wait before the next round although chats are waiting."""
        self._until: float | None = None
        """When to end at the latest; None while nobody has asked for it."""
        self._ended = False
        place = copy_context()
        self._thread = threading.Thread(
            target=place.run, args=(self._loop,), name=f"writer-{number}", daemon=True
        )

    @property
    def waiting(self) -> int:
        return len(self._chats) + self._in_hand + len(self._resting)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def put(self, item: _Item) -> None:
        self._queue.put(item)
        if self._ended:
            self._refuse()

    def _loop(self) -> None:
        while not self._is_over():
            batch = self._take()
            self._accept(batch.acceptances)
            if batch.jobs or self._chats:
                self._write(batch.jobs)
        self._ended = True
        self._refuse()

    def _is_over(self) -> bool:
        """Whether to end: asked to, and all is done or cannot be done now."""
        if self._until is None:
            return False
        stuck = self._wait is not None or monotonic() > self._until
        return self._queue.empty() and (stuck or not self._chats)

    def _refuse(self) -> None:
        """Tell whoever still comes that nothing is written any more."""
        with suppress(queue.Empty):
            while True:
                item = self._queue.get_nowait()
                over = Stopped("the lane has ended")
                if isinstance(item, _Acceptance):
                    _let_go([item], over)
                elif isinstance(item, _Job):
                    _answer(item.done, trouble=over)

    def _take(self) -> _Batch:
        """Everything that is queued; waits only when nothing else is to be done."""
        batch, wait = _Batch(), self._wait
        self._wait = None
        with suppress(queue.Empty):
            if wait is not None or not self._chats:
                self._sort(self._queue.get(timeout=self._rest() if wait is None else wait), batch)
            while len(batch.jobs) < JOBS_AT_ONCE:
                self._sort(self._queue.get_nowait(), batch)
        self._wake()
        return batch

    def _rest(self) -> float | None:
        """Seconds until a message that broke is tried again; None when there is none."""
        return max(min(self._resting.values()) - monotonic(), 0) if self._resting else None

    def _wake(self) -> None:
        if not self._resting:
            return
        now = monotonic()
        for key in [key for key, at in self._resting.items() if at <= now]:
            self._chats[key] = None  # first: whoever counts what waits must not miss it
            del self._resting[key]

    def _look_at(self, keys: Iterable[str]) -> None:
        """Chats to decide; one whose next message broke keeps its rest, whatever else comes in it."""
        self._chats.update((key, None) for key in keys if key not in self._resting)

    def _sort(self, item: _Item, batch: _Batch) -> None:
        match item:
            case None:
                self._until = monotonic() + PATIENCE
            case _Acceptance():
                batch.acceptances.append(item)
            case _Job():
                batch.jobs.append(item)
            case _:
                self._look_at([item])

    # ---- accepting -----------------------------------------------------------------------------------------

    def _accept(self, acceptances: list[_Acceptance]) -> None:
        """Keep all in one commit; where that fails each in its own: a bad one must not cost the others."""
        if not acceptances:
            return
        try:
            self._keep([inbound for item in acceptances for inbound in item.inbounds])
        except Exception as trouble:  # noqa: BLE001 - it is logged, and told to all who wait
            self._complain.error("messages could not be kept", trouble)
            self._accept_one_by_one(acceptances, trouble)
            return
        _let_go(acceptances)

    def _accept_one_by_one(self, acceptances: Sequence[_Acceptance], trouble: Exception) -> None:
        if len(acceptances) == 1:
            _let_go(acceptances, trouble)
            return
        for item in acceptances:
            self._accept([item])

    def _keep(self, inbounds: Sequence[Inbound]) -> None:
        """Write messages and their chats, in an order that is the same for all writers."""
        now = self._desk.now()
        talks = {inbound.chat_key: inbound for inbound in inbounds}
        with self._desk.session() as session:
            in_order = sorted(inbounds, key=lambda inbound: inbound.chat_key)  # within a chat as they came
            session.execute(insert_new(session, INBOX), [_message(inbound, now) for inbound in in_order])
            session.execute(insert_new(session, CONVERSATION), [_talk(talks[k], now) for k in sorted(talks)])
        self._look_at(talks)

    # ---- deciding and jobs ---------------------------------------------------------------------------------

    def _write(self, jobs: Sequence[_Job]) -> None:
        """Run jobs and decide chats in one commit; where that fails each in its own."""
        self._in_hand = min(len(self._chats), CHATS_AT_ONCE if self._queue.empty() else CHATS_BETWEEN)
        chats = [self._chats.popitem(last=False)[0] for _ in range(self._in_hand)]
        try:
            self._commit(jobs, chats)
        except Exception as trouble:  # noqa: BLE001 - whatever it was, the works are tried again, each alone
            self._complain.warning("a commit failed, and its works are tried alone", trouble=trouble)
            works = [*((job, None) for job in jobs), *((None, key) for key in chats)]
            if len(works) > 1 or is_passing(trouble):
                self._one_by_one(works)
            else:
                self._give_back(works, trouble)
        self._in_hand = 0

    def _one_by_one(self, works: Sequence[_Work]) -> None:
        """Once one fails alone the machine is in trouble, and the rest would only fail too."""
        for at, (job, key) in enumerate(works):
            try:
                self._commit([job] if job else [], [key] if key else [])
            except Exception as trouble:  # noqa: BLE001 - it is logged, and told to all who wait
                self._complain.error("a commit failed alone", trouble)
                self._give_back(works[at:], trouble)
                return

    def _give_back(self, works: Sequence[_Work], trouble: Exception) -> None:
        """Nothing was written: whoever waits for a job is told, and the chats are looked at after a rest."""
        for job, key in works:
            if job:
                _answer(job.done, trouble=trouble)
            elif key:
                self._chats[key] = None
        self._wait = REST

    def _slice(self) -> Callable[[], bool]:
        """Says when to look at the queue again; its time runs from when it is first asked."""
        asked = cache(perf_counter)
        return lambda: perf_counter() - asked() > SLICE and not self._queue.empty()

    def _commit(self, jobs: Sequence[_Job], chats: Sequence[str]) -> None:
        decided = Decided()
        with self._desk.session() as session:
            ran = [_run(session, job) for job in jobs]
            if chats:
                decided = decide(self._desk, session, chats, self._slice())
        self._chats.update(dict.fromkeys((*decided.again, *decided.held)))
        for key, tries in decided.failed.items():
            self._chats.pop(key, None)
            self._resting[key] = monotonic() + self._waits[min(tries, len(self._waits)) - 1]
        if decided.held and not decided.messages:
            self._wait = HELD
        for job, value, trouble in ran:
            _answer(job.done, value, trouble=trouble)
        if decided.messages or not all(job.quiet for job in jobs):
            self._tell_of_mail()

    def _tell_of_mail(self) -> None:
        """What has been written stays written, whatever becomes of the nudge."""
        try:
            self._on_mail()
        except Exception:
            log.exception("nobody could be told of new mail")


def _run(session: Writing, job: _Job) -> tuple[_Job, Any, Exception | None]:
    """Run a job in its own part. Raises what the machine or another process is to blame for."""
    try:
        with session.part():
            return job, job.run(session), None
    except Exception as trouble:
        if is_passing(trouble):
            raise
        return job, None, trouble


def _message(inbound: Inbound, now: datetime) -> dict[str, Any]:
    return {
        "channel": inbound.channel,
        "message_id": inbound.message_id,
        "chat_key": inbound.chat_key,
        "body": inbound.model_dump(mode="json", exclude_defaults=True),
        "received_at": now,
        "state": InboxState.WAITING,
        "tries": 0,
    }


def _talk(inbound: Inbound, now: datetime) -> dict[str, Any]:
    return {
        "chat_key": inbound.chat_key,
        "channel": inbound.channel,
        "chat": inbound.chat,
        "handle": inbound.handle,
        "state": {},
        "half_done": False,
        "prompt_mail": 0,
        "touched_at": now,
    }


def _let_go(acceptances: Sequence[_Acceptance], trouble: Exception | None = None) -> None:
    """Tell the platforms' calls that wait, all in one go: waking the event loop for each costs more than the
    rows.
    """
    waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for item in acceptances:
        waiting.setdefault(item.done.get_loop(), []).append(item.done)
    for loop, calls in waiting.items():
        with suppress(RuntimeError):  # a loop that has ended waits for nothing
            loop.call_soon_threadsafe(_settle, calls, trouble)


def _settle(calls: Sequence["asyncio.Future[None]"], trouble: Exception | None) -> None:
    for call in calls:
        if call.done():  # cancelled: the caller has hung up
            continue
        if trouble is None:
            call.set_result(None)
        else:
            call.set_exception(trouble)


def _answer(done: "Future[Any]", value: Any = None, *, trouble: BaseException | None = None) -> None:
    """Tell who waits; somebody who no longer waits (a cancelled request) must not stop the writer."""
    with suppress(InvalidStateError):
        if trouble is not None:
            done.set_exception(trouble)
        else:
            done.set_result(value)
