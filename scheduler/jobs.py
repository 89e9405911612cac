"""The clock's jobs: what each is called, and which command it gives. When it runs stands in the book."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handbook import Book
from handlers.command import Command, Done
from handlers.day_cards import SendDayCards
from handlers.groups.forwarding import RemindForwarders
from handlers.notices.sending import SendDueNotices
from handlers.pressing import FollowDue
from handlers.residents.keeping import Retain
from handlers.schedule import latest_due, slot_at
from handlers.waiting import TellWaiting
from handlers.watching import TellTrouble
from handlers.zero_boards import SendZeroBoards

CASES_AT_ONCE = 50
"""Few enough that messages which come in meanwhile need not wait: the next lot is a work of its own."""


def _never(_: Done) -> bool:
    return False


@dataclass(frozen=True)
class Job:
    """One line of the table."""

    name: str
    """As in schedule.yaml."""
    command: Callable[[str], Command]
    """Makes the command from the slot's name."""
    again: Callable[[Done], bool] = _never
    """Whether there is more of the same to do at once."""


def _more_cases(done: Done) -> bool:
    """Cases that failed stay due, so a lot in which nothing went well is the last."""
    followed, failed = int(done.data["followed"]), len(done.data["failed"])
    return followed > 0 and followed + failed >= CASES_AT_ONCE


JOBS: Sequence[Job] = (
    Job("due_cases", lambda _: FollowDue(limit=CASES_AT_ONCE), _more_cases),
    Job("notices", lambda _: SendDueNotices()),
    Job("group_packs", lambda _: RemindForwarders()),
    Job("day_card", lambda slot: SendDayCards(slot=slot)),
    Job("zero_board", lambda slot: SendZeroBoards(slot=slot)),
    Job("stale_talks", lambda _: TellWaiting()),
    Job("retention", lambda _: Retain(), lambda done: bool(done.data["more"])),
    Job("watch", lambda _: TellTrouble()),
)
"""In the order they run when several are due: the watch last, since it looks at what the others left."""


def latest_slot(job: Job, book: Book, now: datetime) -> str | None:
    """Name the last slot up to now, so that after a pause only the last of the missed ones runs.

    Args:
        job: one of JOBS.
        book: the place's; a job it does not schedule has no slots.
        now: aware.

    Returns:
        the minute in UTC (2026-02-03T10:05Z) or the place's date (2026-02-03); None when there is none.
    """
    time = book.schedule.get(job.name)
    due = latest_due(time, book, now) if time else None
    return slot_at(time, book, due) if time and due else None


def check_schedule(book: Book, jobs: Sequence[Job] = JOBS) -> Mapping[str, str]:
    """Tell which names of the schedule mean nothing, and which jobs never run: name -> what is wrong."""
    names = {job.name for job in jobs}
    faults = dict.fromkeys(set(book.schedule) - names, "there is no such job")
    return faults | dict.fromkeys(names - set(book.schedule), "the book does not say when")
