"""The watch: what must never be is seen, and told once a day to whoever looks after the system."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Executable, insert, select, text, update
from sqlmodel import Session, col

from bot.render import words
from handbook import open_book
from handlers.actor import CLOCK
from handlers.command import Done, perform
from handlers.tree import registry_changed
from handlers.watching import TellTrouble, Trouble, troubles
from models import Inbox, Incident, Lease, Outbox, Post
from tests.scheduler.test_moving_time import file_a_case
from tests.scheduler.ticking import Station, station

BOOK = open_book("default")
CALM = datetime(2026, 10, 12, 9, 0, tzinfo=BOOK.zone)
"""A working Monday, the calendar's end far away."""
MAIL = Outbox.__table__  # type: ignore[attr-defined]
LETTERS = Inbox.__table__  # type: ignore[attr-defined]


@pytest.fixture
def there(sqlite_url: str) -> Iterator[Station]:
    """A town in which nothing is wrong, with one case."""
    with station(sqlite_url, CALM) as one:
        file_a_case(one)
        one.run_due()
        send_all(one)
        yield one


def send_all(one: Station) -> None:
    """Let every promise be kept."""
    with one.desk.session() as session:
        session.execute(update(MAIL).where(MAIL.c.state == "waiting").values(state="sent"))


def found(one: Station) -> dict[str, dict[str, object]]:
    """What the watch would tell now."""
    with one.desk.reading(CLOCK) as reading:
        return {trouble.kind: trouble.args for trouble in troubles(reading)}


def wrong(one: Station, *statements: Executable) -> None:
    """Do to the database what no command does."""
    with one.desk.session() as session:
        for statement in statements:
            session.execute(statement)


def a_mail(one: Station, **fields: object) -> Executable:
    """An INSERT of one promise."""
    now = one.clock.now()
    usual = {"key": "k", "recipient": "p1", "person_id": 1, "text": "menu.help", "args": {}, "choices": []}
    times = {"at": now, "not_before": now, "urgent": False, "tries": 0, "state": "waiting"}
    return insert(MAIL).values({**usual, **times, **fields})


def test_a_sound_town_has_no_trouble(there: Station) -> None:
    assert found(there) == {}


def test_an_open_case_without_owner_or_due_time(there: Station) -> None:
    wrong(there, text("PRAGMA ignore_check_constraints=ON"), update(Incident).values(owner_id=None))

    assert found(there) == {"no_owner": {"count": 1}}


def test_a_case_the_clock_did_not_look_at(there: Station) -> None:
    due = there.clock.now()
    wrong(there, update(Incident).values(next_due=due))
    there.clock.move(timedelta(minutes=60))
    in_time = found(there)
    there.clock.move(timedelta(minutes=1))
    late = found(there)

    assert "left_behind" not in in_time
    assert late["left_behind"] == {"count": 1}


def test_mail_that_waits_too_long_and_mail_that_waits_on_purpose(there: Station) -> None:
    now = there.clock.now()
    wrong(
        there,
        a_mail(there, key="old", not_before=now - timedelta(minutes=61)),
        a_mail(there, key="stuck", not_before=now - timedelta(minutes=90), state="claimed", lease_until=now),
        a_mail(there, key="new", not_before=now - timedelta(minutes=59)),
        a_mail(there, key="tonight", at=now - timedelta(days=1), not_before=now + timedelta(hours=3)),
    )

    assert found(there) == {"old_mail": {"count": 2}}


def test_a_channel_that_fails_for_a_quarter_of_an_hour(there: Station) -> None:
    now = there.clock.now()
    tried = {"channel": "wecom", "tries": 4, "not_before": now}
    wrong(there, a_mail(there, key="a", **tried), a_mail(there, key="b", **tried | {"tries": 3}))
    there.clock.move(timedelta(minutes=14, seconds=59))
    in_time = found(there)
    there.clock.move(timedelta(seconds=1))

    assert "channel_down" not in in_time
    assert found(there)["channel_down"] == {"channel": "企业微信", "count": 1}


def test_a_connection_that_nobody_holds_any_more(there: Station) -> None:
    now = there.clock.now()
    held = [("wecom_bot:b1", timedelta(minutes=10, seconds=1)), ("dingtalk:d", timedelta(minutes=10))]
    held += [("wecom_kf:taken-out-of-the-settings", timedelta(days=2))]
    wrong(
        there,
        insert(Lease).values([{"name": name, "holder": "p", "until": now - ago} for name, ago in held]),
    )

    assert found(there) == {"connection_lost": {"channel": "企业微信智能机器人"}}


def test_dead_mail_and_dead_letters_of_the_last_day(there: Station) -> None:
    now = there.clock.now()
    letter = {"channel": "memory", "chat_key": "a", "body": {}, "state": "dead", "tries": 3}
    wrong(
        there,
        a_mail(there, key="dead", state="dead", not_before=now - timedelta(hours=23)),
        a_mail(there, key="long dead", state="dead", not_before=now - timedelta(hours=25)),
        insert(LETTERS).values({**letter, "message_id": "x", "received_at": now - timedelta(hours=23)}),
        insert(LETTERS).values({**letter, "message_id": "y", "received_at": now - timedelta(hours=25)}),
    )

    assert found(there) == {"dead_mail": {"count": 1}, "dead_letter": {"count": 1}}


