"""What nobody has taken on in time is late, long before it would have to be dealt with."""

from dataclasses import replace

from handlers.boards import board_counts
from handlers.handling import Accept
from handlers.lists import is_overdue
from handlers.work import Reading
from tests.handlers.office import Office


def counts(desk: Office, number: int) -> tuple[tuple[int, int], bool]:
    """What the leader's board counts, and how it shows the case."""
    world = desk.world
    world.commit()
    with world.desk.reading(desk.who("leader")) as opened:
        reading: Reading = replace(opened, now=world.now)
        case = world.row(number)
        return board_counts(reading), is_overdue(reading, case)


def test_a_case_that_climbed_is_late_until_somebody_takes_it_on(desk: Office) -> None:
    number = desk.reports()
    fresh = counts(desk, number)
    owner = desk.case(number).owner_id
    for _ in range(40):
        desk.wait(hours=3)
        if desk.case(number).owner_id != owner:
            break
    climbed = counts(desk, number)
    due = desk.case(number).resolve_due
    taker = next(a.name for a in desk.world.actors if a.id == desk.case(number).owner_id)
    desk.does(taker, Accept(incident=number))

    assert fresh == ((1, 0), False)
    assert due is not None
    assert due > desk.world.now
    assert climbed == ((1, 1), True)
    assert counts(desk, number) == ((1, 0), False)
