"""The writer's session: rows that wait are met by whoever asks, and a part is undone alone."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from handlers.writing import Writing
from models import JobRun, Person
from models.database import open_database
from tests.town import START

RUNS = JobRun.__table__  # type: ignore[attr-defined]
PEOPLE = Person.__table__  # type: ignore[attr-defined]


@pytest.fixture
def session(migrated_url: str) -> Iterator[Writing]:
    database = open_database(migrated_url)
    with Writing(database.writer) as one:
        yield one
    database.close()


def run(slot: str, job: str = "watch") -> dict[str, object]:
    return {"job": job, "slot": slot, "at": START, "process": "p"}


def slots(session: Session) -> list[str]:
    return list(session.execute(select(RUNS.c.slot).order_by(RUNS.c.slot)).scalars())


def names(session: Session) -> list[str]:
    return list(session.execute(select(col(Person.name)).order_by(col(Person.id))).scalars())


def undone(session: Writing, *slots_of_it: str) -> None:
    """A part that writes and then fails."""
    with suppress(ZeroDivisionError), session.part():
        session.later(RUNS, [run(slot) for slot in slots_of_it])
        session.add(Person(name="张三"))
        raise ZeroDivisionError


def test_rows_that_wait_are_met_by_whoever_reads(session: Writing) -> None:
    session.later(RUNS, [run("1")])
    session.later(RUNS, [run("2")])

    assert slots(session) == ["1", "2"]


def test_rows_that_wait_are_met_by_whoever_removes(session: Writing) -> None:
    session.later(RUNS, [run("1"), run("2")])
    session.execute(RUNS.delete().where(RUNS.c.slot == "1"))

    assert slots(session) == ["2"]


def test_rows_that_wait_are_committed(session: Writing) -> None:
    session.later(RUNS, [run("1")])
    session.commit()
    session.rollback()

    assert slots(session) == ["1"]


def test_rows_that_wait_are_forgotten_with_the_rest(session: Writing) -> None:
    session.later(RUNS, [run("1")])
    session.rollback()
    session.commit()

    assert slots(session) == []


def test_a_row_that_may_be_there_already_is_written_once(session: Writing) -> None:
    session.later(RUNS, [run("1")], once=True)
    session.commit()
    session.later(RUNS, [run("1"), run("2")], once=True)

    assert slots(session) == ["1", "2"]


def test_a_row_that_must_not_be_there_already_is_refused(session: Writing) -> None:
    session.later(RUNS, [run("1"), run("1")])

    with pytest.raises(IntegrityError):
        session.commit()


def test_rows_go_in_before_those_that_refer_to_them(session: Writing) -> None:
    number = session.number(PEOPLE) if session.get_bind().dialect.name == "postgresql" else 1
    account = {
        "channel": "c",
        "handle": "h",
        "chat": "h",
        "person_id": number,
        "used_at": START,
        "gone": False,
    }
    session.later(Person.metadata.tables["account"], [account])
    session.later(PEOPLE, [{"id": number, "name": "张三"}])
    session.commit()

    assert names(session) == ["张三"]


def test_numbers_go_on_after_those_that_were_given(session: Writing) -> None:
    cases = Person.metadata.tables["incident"]
    first, second = session.number(cases), session.number(cases)

    assert second == first + 1


@pytest.mark.parametrize("together", [False, True])
def test_a_part_is_undone_alone(session: Writing, together: bool) -> None:
    session.later(RUNS, [run("before")])
    with session.together() if together else session.part():
        undone(session, "a")
        session.later(RUNS, [run("after")])
    session.commit()

    assert slots(session) == ["after", "before"]
    assert names(session) == []


@pytest.mark.parametrize("together", [False, True])
def test_a_part_that_reads_keeps_the_rows_from_before_it(session: Writing, together: bool) -> None:
    """What waited is written within the part, undone with it, and must wait again."""
    with session.together() if together else session.part():
        session.later(RUNS, [run("before")])
        with suppress(ZeroDivisionError), session.part():
            session.later(RUNS, [run("within")])
            assert slots(session) == ["before", "within"]
            raise ZeroDivisionError
        assert slots(session) == ["before"]
    session.commit()

    assert slots(session) == ["before"]


def test_parts_within_parts_are_undone_one_by_one(session: Writing) -> None:
    with session.together(), session.part():
        session.add(Person(name="外"))
        session.flush()
        undone(session, "a")
        with session.part():
            session.add(Person(name="内"))
    session.commit()

    assert names(session) == ["外", "内"]
    assert slots(session) == []


def test_all_of_it_is_undone_when_a_bug_breaks_one(session: Writing) -> None:
    session.add(Person(name="先"))
    with suppress(ZeroDivisionError), session.together():
        with session.part():
            session.add(Person(name="张三"))
        session.later(RUNS, [run("a")])
        raise ZeroDivisionError
    session.commit()

    assert names(session) == ["先"]
    assert slots(session) == []


def test_all_of_it_is_undone_when_the_database_refuses_one(session: Writing) -> None:
    session.add(Person(name="先"))
    with suppress(IntegrityError), session.together(), session.part():
        session.add(Person(name="张三"))
        session.later(RUNS, [run("a"), run("a")])
        slots(session)
    session.commit()

    assert names(session) == ["先"]
    assert slots(session) == []


def test_a_part_without_writing_costs_the_database_nothing(session: Writing) -> None:
    said: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: said.append(given[2]))
    with session.together(), session.part():
        session.later(RUNS, [run("a")])

    orders = [statement.split()[0] for statement in said]
    assert [order for order in orders if order != "BEGIN"] == ["SAVEPOINT", "INSERT", "RELEASE"]