def test_a_grid_whose_keeper_has_left(there: Station) -> None:
    with there.desk.reading(CLOCK) as reading:
        node = next(node for node in reading.tree.nodes.values() if node.level == "town")
        name = reading.tree.named(node.id)
    with there.desk.session() as session:
        session.execute(update(Post).where(col(Post.grid_id) == node.id).values(until=there.clock.now()))
        registry_changed(session)

    assert found(there) == {"vacant": {"count": 1, "place": name}}


def test_a_calendar_that_ends_soon(sqlite_url: str) -> None:
    end = BOOK.holidays.known_until
    eve = datetime(end.year, end.month, end.day, 9, 0, tzinfo=BOOK.zone)
    with station(sqlite_url, eve - timedelta(days=60)) as there:
        in_time = found(there)
        there.clock.set(eve - timedelta(days=59))
        late = found(there)

    assert "calendar" not in in_time
    assert late["calendar"] == {"until": end.isoformat()}


def test_its_end_is_a_warning_once_a_day_and_none_on_the_first(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    end = BOOK.holidays.known_until
    eve = datetime(end.year, end.month, end.day, 9, 0, tzinfo=BOOK.zone)
    days = []
    with station(sqlite_url, eve - timedelta(days=30)) as there, caplog.at_level("WARNING", "xiaoge.work"):
        there.run_due()
        for _ in range(3):
            caplog.clear()
            for minutes in (5, 5, 5):
                there.clock.move(timedelta(minutes=minutes))
                there.run_due()
                send_all(there)
            days.append([r.levelname for r in caplog.records if "holidays" in r.getMessage()])
            there.clock.set(there.clock.now() + timedelta(days=1))

    assert days == [[], ["WARNING"], ["WARNING"]]


def test_a_job_that_stands_still(there: Station) -> None:
    there.clock.move(timedelta(minutes=15))
    in_time = found(there)
    there.clock.move(timedelta(minutes=1))
    late = found(there)

    assert in_time == {"stalled": {"job": "due_cases、notices"}}
    assert late["stalled"] == {"job": "due_cases、notices、group_packs、watch、stale_talks"}


def test_after_a_long_rest_the_first_waking_finds_no_job_standing_still(there: Station) -> None:
    there.clock.move(timedelta(days=3))
    before = found(there)
    there.run_due()

    assert "stalled" in before
    assert "stalled" not in found(there)


def told(one: Station) -> list[tuple[str, str]]:
    """(person's name, words) of everything the watch has told."""
    with Session(one.database.reader) as session:
        tree = one.desk.tree(session)
        rows = session.execute(select(MAIL).where(MAIL.c.key.startswith("watch:")).order_by(MAIL.c.id))
        return [(tree.staff[row.person_id].name, words(BOOK, row.text, row.args)) for row in rows]


def test_each_trouble_is_told_once_a_day_to_everybody_who_may_inspect(there: Station) -> None:
    wrong(there, a_mail(there, state="dead"))
    for minutes in (5, 5, 60):
        there.clock.move(timedelta(minutes=minutes))
        there.run_due()
        send_all(there)
    today = told(there)
    there.clock.move(timedelta(hours=15))
    there.run_due()
    with Session(there.database.reader) as session:
        keepers = {a.name for a in there.desk.tree(session).staff.values() if a.may("inspect")}

    assert sorted(today) == sorted((name, "系统自查：最近一天有1条消息发不出去。") for name in keepers)
    assert len(keepers) == 2
    assert {name for name, _ in told(there)[len(today) :]} == keepers


def test_its_command_tells_what_it_found(there: Station) -> None:
    wrong(there, a_mail(there, state="dead"))
    with there.desk.work() as work:
        done = perform(work, TellTrouble())

    assert done == Done({"troubles": ["dead_mail"]})


EVERY_TROUBLE = (
    Trouble("no_owner", {"count": 2}),
    Trouble("left_behind", {"count": 2}),
    Trouble("old_mail", {"count": 2}),
    Trouble("dead_mail", {"count": 2}),
    Trouble("dead_letter", {"count": 2}),
    Trouble("channel_down", {"channel": "钉钉", "count": 2}),
    Trouble("connection_lost", {"channel": "微信客服"}),
    Trouble("vacant", {"count": 2, "place": "幸福社区第一网格"}),
    Trouble("calendar", {"until": "2026-12-31"}),
    Trouble("stalled", {"job": "watch"}),
)


@pytest.mark.parametrize("place", ["default", "minhou", "qingcao", "yulin", "shexian", "yinzhou"])
def test_each_trouble_has_words_in_every_place(place: str) -> None:
    book = open_book(place)
    for trouble in EVERY_TROUBLE:
        said = words(book, trouble.text, trouble.args)

        assert said.startswith("系统自查")
        assert all(str(value) in said for value in trouble.args.values())
