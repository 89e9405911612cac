"""Reporters whose name was asked to be kept, and was not."""

import pytest

from handlers.amending import Reword
from handlers.handling import Accept
from handlers.merging import Merge
from handlers.pressing import Urge
from handlers.timeline import timeline
from handlers.work import Reading
from models import Incident, Privacy
from tests.handlers.office import Office


def signed(desk: Office, number: int) -> dict[str, str]:
    """Who stands beside each move in the timeline, as a leader reads it."""
    world = desk.world
    reading = Reading(world.session, world.now, world.book, world.tree, desk.who("town"))
    incident = world.session.get(Incident, number)
    assert incident is not None
    events = [str(event.move) for event in world.events(number)]
    return dict(zip(events, (line.who for line in timeline(reading, incident)), strict=True))


@pytest.mark.parametrize(("privacy", "shown"), [(Privacy.ANONYMOUS, "匿名群众"), (Privacy.SECRET, "保密")])
def test_a_workers_hidden_report_is_not_signed(desk: Office, privacy: Privacy, shown: str) -> None:
    number = desk.reports("worker2", privacy=privacy)
    desk.does("worker2", Reword(incident=number, what="3栋楼下两盏路灯坏了"))
    desk.does("worker", Accept(incident=number))

    found = signed(desk, number)

    assert {found[move] for move in ("report", "triage", "dispatch", "note")} == {shown}
    assert desk.who("worker").name in found["accept"]


def test_an_open_report_is_signed(desk: Office) -> None:
    number = desk.reports("worker2")

    assert desk.who("worker2").name in signed(desk, number)["report"]


def test_who_has_the_case_is_not_told_to_be_its_reporter_by_a_missing_name(desk: Office) -> None:
    number = desk.reports("worker", privacy=Privacy.ANONYMOUS)
    desk.does("worker", Accept(incident=number))

    found = signed(desk, number)

    assert found["report"] == "匿名群众"
    assert desk.who("worker").name in found["accept"]


def test_a_hidden_report_stays_hidden_in_the_case_it_was_merged_into(desk: Office) -> None:
    main = desk.reports("resident")
    hidden = desk.reports("worker2", privacy=Privacy.ANONYMOUS)
    desk.does("worker", Merge(incident=hidden, into=main))
    desk.does("worker2", Urge(incident=hidden))

    assert signed(desk, main)["urge"] == "匿名群众"
