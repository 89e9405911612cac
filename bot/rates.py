"""Rates: what a platform allows, kept over all processes and never exceeded (channels.md 2.10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from bot.channel import Can, Rate
from bot.message import Outbound
from handlers.writing import insert_new
from models import RateCount

COUNTS = RateCount.__table__  # type: ignore[attr-defined]
SLICES: Final = 10
"""Slices of a rate's time: any stretch of that length touches eleven, and those are counted together."""


@dataclass(frozen=True)
class Limit:
    """One rate as it holds for one letter."""

    name: str
    rate: Rate

    @property
    def slice(self) -> float:
        """Seconds of a slice."""
        return self.rate.within.total_seconds() / SLICES


def limits_of(channel: str, can: Can, message: Outbound) -> list[Limit]:
    """The limits that a message through a channel comes under."""
    return [
        Limit(f"{channel}|{rate.per}|{_which(rate, message)}|{rate.within.total_seconds():.0f}", rate)
        for rate in can.rates
        if rate.per == "channel" or (rate.per == "group") == message.group
    ]


def _which(rate: Rate, message: Outbound) -> str:
    return "" if rate.per == "channel" else message.chat


class Counts:
    """The counts of some limits, locked until the work commits.

    Args:
        session: the writer's.
        limits: all that will be asked for.
        now: aware UTC.
    """

    def __init__(self, session: Session, limits: Iterable[Limit], now: datetime) -> None:
        self._now = now
        names = sorted({limit.name for limit in limits})
        self._rows: dict[str, tuple[dict[str, int], datetime | None]] = {}
        self._changed: set[str] = set()
        self._session = session
        if names:
            session.execute(insert_new(session, COUNTS), [{"name": name, "slices": {}} for name in names])
            query = select(COUNTS).where(COUNTS.c.name.in_(names)).order_by(COUNTS.c.name).with_for_update()
            for row in session.execute(query):
                self._rows[row.name] = dict(row.slices), row.closed_until

    def take(self, limits: Sequence[Limit]) -> datetime | None:
        """Count one message under all of its limits. Returns None, or when to ask again (aware UTC)."""
        waits = [until for limit in limits if (until := self._full(limit)) is not None]
        if waits:
            return max(waits)
        for limit in limits:
            slices, closed = self._rows[limit.name]
            at = self._slice(limit)
            kept = {key: count for key, count in slices.items() if int(key) >= at - SLICES}
            kept[str(at)] = kept.get(str(at), 0) + 1
            self._rows[limit.name] = kept, closed
            self._changed.add(limit.name)
        return None

    def _slice(self, limit: Limit) -> int:
        return int(self._now.timestamp() // limit.slice)

    def _full(self, limit: Limit) -> datetime | None:
        slices, closed = self._rows[limit.name]
        if closed is not None and closed > self._now:
            return closed
        at = self._slice(limit)
        lately = {int(key): count for key, count in slices.items() if int(key) >= at - SLICES}
        too_many = sum(lately.values()) - limit.rate.most + 1
        for key in sorted(lately):
            if too_many <= 0:
                break
            too_many -= lately[key]
            if too_many <= 0:
                return datetime.fromtimestamp((key + SLICES + 1) * limit.slice, UTC)
        return None

    def keep(self) -> None:
        """Write down what was counted."""
        if self._changed:
            change = (
                update(COUNTS).where(COUNTS.c.name == bindparam("name_")).values(slices=bindparam("slices_"))
            )
            rows = [{"name_": name, "slices_": self._rows[name][0]} for name in sorted(self._changed)]
            self._session.execute(change, rows)


def close(session: Session, limits: Sequence[Limit], until: datetime) -> None:
    """The platform asked to wait: nobody asks it under these limits before then."""
    names = [limit.name for limit in limits]
    session.execute(update(COUNTS).where(COUNTS.c.name.in_(names)).values(closed_until=until))
