"""The funnel: of all that was reported, how much was dealt with on the spot, and how much at each level."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Annotated, Any, ClassVar, Literal

from sqlalchemy import case, exists, func, select
from sqlmodel import col

from handlers import access
from handlers.command import Ask, Command, Done, handles
from handlers.work import Reading, Work
from models import ENDED, Grid, Incident, IncidentEvent, Move, Post, State

NOT_COUNTED = (State.WITHDRAWN, State.MERGED, State.CLOSED_INVALID)
"""Taken back, told under another number, or never true."""
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Funnel:
    """What became of the reports of a time, as one's own area's list shows it."""

    total: int = 0
    self_handled: int = 0
    by_level: dict[str, int] = field(default_factory=dict)
    """Name of a level -> cases dealt with there (or lying there still), from the lowest level up."""
    closed: int = 0
    days: int = 0
    """From the day of the first report to that of the last one."""

    @property
    def close_rate(self) -> float:
        """The share that has ended; nothing reported counts as nothing left undone."""
        return self.closed / self.total if self.total else 1.0

    @property
    def daily(self) -> float:
        """Reports on an average day."""
        return self.total / self.days if self.days else 0.0


class ShowFunnel(Command):
    """What became of all that was reported in one's area: by oneself, by the village, by the town."""

    name: ClassVar[str] = "funnel"
    may: ClassVar[str | None] = "oversee"
    period: Annotated[Literal["month", "quarter", "year"], Ask("quiet")] = "quarter"


def funnel(reading: Reading, since: datetime, until: datetime) -> Funnel:
    """Count the cases of the actor's area that were reported from `since` up to, not including, `until`.

    Each counts where its grid lay when it was opened, so that figures of a past time stay what they were.
    """
    rows = reading.session.execute(_counted(reading, since, until)).all()
    levels = _levels(reading, {row.person for row in rows if not row.by_oneself})
    by_level: Counter[str] = Counter()
    for row in rows:
        if not row.by_oneself:
            by_level[levels[row.person]] += row.cases
    order = [level.name for level in reversed(reading.book.levels)]
    return Funnel(
        total=sum(row.cases for row in rows),
        self_handled=sum(row.cases for row in rows if row.by_oneself),
        by_level={name: by_level[name] for name in order if by_level[name]},
        closed=sum(row.cases for row in rows if row.ended),
        days=_days(reading, [m for row in rows for m in (row.first, row.last)]),
    )


def _counted(reading: Reading, since: datetime, until: datetime) -> Any:
    """Cases by who dealt with them: the handler of an ended one, the owner of an open one."""
    by_oneself = exists().where(
        col(IncidentEvent.incident_id) == col(Incident.id), col(IncidentEvent.move) == Move.SELF_HANDLE
    )
    shown = (
        access.counted_for(reading)
        .where(col(Incident.state).not_in(NOT_COUNTED))
        .where(col(Incident.opened_at) >= since, col(Incident.opened_at) < until)
        .add_columns(by_oneself.label("by_oneself"))
        .subquery()
    )
    ended = shown.c.state.in_(ENDED)
    person = case((ended, func.coalesce(shown.c.handler_id, shown.c.owner_id)), else_=shown.c.owner_id)
    columns = (person.label("person"), shown.c.by_oneself, ended.label("ended"))
    moments = func.min(shown.c.opened_at).label("first"), func.max(shown.c.opened_at).label("last")
    return select(*columns, func.count().label("cases"), *moments).group_by(*columns)


def _levels(reading: Reading, people: set[int]) -> dict[int, str]:
    """The level each person's post lies on, also of those who have left it since: its name in this place."""
    rows = reading.session.execute(
        select(col(Post.person_id), col(Grid.level))
        .join(Grid, col(Grid.id) == col(Post.grid_id))
        .where(col(Post.person_id).in_(people))
        .order_by(col(Post.id))
    )
    return {row.person_id: reading.book.level(row.level).name for row in rows}


def _days(reading: Reading, moments: list[datetime]) -> int:
    days = [moment.astimezone(reading.book.zone).date() for moment in moments]
    return (max(days) - min(days)).days + 1 if days else 0


@handles(ShowFunnel)
def show_funnel(work: Work, command: ShowFunnel) -> Done:
    """The month, quarter or year up to now."""
    since = period_began(work, MONTHS[command.period])
    found = funnel(work, since, work.now)
    work.reply("funnel.card" if found.total else "funnel.nothing", **_card(work, since, found))
    return Done(
        {
            "since": since,
            "total": found.total,
            "self_handled": found.self_handled,
            "by_level": found.by_level,
            "closed": found.closed,
            "close_rate": found.close_rate,
        }
    )


def period_began(reading: Reading, months: int) -> datetime:
    """The first moment, in the place's time, of the month, quarter or year that it is now."""
    today = reading.now.astimezone(reading.book.zone).date()
    first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
    return datetime.combine(first, time(), reading.book.zone).astimezone(UTC)


def _card(reading: Reading, since: datetime, found: Funnel) -> dict[str, Any]:
    first = since.astimezone(reading.book.zone)
    return {
        "since": reading.word("area.day", month=first.month, day=first.day),
        "count": found.total,
        "self_handled": found.self_handled,
        "levels": "".join(
            reading.word("area.level", name=name, count=count) for name, count in found.by_level.items()
        ),
        "closed": found.closed,
        "rate": f"{found.close_rate:.0%}" if found.close_rate in (0, 1) else f"{found.close_rate:.1%}",
        "daily": f"{found.daily:.1f}".removesuffix(".0"),
    }
