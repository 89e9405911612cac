"""Notices: a second person sends them, only whom they are meant for gets them, nobody is pestered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlmodel import col

from handlers.actor import CLOCK
from handlers.notices.drafting import ApproveNotice, SendNotice, SubmitNotice
from handlers.notices.optout import StopNotices
from handlers.notices.receipts import GotNotice, UnreadNotice
from handlers.notices.sending import SendDueNotices
from handlers.refusal import Refusal
from models import (
    Account,
    MailState,
    Notice,
    NoticeMove,
    NoticeState,
    Outbox,
    Person,
    Receipt,
    WrongNoticeMove,
)
from models.notice import NOTICE_MOVES
from tests.handlers.office import Office, office

STORM = "今晚有暴雨，请关好门窗"
CLINIC = "周六有义诊活动"


@pytest.fixture
def both(migrated_url: str) -> Iterator[Office]:
    """The people of the default place, on each database."""
    with office("default", migrated_url) as people:
        yield people


def asked(desk: Office, words: str = STORM, to: str = "第一网格居民", when: str = "现在") -> int:
    """A worker's notice that lies with the keeper of the community."""
    number = int(desk.does("worker", SendNotice(words=words, to=to, when=when)).data["notice"])
    desk.does("worker", SubmitNotice(number=number))
    return number


def sent(desk: Office, words: str = STORM) -> int:
    """A notice that was approved and is out."""
    number = asked(desk, words)
    desk.does("community", ApproveNotice(number=number))
    return number


def letters(desk: Office, text: str) -> list[int | None]:
    """To whom letters with a text were promised."""
    query = select(col(Outbox.person_id)).where(col(Outbox.text) == text).order_by(col(Outbox.id))
    return list(desk.world.session.execute(query).scalars())


def test_an_approved_notice_reaches_the_residents_of_the_grid_and_nobody_else(both: Office) -> None:
    sent(both)

    told = letters(both, "notice.sent")
    assert both.id("resident") in told
    assert both.id("worker2") not in told
    assert len(told) == len(set(told))
    assert both.world.session.execute(select(func.count()).select_from(Receipt)).scalar() == len(told)


def test_nobody_approves_their_own(both: Office) -> None:
    number = asked(both)

    for seat in ("worker", "resident", "worker2"):
        assert isinstance(both.tries(seat, ApproveNotice(number=number)).outcome, Refusal)
    assert letters(both, "notice.sent") == []


def test_approving_twice_sends_once(both: Office) -> None:
    number = sent(both)
    before = letters(both, "notice.sent")

    assert isinstance(both.tries("community", ApproveNotice(number=number)).outcome, Refusal)
    assert letters(both, "notice.sent") == before


def test_whoever_wants_none_gets_warnings_only(both: Office) -> None:
    both.does("resident", StopNotices())

    sent(both, CLINIC)
    assert both.id("resident") not in letters(both, "notice.sent")
    sent(both, STORM)
    assert both.id("resident") in letters(both, "notice.sent")


@pytest.mark.parametrize("to", ["第一网格低保户", "第一网格的火星人", "第二网格居民"])
def test_words_that_are_not_understood_or_not_theirs_never_become_everybody(both: Office, to: str) -> None:
    outcome = both.tries("worker", SendNotice(words=STORM, to=to, when="现在")).outcome

    assert isinstance(outcome, Refusal)
    assert both.world.session.execute(select(func.count()).select_from(Notice)).scalar() == 0


def test_whoever_has_not_read_is_reminded_once_and_whoever_has_is_not(both: Office) -> None:
    number = sent(both)
    mail = Outbox.__table__  # type: ignore[attr-defined]
    both.world.session.execute(mail.update().values(state=MailState.SENT))
    told = letters(both, "notice.sent")
    both.does("resident", GotNotice(number=number))

    for _ in range(3):
        both.world.now += timedelta(hours=25)
        both.world.do(CLOCK, SendDueNotices())

    assert sorted(letters(both, "notice.nudge"), key=str) == sorted(
        (one for one in told if one != both.id("resident")), key=str
    )


def test_what_was_meant_for_others_cannot_be_answered(both: Office) -> None:
    number = sent(both)

    assert isinstance(both.tries("worker2", GotNotice(number=number)).outcome, Refusal)
    assert isinstance(both.tries("worker2", UnreadNotice(number=number)).outcome, Refusal)


def test_after_a_long_pause_it_is_not_sent_and_its_author_is_told(both: Office) -> None:
    number = asked(both, when="明天8点")
    both.does("community", ApproveNotice(number=number))
    both.world.now += timedelta(days=9)
    both.world.do(CLOCK, SendDueNotices())

    assert letters(both, "notice.sent") == []
    assert letters(both, "notice.late") == [both.id("worker")]
    assert both.world.session.execute(select(col(Notice.state))).scalar() is NoticeState.LATE


def _keep(seen: list[str], _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    seen.append(statement)


def test_however_many_get_it_the_statements_are_as_many(desk: Office) -> None:
    counts = []
    for more in (0, 500):
        session = desk.world.session
        grid = session.execute(select(col(Notice.grid_id))).scalar()
        for at in range(more):
            person = Person(name="某人", home_grid_id=grid)
            session.add(person)
            session.flush()
            assert person.id is not None
            session.add(
                Account(
                    channel="memory",
                    handle=f"h{at}",
                    chat=f"h{at}",
                    person_id=person.id,
                    used_at=desk.world.now,
                )
            )
        session.flush()
        number = asked(desk)
        before = len(letters(desk, "notice.sent"))
        seen: list[str] = []
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", partial(_keep, seen))
        desk.does("community", ApproveNotice(number=number))
        counts.append((len(seen), len(letters(desk, "notice.sent")) - before))

    (few, reached), (many, reached_more) = counts
    assert reached_more == reached + 500
    assert many <= few + 2


@pytest.mark.parametrize("state", list(NoticeState))
@pytest.mark.parametrize("move", list(NoticeMove))
def test_a_move_leads_where_the_table_says_or_changes_nothing(state: NoticeState, move: NoticeMove) -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    notice = Notice(
        kind="policy", words="x", audience="x", grid_id=1, author_id=1, at=now, send_at=now, state=state
    )
    before, after = NOTICE_MOVES[move]

    if state in before:
        notice.move(move)
        assert notice.state is after
    else:
        with pytest.raises(WrongNoticeMove):
            notice.move(move)
        assert notice.state is state
