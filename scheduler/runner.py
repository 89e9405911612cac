"""The runner: wakes every minute, and does what is due; each slot once, however many processes wake."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from bot.lane import Lane
from handlers.command import Command, Done, perform
from handlers.pressing import FollowDue
from handlers.refusal import Refusal
from handlers.schedule import slot_at
from handlers.work import Desk
from handlers.writing import Writing, insert_new
from models import OPEN, Incident, JobRun
from scheduler.clock import Clock, SettableClock
from scheduler.jobs import CASES_AT_ONCE, JOBS, Job, latest_slot

log = logging.getLogger("xiaoge.clock")

LEDGER = JobRun.__table__  # type: ignore[attr-defined]
KEPT = timedelta(days=60)
"""How long a slot stays in the ledger: longer than any pause between two slots of a daily job."""


async def _nothing() -> None:
    """Do nothing between two steps."""


class Runner:
    """Runs the jobs of the table by the ledger of slots.

    The row of a slot is written in the transaction of the job's effects: either both are there or neither.
    A job that failed leaves no row, so it is tried again at the next waking until its next slot comes.

    Args:
        lane: the only way to write.
        desk: opens the jobs' works; its book says when they run.
        clock: what time it is.
        jobs: the table.
    """

    def __init__(self, lane: Lane, desk: Desk, clock: Clock, jobs: Sequence[Job] = JOBS) -> None:
        self._lane = lane
        self._desk = desk
        self._clock = clock
        self._jobs = jobs
        self._process = f"{socket.gethostname()}:{os.getpid()}"
        self._ticker: Any = None
        self._busy = asyncio.Lock()

    # ---- waking --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to wake at each full minute; what was missed meanwhile is done now."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.cron import CronTrigger

        settings = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self._ticker = AsyncIOScheduler(timezone="UTC", job_defaults=settings)
        self._ticker.add_job(self.wake, CronTrigger(second=0, timezone="UTC"), id="wake")
        self._ticker.start()
        await self.wake()

    async def stop(self) -> None:
        """Wake no more; a job that has begun is finished."""
        if self._ticker is not None:
            self._ticker.shutdown(wait=False)
            self._ticker = None
        async with self._busy:
            pass

    @property
    def next_waking(self) -> datetime | None:
        """When it wakes next by the machine's clock; None while it is stopped."""
        return self._ticker.get_job("wake").next_run_time if self._ticker else None

    async def wake(self) -> None:
        """Do what is due; whatever goes wrong, there is a next waking."""
        try:
            self._lane.sweep()
            await self.run_due(self._clock.now())
        except Exception:
            log.exception("a waking failed")

    # ---- running -------------------------------------------------------------------------------------------

    async def run_due(self, now: datetime) -> list[str]:
        """Run each job whose latest slot has not run yet: of several missed slots only the last.

        Args:
            now: aware; the jobs' works are given this time.

        Returns:
            names of the jobs that this call ran.
        """
        async with self._busy:
            return [job.name for job in self._jobs if await self._run(job, now)]

    async def _run(self, job: Job, now: datetime) -> bool:
        """One failing job does not stop the others."""
        slot = latest_slot(job, self._desk.book, now)
        if slot is None:
            return False
        try:
            done = await self._lane.run(lambda session: self._fire(session, job, slot, now))
            while done is not None and job.again(done):
                done = await self._lane.run(lambda session: self._give(session, job.command(slot), now))
        except Exception:
            log.exception("a job failed", extra={"job": job.name, "slot": slot})
            return False
        return done is not None

    def _fire(self, session: Writing, job: Job, slot: str, now: datetime) -> Done | None:
        """Enter the slot into the ledger and give the command; None when somebody did so before."""
        row = {"job": job.name, "slot": slot, "at": now, "process": self._process}
        entered = session.execute(insert_new(session, LEDGER).values(row).returning(LEDGER.c.slot))
        if entered.first() is None:
            return None
        self._forget(session, job, now)
        return self._give(session, job.command(slot), now)

    def _give(self, session: Writing, command: Command, now: datetime) -> Done:
        work = self._desk.work_in(session, now=now)
        outcome = perform(work, command)
        if isinstance(outcome, Refusal):
            raise RuntimeError(f"the clock was refused {command.name}: {outcome.text}")
        work.flush()
        return outcome

    def _forget(self, session: Session, job: Job, now: datetime) -> None:
        """Names of slots sort as their times do, so old ones are found by the key alone."""
        oldest = slot_at(self._desk.book.schedule[job.name], self._desk.book, now - KEPT)
        session.execute(delete(LEDGER).where(LEDGER.c.job == job.name, LEDGER.c.slot < oldest))

    # ---- moving time ---------------------------------------------------------------------------------------

    async def catch_up(self, until: datetime, between: Callable[[], Awaitable[object]] = _nothing) -> None:
        """Live through the time up to `until`: each case is followed at its own due times, so that it climbs
        rung by rung and its log reads as if nobody had moved the clock.

        A settable clock is led along and shows `until` at the end; do not move it before. Then whatever else
        is due runs once.

        Args:
            until: aware.
            between: awaited after each step, to send what was promised at that time while it still holds.
        """
        async with self._busy:
            at = await self.next_due()
            while at is not None and at <= until:
                await self._follow(self._lead(at))
                await between()
                at = await self.next_due(after=at)
        self._lead(until)
        await self.run_due(max(until, self._clock.now()))

    def _lead(self, at: datetime) -> datetime:
        """Put a settable clock to a moment, unless that has passed. Returns what time it is for the work."""
        if not isinstance(self._clock, SettableClock):
            return at
        return self._clock.reach(at)

    async def _follow(self, now: datetime) -> None:
        command = FollowDue(limit=CASES_AT_ONCE)
        more = True
        while more:
            done = await self._lane.run(lambda session: self._give(session, command, now))
            more = self._jobs[0].again(done)

    async def next_due(self, after: datetime | None = None) -> datetime | None:
        """Find when the clock must look at some case next: aware UTC, None when no case is open.

        `after` leaves out what is due at or before that moment (a case that failed stays due).
        """
        query = select(col(Incident.next_due)).where(col(Incident.state).in_(OPEN))
        if after is not None:
            query = query.where(col(Incident.next_due) > after)
        query = query.order_by(col(Incident.next_due)).limit(1)
        found: datetime | None = await self._lane.run(
            lambda session: session.execute(query).scalar(), quiet=True
        )
        return found
