"""The watch: asks for what must never be, and tells whoever looks after the system."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import col

from handlers.channel_names import channel_name
from handlers.command import Done, OwnCommand, handles
from handlers.queues import failing, lost
from handlers.schedule import periods_ago
from handlers.work import Reading, Work
from models import OPEN, Inbox, InboxState, Incident, JobRun, MailState, Outbox
from models.mail import UNSENT

LATE = timedelta(hours=1)
LOOK_BACK = timedelta(days=1)
CALENDAR_LEFT = timedelta(days=60)
MISSED = 3
"""Slots in a row that a job may miss before it counts as standing still."""
_WEEKLY = frozenset({"vacant"})
"""What is told once a week; anything else once a day."""
NAMED = 3
"""Places named in one message; the rest are only counted."""


class TellTrouble(OwnCommand):
    """The clock: whoever may inspect hears of each trouble, once a day."""

    name: ClassVar[str] = "tell_trouble"


@dataclass(frozen=True)
class Trouble:
    """One thing that must never be: a text of the book with its arguments."""

    kind: str
    args: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Key of its words."""
        return f"watch.{self.kind}"


@handles(TellTrouble)
def tell_trouble(work: Work, _: TellTrouble) -> Done:
    """The same trouble is told once on each of the place's days (or weeks), however often the watch looks."""
    found = troubles(work)
    day = work.now.astimezone(work.book.zone).date()
    able = [person for person, actor in work.tree.staff.items() if actor.may("inspect")]
    keepers = [person for person in able if person not in work.tree.away]
    for trouble in found:
        _log(work, trouble, day)
        for person in keepers:
            key = f"watch:{_since(trouble, day)}:{trouble.kind}"
            work.tell(person, trouble.text, key=key, **trouble.args)
    return Done({"troubles": [trouble.kind for trouble in found]})


def _since(trouble: Trouble, day: date) -> str:
    """The first day of the day or week in which a trouble is told once; nobody is appointed within a day."""
    return (day - timedelta(days=day.weekday()) if trouble.kind in _WEEKLY else day).isoformat()


def _log(work: Work, trouble: Trouble, day: date) -> None:
    """Faults at every look. What is only coming once a day in plain words; and not to a first-day user."""
    if trouble.kind != "calendar":
        work.log.error("what must never be: %s", trouble.kind, extra=trouble.args)
        return
    told = select(col(Outbox.id)).where(col(Outbox.key).startswith(f"watch:{day}:{trouble.kind}:"))
    began = _ledger_began(work)
    if began is None or work.now - began < LOOK_BACK or work.session.execute(told.limit(1)).first():
        return
    work.log.warning("holidays are known until %(until)s: add the next year's to the book", trouble.args)


def troubles(reading: Reading) -> list[Trouble]:
    """Ask for everything that must never be; an empty list is what one hopes for."""
    return [trouble for look in _LOOKS for trouble in look(reading)]


# ---- what is asked ---------------------------------------------------------------------------------------

Look = Callable[[Reading], Iterator[Trouble]]


def _counted(
    reading: Reading, kind: str, table: type[Incident | Outbox | Inbox], *conditions: ColumnElement[bool]
) -> Iterator[Trouble]:
    query = select(func.count()).select_from(table).where(*conditions)
    count = reading.session.execute(query).scalar_one()
    if count:
        yield Trouble(kind, {"count": count})


def _without_owner(reading: Reading) -> Iterator[Trouble]:
    """A constraint forbids it; asked all the same, because a constraint can be lost in a repair."""
    nobody = col(Incident.owner_id).is_(None) | col(Incident.next_due).is_(None)
    return _counted(reading, "no_owner", Incident, col(Incident.state).in_(OPEN), nobody)


def _left_behind(reading: Reading) -> Iterator[Trouble]:
    """Cases whose time came and which the clock did not look at: it stands still for them."""
    due = col(Incident.next_due) < reading.now - LATE
    return _counted(reading, "left_behind", Incident, col(Incident.state).in_(OPEN), due)


def _old_mail(reading: Reading) -> Iterator[Trouble]:
    waiting = col(Outbox.state).in_(UNSENT)
    return _counted(reading, "old_mail", Outbox, waiting, col(Outbox.not_before) < reading.now - LATE)


def _dead_mail(reading: Reading) -> Iterator[Trouble]:
    lately = col(Outbox.not_before) >= reading.now - LOOK_BACK
    return _counted(reading, "dead_mail", Outbox, col(Outbox.state) == MailState.DEAD, lately)


def _dead_letters(reading: Reading) -> Iterator[Trouble]:
    lately = col(Inbox.received_at) >= reading.now - LOOK_BACK
    return _counted(reading, "dead_letter", Inbox, col(Inbox.state) == InboxState.DEAD, lately)


def _channel_down(reading: Reading) -> Iterator[Trouble]:
    found = failing(reading.session, reading.now)
    if found:
        names = "、".join(channel_name(reading, queue.name) for queue in found)
        yield Trouble("channel_down", {"channel": names, "count": sum(queue.count for queue in found)})


def _connection_lost(reading: Reading) -> Iterator[Trouble]:
    """A lease is prolonged every few seconds; the first part of its name is the channel's."""
    names = {channel_name(reading, name.partition(":")[0]) for name in lost(reading.session, reading.now)}
    if names:
        yield Trouble("connection_lost", {"channel": "、".join(sorted(names))})


def _vacant(reading: Reading) -> Iterator[Trouble]:
    """Grids whose level has a keeper in this place, and which have none."""
    tree = reading.tree
    kept = {level.key for level in reading.book.levels if level.keeper is not None}
    empty = [node.id for node in tree.nodes.values() if node.level in kept and not tree.keepers(node.id)]
    if empty:
        places = "、".join(tree.named(grid) for grid in empty[:NAMED])
        yield Trouble("vacant", {"count": len(empty), "place": places})


def _calendar(reading: Reading) -> Iterator[Trouble]:
    until = reading.book.holidays.known_until
    if until - reading.now.astimezone(reading.book.zone).date() < CALENDAR_LEFT:
        yield Trouble("calendar", {"until": until.isoformat()})


def _stalled(reading: Reading) -> Iterator[Trouble]:
    jobs = [name for name in reading.book.schedule if _stands_still(reading, name)]
    if jobs:
        yield Trouble("stalled", {"job": "、".join(jobs)})


def _stands_still(reading: Reading, job: str) -> bool:
    """Whether three slots have gone by without a run; a ledger younger than that proves nothing yet."""
    missed = periods_ago(reading.book.schedule[job], reading.book, reading.now, MISSED)
    last = last_run(reading, job) or _ledger_began(reading)
    return missed is not None and last is not None and last < missed


def last_run(reading: Reading, job: str) -> datetime | None:
    """The heartbeat of a job: when it ran last, at whatever slot."""
    return reading.session.execute(_runs(job, col(JobRun.slot).desc())).scalar()


def _ledger_began(reading: Reading) -> datetime | None:
    firsts = (reading.session.execute(_runs(job, col(JobRun.slot))).scalar() for job in reading.book.schedule)
    return min((first for first in firsts if first is not None), default=None)


def _runs(job: str, order: Any) -> Select[datetime]:
    return select(col(JobRun.at)).where(col(JobRun.job) == job).order_by(order).limit(1)


_LOOKS: Sequence[Look] = (
    _without_owner,
    _left_behind,
    _old_mail,
    _dead_mail,
    _dead_letters,
    _channel_down,
    _connection_lost,
    _vacant,
    _calendar,
    _stalled,
)
