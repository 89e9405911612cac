"""Reads the lists that leaders send, beside all writing; writes what they say yes to, piece by piece."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Select, or_, select, update
from sqlmodel import Session, col

from bot.channel import Channel
from bot.keeping import PREFIX, NotKept, SealedStore
from bot.lane import Lane
from handlers.actor import Actor
from handlers.command import Command, Done, perform
from handlers.given_lists import (
    LARGEST,
    EndWriting,
    ForgetFile,
    GiveUpList,
    KeepFile,
    ShowList,
    Shown,
    TakeUp,
    TellSlow,
    WritePiece,
)
from handlers.importing import read_lists
from handlers.refusal import Refusal
from handlers.registry.comparing import Plan, compare
from handlers.registry.pieces import fingerprint, pieces
from handlers.tokens import actor_of
from handlers.tree import registry_version
from handlers.work import Desk, Return
from handlers.writing import Writing
from models import GivenList, ListState

log = logging.getLogger("xiaoge.lists")
T = TypeVar("T")

EVERY: Final = 1.0
"""Seconds between two looks for new lists."""
SLOW: Final = 5.0
"""Seconds after which the sender is told that it takes a while."""
BEAT: Final = 20.0
"""Seconds after which a lease is renewed."""
LEASE: Final = timedelta(seconds=60)
MOST_TRIES: Final = 3
AFRESH: Final = 3
"""How often a list is compared anew because somebody else has changed the registry meanwhile."""


@dataclass(frozen=True)
class _Given:
    """A list as it is worked on."""

    id: int
    person: int
    back: Return
    name: str
    file: str
    state: ListState
    shown: str | None
    report: str | None
    started: bool


@dataclass(frozen=True)
class _Compared:
    """What a file says beside what is there."""

    plan: Plan
    version: int
    """Of the registry, at that time."""
    digest: str
    """Of what was in the file."""
    shown: Shown


class ListReader:
    """Turns a file into what it would bring, and a yes into an import.

    Nothing is kept here: after a restart the rows say what is to be done. Two processes share the lists by
    leases; one at a time is read in each, for a long one takes much memory.
    """

    def __init__(self, desk: Desk, lane: Lane, channels: Mapping[str, Channel], store: SealedStore) -> None:
        self._desk = desk
        self._lane = lane
        self._channels = channels
        self._store = store
        self.slow, self.every = SLOW, EVERY

    async def run(self) -> None:
        """Read and write until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:
                log.exception("a round of lists failed")
            await asyncio.sleep(self.every)

    async def round(self) -> int:
        """Do what is to be done now, and delete what is too old. Returns how many lists were taken up."""
        done = 0
        for given in await asyncio.to_thread(self._to_do):
            done += await self._take_up(given)
        for number, keys in await asyncio.to_thread(self._too_old):
            for key in keys:
                await asyncio.to_thread(self._store.delete, key)
            await self._lane.run(partial(self._alone, command=ForgetFile(number=number)), quiet=True)
        return done

    async def release(self) -> None:
        """Go on at once with what an earlier process had begun; only where no other process runs."""
        await self._lane.run(_release, quiet=True)
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        """Delete what a process that was killed had kept and not yet spoken of."""
        with Session(self._desk.database.reader) as session:
            rows = session.execute(select(col(GivenList.file), col(GivenList.report))).all()
        spoken_of = {key for row in rows for key in row}
        for key in self._store.all_keys():
            if key not in spoken_of:
                self._store.delete(key)

    # ---- what is to be done --------------------------------------------------------------------------------

    def _to_do(self) -> list[_Given]:
        free = or_(col(GivenList.lease_until).is_(None), col(GivenList.lease_until) <= self._desk.now())
        states = col(GivenList.state).in_((ListState.NEW, ListState.TO_WRITE))
        with Session(self._desk.database.reader) as session:
            rows = session.execute(select(GivenList).where(states, free).order_by(col(GivenList.id)))
            return [_given(row) for row in rows.scalars()]

    def _too_old(self) -> list[tuple[int, list[str]]]:
        """Lists whose time is over, and the files that no other list needs."""
        old = (col(GivenList.file).is_not(None), col(GivenList.until) <= self._desk.now())
        with Session(self._desk.database.reader) as session:
            rows = list(session.execute(select(GivenList).where(*old)).scalars())
            return [(row.id or 0, list(_own_files(session, row))) for row in rows]

    async def _take_up(self, given: _Given) -> bool:
        taken = await self._do(given, TakeUp(number=given.id, lease=LEASE))
        if isinstance(taken, Refusal):
            return False
        try:
            if int(taken.data["tries"]) > MOST_TRIES:
                here = given.file.startswith(PREFIX)
                raise Refusal("sheet.not_one" if here else "given.lost", name=given.name)
            work = self._read if given.state is ListState.NEW else self._write
            await work(given)
        except Refusal as no:
            await self._do(given, GiveUpList(number=given.id, why=no))
        except Exception:
            log.exception("a list could not be worked on", extra={"list": given.id})
        return True

    # ---- reading -------------------------------------------------------------------------------------------

    async def _read(self, given: _Given) -> None:
        given = await self._fetched(given)
        compared = await self._patiently(given, partial(self._compared, given))
        await self._do(given, ShowList(number=given.id, found=compared.shown))

    async def _fetched(self, given: _Given) -> _Given:
        """The list with its bytes in our own store."""
        if given.file.startswith(PREFIX):
            return given
        channel = self._channels.get(given.file.partition(":")[0])
        found = await channel.fetch(given.file) if channel is not None else None
        if found is None:
            raise Refusal("given.lost", name=given.name)
        if len(found[0]) > LARGEST:
            raise Refusal("sheet.too_large", name=given.name, most=LARGEST // 1024 // 1024)
        key = await asyncio.to_thread(self._store.keep, found[0])
        await self._do(given, KeepFile(number=given.id, key=key))
        return replace(given, file=key)

    def _compared(self, given: _Given) -> _Compared:
        """Read and compare, beside all writing. Raises Refusal for what is no list, and lost posts."""
        try:
            data = self._store.read(given.file)
        except NotKept:
            raise Refusal("given.lost", name=given.name) from None
        lists = read_lists([(given.name, data)])
        with self._desk.reading(Actor(None, "")) as reading:
            version = registry_version(reading.session)
            actor = actor_of(reading.session, reading.tree, given.person)
            if actor is None or not actor.may("enrol"):
                raise Refusal("given.not_yours")
            reading.actor = actor
            plan = compare(reading, lists.tables)
        return _Compared(plan, version, lists.digest, self._shown(plan))

    def _shown(self, plan: Plan) -> Shown:
        report = plan.report
        whole: dict[str, Any] = {
            "sheets": [asdict(sheet) for sheet in report.sheets],
            "wrong": [asdict(line) for line in report.wrong],
            "changes": [asdict(line) for line in report.changes],
            "warnings": report.warnings,
        }
        changed = [line for line in report.changes if line.fate == "changed"][:20]
        return Shown(
            digest=fingerprint(plan),
            counts={str(fate): count for fate, count in report.total.items()},
            sheets=whole["sheets"],
            wrong=whole["wrong"][:20],
            changed=[asdict(line) for line in changed],
            report=self._store.keep(json.dumps(whole, ensure_ascii=False).encode(errors="replace")),
        )

    async def _patiently(self, given: _Given, job: Callable[[], T]) -> T:
        """Run a long job in a thread; its sender is told once that it takes a while."""
        task = asyncio.create_task(asyncio.to_thread(job))
        wait, say = self.slow, True
        try:
            while not (await asyncio.wait([task], timeout=wait))[0]:
                await self._do(given, TellSlow(number=given.id, lease=LEASE, say=say))
                wait, say = BEAT, False
        finally:
            if not task.done():
                task.cancel()
        return task.result()

    # ---- writing -------------------------------------------------------------------------------------------

    async def _write(self, given: _Given) -> None:
        """What is written is what was shown: where the registry has changed since, it is shown again."""
        started = given.started
        for _ in range(AFRESH):
            compared = await self._patiently(given, partial(self._compared, given))
            if not started and compared.shown.digest != given.shown:
                await self._do(given, ShowList(number=given.id, found=compared.shown))
                await asyncio.to_thread(self._sweep_report, given.report, compared.shown.report)
                return
            started = True
            if await self._write_pieces(given, compared):
                await self._do(given, EndWriting(number=given.id))
                return
        raise Refusal("given.too_restless", name=given.name)

    def _sweep_report(self, former: str | None, report: str) -> None:
        """Delete what was shown before, unless another list came to the very same."""
        if former is None or former == report:
            return
        with Session(self._desk.database.reader) as session:
            needed = session.execute(_with_file(former).limit(1)).first() is not None
        if not needed:
            self._store.delete(former)

    async def _write_pieces(self, given: _Given, compared: _Compared) -> bool:
        """Returns False when somebody else has changed the registry: what is left is compared anew."""
        loop = asyncio.get_running_loop()
        told_at: float | None = loop.time() + self.slow
        for piece in pieces(compared.plan, compared.version):
            write = WritePiece(number=given.id, piece=piece, digest=compared.digest, lease=LEASE)
            if isinstance(await self._do(given, write), Refusal):
                return False
            if told_at is not None and loop.time() > told_at:
                await self._do(given, TellSlow(number=given.id, lease=LEASE, say=True))
                told_at = None
        return True

    # ---- commands ------------------------------------------------------------------------------------------

    async def _do(self, given: _Given, command: Command) -> Done | Refusal:
        """Give a command in the sender's name, answered where the list came from."""
        return await self._lane.run(partial(self._perform, given=given, command=command))

    def _perform(self, session: Writing, given: _Given, command: Command) -> Done | Refusal:
        again = "" if isinstance(command, TellSlow) else f":{self._desk.now().isoformat()}"
        message = f"list:{given.id}:{command.name}:{given.state}{again}"
        work = self._desk.work_in(session, channel=given.back.channel, message_id=message, back=given.back)
        outcome = perform(work, command)
        work.flush()
        return outcome

    def _alone(self, session: Writing, command: Command) -> None:
        work = self._desk.work_in(session)
        perform(work, command)
        work.flush()


def _given(row: GivenList) -> _Given:
    assert row.id is not None
    return _Given(
        id=row.id,
        person=row.person_id,
        back=Return(row.channel, row.chat, row.handle),
        name=row.name,
        file=row.file or "",
        state=row.state,
        shown=row.shown,
        report=row.report,
        started=row.imported_id is not None,
    )


def _own_files(session: Session, row: GivenList) -> Iterator[str]:
    """The files of a list that no other list has: the same file may have been sent twice."""
    for key in filter(None, (row.file, row.report)):
        others = _with_file(key).where(col(GivenList.id) != row.id)
        if key.startswith(PREFIX) and session.execute(others.limit(1)).first() is None:
            yield key


def _with_file(key: str) -> Select[Any]:
    """Ids of the lists that need a file: what lies in the store is one for all who kept the same."""
    return select(col(GivenList.id)).where(or_(col(GivenList.file) == key, col(GivenList.report) == key))


def _release(session: Session) -> None:
    begun = (col(GivenList.lease_until).is_not(None),)
    session.execute(update(GivenList).where(*begun).values(lease_until=None))
