"""The gate: nobody is woken for what can wait, few messages a day, none at the full hour, none too late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from bot.gate import CAN_WAIT, Drop, Go, Wait, judge
from models import MailSort, MailState, Outbox
from tests.town import book_of, founded

BOOK = book_of("default")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
RULES, ZONE = BOOK.messages, BOOK.zone
moments = st.integers(0, 730 * 24 * 3600).map(lambda seconds: BEGAN + timedelta(seconds=seconds))
letters = st.fixed_dictionaries(
    {
        "sort": st.sampled_from(list(MailSort)),
        "urgent": st.booleans(),
        "recipient": st.from_regex(r"p[0-9]{1,4}", fullmatch=True),
        "expires_at": st.none() | moments,
    }
)


def is_quiet(at: datetime) -> bool:
    local = at.astimezone(ZONE).time()
    return local >= RULES.begins or local < RULES.ends


@given(letter=letters, now=moments, today=st.integers(0, 20))
def test_what_goes_may_go_and_what_waits_wakes_by_day(
    letter: dict[str, Any], now: datetime, today: int
) -> None:
    match judge(letter, RULES, ZONE, now, today):
        case Drop():
            assert letter["expires_at"] <= now
        case Wait(until=until):
            assert letter["sort"] in CAN_WAIT
            assert not letter["urgent"]
            assert now < until <= now + timedelta(hours=36)
            assert not is_quiet(until)
            assert until.astimezone(ZONE).minute not in (0, 30)
        case Go(passed=passed):
            free = letter["urgent"] or letter["sort"] not in CAN_WAIT
            assert free or (not is_quiet(now) and today < RULES.a_day)
            assert bool(passed) == (letter["urgent"] and letter["sort"] in CAN_WAIT and is_quiet(now))


@given(letter=letters, now=moments)
def test_woken_it_is_held_for_the_same_reason_no_more(letter: dict[str, Any], now: datetime) -> None:
    first = judge({**letter, "expires_at": None}, RULES, ZONE, now, 0)
    if isinstance(first, Wait):
        assert isinstance(judge({**letter, "expires_at": None}, RULES, ZONE, first.until, 0), Go)


def test_a_notice_of_the_night_comes_in_the_morning_once(migrated_url: str) -> None:
    with founded("default", migrated_url, now=datetime(2026, 11, 23, 14, 0, tzinfo=UTC)) as town:
        person = next(iter(town.people))
        who = town.people[person]
        with town.desk.work() as work:
            work.tell(person, "small.thanks", key="n", sort=MailSort.NOTICE)
            work.tell(person, "small.ack", key="a", sort=MailSort.NEWS)
        town.run(town.settle())
        at_night = town.news(who)
        town.now = datetime(2026, 11, 24, 0, 5, tzinfo=UTC)
        town.run(town.settle())

        assert len(at_night) == len(town.news(who)) == 1


def test_the_seventh_notice_of_a_day_waits_for_the_next(migrated_url: str) -> None:
    with founded("default", migrated_url, now=datetime(2026, 11, 23, 2, 10, tzinfo=UTC)) as town:
        person = next(iter(town.people))
        with town.desk.work() as work:
            for number in range(9):
                work.tell(person, "small.thanks", key=f"n{number}", sort=MailSort.NOTICE)
        town.run(town.settle())
        today = len(town.news(town.people[person]))
        town.now = datetime(2026, 11, 24, 0, 10, tzinfo=UTC)
        town.run(town.settle())

        assert (today, len(town.news(town.people[person]))) == (6, 3)


def test_what_is_too_old_is_dropped_with_its_reason(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        person = next(iter(town.people))
        with town.desk.work() as work:
            work.tell(person, "small.thanks", key="n", expires_at=town.now + timedelta(hours=1))
        town.now += timedelta(hours=2)
        town.run(town.settle())
        with Session(town.database.reader) as session:
            letter = session.execute(select(Outbox).where(col(Outbox.key) == f"n:p{person}")).scalar_one()

        assert town.news(town.people[person]) == []
        assert (letter.state, letter.outcome) == (MailState.DROPPED, "too old")
