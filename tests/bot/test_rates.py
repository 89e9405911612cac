"""Rates: no stretch of time holds more than a platform allows, and nothing is lost by waiting."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from bot.channel import Can, Later, Rate
from bot.message import Outbound
from bot.rates import Counts, close, limits_of
from models import MailSort
from models.database import open_database
from tests.town import founded

MINUTE = timedelta(minutes=1)
CAN = Can(rates=(Rate("chat", 3, MINUTE), Rate("channel", 5, MINUTE), Rate("group", 2, MINUTE)))
BEGAN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def to(chat: str, *, group: bool = False) -> Outbound:
    return Outbound(mail_id=1, chat=chat, handle=chat, parts=("灯",), group=group)


def most_within(moments: list[datetime], within: timedelta) -> int:
    return max((sum(at <= one < at + within for one in moments) for at in moments), default=0)


@given(steps=st.lists(st.tuples(st.floats(0, 30), st.sampled_from("abc"), st.booleans()), max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_stretch_of_time_holds_more_than_is_allowed(
    steps: list[tuple[float, str, bool]], sqlite_url: str
) -> None:
    database = open_database(sqlite_url)
    now, went = BEGAN, []
    with Session(database.writer) as session:  # undone at the end: each example begins with nothing
        for seconds, chat, group in steps:
            now += timedelta(seconds=seconds)
            limits = limits_of("w", CAN, to(chat, group=group))
            counts = Counts(session, limits, now)  # read anew each time, as another process would
            until = counts.take(limits)
            counts.keep()
            if until is None:
                went.append((now, chat, group))
            else:
                assert now < until <= now + timedelta(seconds=67)
        session.rollback()
    database.close()

    assert most_within([at for at, _, _ in went], MINUTE) <= 5
    for chat in "abc":
        assert most_within([at for at, one, group in went if one == chat and not group], MINUTE) <= 3
        assert most_within([at for at, one, group in went if one == chat and group], MINUTE) <= 2


def test_a_closed_limit_lets_nobody_through(migrated_url: str) -> None:
    database = open_database(migrated_url)
    limits = limits_of("w", CAN, to("a"))
    with Session(database.writer) as session:
        Counts(session, limits, BEGAN)
        close(session, limits, BEGAN + MINUTE)
        session.commit()
    with Session(database.writer) as session:
        closed = Counts(session, limits, BEGAN).take(limits)
        later = Counts(session, limits, BEGAN + MINUTE).take(limits)
    database.close()

    assert (closed, later) == (BEGAN + MINUTE, None)


@pytest.mark.parametrize("asked", [None, 90.0])
def test_what_exceeds_a_rate_waits_and_comes(migrated_url: str, asked: float | None) -> None:
    endless = float("inf")
    can = Can(rates=(Rate("channel", 4, MINUTE),), per_second=endless, per_chat_second=endless)
    with founded("default", migrated_url, can=can, now=datetime(2026, 11, 23, 2, 10, tzinfo=UTC)) as town:
        people = list(town.people)[:10]
        with town.desk.work() as work:
            for person in people:
                work.tell(person, "small.thanks", key="n", sort=MailSort.NEWS)
        if asked is not None:
            town.channel.script([Later(asked)])
        went: list[int] = []
        for _ in range(8):
            town.run(town.settle())
            went.append(sum(len(town.news(town.people[person])) for person in people))
            town.now += timedelta(seconds=30)

        assert sum(went) == len(people)
        assert max(one + other for one, other in pairwise(went)) <= 4
