"""Day cards in the morning: as many questions to the database for fifty workers as for five."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from handlers.command import Done, perform
from handlers.day_cards import SendDayCards, todo_cases
from handlers.dispatching import Join
from handlers.handling import Accept
from handlers.lists import is_overdue
from handlers.tree import registry_changed
from handlers.work import Reading, Work
from models import Incident, Part, Participant, Person, Post
from tests.handlers.office import Office

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
"""8 o'clock in the town."""


def hire(desk: Office, number: int, many: int) -> None:
    """More workers of the worker's own grid, each with two copies of a case and a part in the next one's."""
    session, grid = desk.world.session, desk.who("worker").posts[0].grid_id
    session.expunge_all()
    model = session.get(Incident, number)
    assert model is not None
    fields = model.model_dump(exclude={"id"})
    people = [Person(name=f"新人{at}") for at in range(many)]
    session.add_all(people)
    session.flush()
    for person in people:
        assert person.id is not None
        session.add(Post(person_id=person.id, role="worker", grid_id=grid, since=MONDAY - timedelta(days=9)))
        cases = [Incident.model_validate({**fields, "owner_id": person.id}) for _ in range(2)]
        session.add_all(cases)
        session.flush()
        helper = Participant(incident_id=number, person_id=person.id, part=Part.HELPER, task="帮忙")
        session.add(helper)
    registry_changed(session)
    session.flush()


def cards_of(desk: Office, slot: str = "2026-11-24") -> tuple[dict[int, dict[str, Any]], int]:
    """What everybody is told, and how often the database was asked."""
    work: Work = desk.world.desk.work_in(desk.world.session, message_id="cards")
    bind = desk.world.session.get_bind()
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(bind, "before_cursor_execute", note)
    try:
        assert isinstance(perform(work, SendDayCards(slot=slot)), Done)
    finally:
        event.remove(bind, "before_cursor_execute", note)
    looks = [words for words in asked if words.startswith("SELECT")]
    return {mail["person_id"]: mail for mail in work._mail}, len(looks)


def test_fifty_workers_take_no_more_looks_than_five(desk: Office) -> None:
    number = desk.reports()
    hire(desk, number, 5)
    five, few = cards_of(desk)
    hire(desk, number, 45)
    fifty, many = cards_of(desk)

    assert (len(five), len(fifty)) == (6, 51)
    assert few == many == 3
    assert {mail["args"]["count"] for mail in fifty.values()} == {1, 3}


def test_a_card_of_the_morning_is_the_card_one_asks_for(desk: Office) -> None:
    late = desk.reports()
    desk.reports("neighbour", "5栋门口垃圾没人清")
    desk.wait(days=2)
    owner = desk.world.tree.staff[desk.case(late).owner_id].name
    desk.does(owner, Accept(incident=late))
    desk.does(owner, Join(incident=late, to=desk.id("worker2"), task="帮忙抽水"))

    cards, _ = cards_of(desk)

    assert {desk.id("worker2"), desk.id(owner)} <= cards.keys()
    for person, mail in cards.items():
        reading = reading_of(desk, person)
        rows = todo_cases(reading)
        lines = [(line["section"], line["number"], bool(line["late"])) for line in mail["args"]["items"]]
        assert lines == [(heading, str(case.id), is_overdue(reading, case)) for heading, case in rows]


def reading_of(desk: Office, person: int) -> Reading:
    world = desk.world
    session: Session = world.session
    return Reading(session, world.now, world.book, world.tree, world.tree.staff[person])


@pytest.mark.parametrize(
    ("hour", "said"),
    [(4, "晚上好"), (8, "早上好"), (11, "中午好"), (13, "下午好"), (17, "下午好"), (18, "晚上好")],
)
def test_a_card_greets_by_the_hour_of_the_place(desk: Office, hour: int, said: str) -> None:
    desk.reports()
    desk.world.now = datetime(2026, 11, 23, hour, tzinfo=desk.world.book.zone).astimezone(UTC)

    cards, _ = cards_of(desk)

    assert cards[desk.id("worker")]["args"]["greeting"] == said
