"""The gate: whether what is said unasked goes now, waits, or is too old; one judgement for all senders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from handbook.messages import MessageRules
from models import MailSort

CAN_WAIT: Final = frozenset({MailSort.NOTICE, MailSort.NUDGE, MailSort.CARD})
"""Nobody is woken for these, and they are few. Answers, alarms, duties and news of one's own cases go as they
come."""
_CROWDED: Final = frozenset({0, 30})
"""Minutes at which everybody's programs send (channels.md 2.2)."""


@dataclass(frozen=True)
class Go:
    """It goes now; `passed` says what would have held it back, had it not been urgent."""

    passed: str = ""


@dataclass(frozen=True)
class Wait:
    """It waits until then (aware UTC)."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Drop:
    """It is of no use any more."""

    why: str


Verdict = Go | Wait | Drop


def judge(
    letter: Mapping[Any, Any], rules: MessageRules, zone: ZoneInfo, now: datetime, today: int
) -> Verdict:
    """Judge one letter that is due.

    Args:
        letter: its row: sort, urgent, recipient, expires_at.
        rules: the place's.
        zone: of the place.
        now: aware UTC.
        today: how many letters that can wait its recipient has had on this day.

    Returns:
        what is to be done with it. A letter that waits longer than it is of use is dropped when it wakes.
    """
    if letter["expires_at"] is not None and letter["expires_at"] <= now:
        return Drop("too old")
    if letter["sort"] not in CAN_WAIT:
        return Go()
    local = now.astimezone(zone)
    if _is_quiet(rules, local):
        if letter["urgent"]:
            return Go("quiet hours passed by: urgent")
        return Wait(_morning(rules, local, letter["recipient"]), "quiet hours")
    if letter["urgent"]:
        return Go()
    if today >= rules.a_day:
        return Wait(_next_morning(rules, local, letter["recipient"]), f"{rules.a_day} messages today")
    if local.minute in _CROWDED:
        return Wait((local + timedelta(minutes=_spread(letter["recipient"]))).astimezone(UTC), "full hour")
    return Go()


def _is_quiet(rules: MessageRules, local: datetime) -> bool:
    return local.time() >= rules.begins or local.time() < rules.ends


def _morning(rules: MessageRules, local: datetime, who: str) -> datetime:
    """The end of this night, and a few minutes, so that not all wake at once."""
    day = local.date() + timedelta(days=1 if local.time() >= rules.begins else 0)
    woken = datetime.combine(day, rules.ends, local.tzinfo) + timedelta(minutes=_spread(who))
    return woken.astimezone(UTC)


def _next_morning(rules: MessageRules, local: datetime, who: str) -> datetime:
    woken = datetime.combine(local.date() + timedelta(days=1), rules.ends, local.tzinfo)
    return (woken + timedelta(minutes=_spread(who))).astimezone(UTC)


def _spread(who: str) -> int:
    """One to four minutes, always the same for one recipient, whose letters keep their order so."""
    return 1 + crc32(who.encode()) % 4
