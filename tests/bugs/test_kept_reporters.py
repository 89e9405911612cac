"""People whose name went while somebody still had to ask them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers.actor import CLOCK
from handlers.residents.keeping import Retain
from handlers.residents.moving import MoveOut
from models import Incident
from models.moves import State
from tests.handlers.office import Office, office
from tests.residents.homes import lives, person


@pytest.fixture
def either(migrated_url: str) -> Iterator[Office]:
    """People of the default place, on each promised engine."""
    with office("default", migrated_url) as people:
        yield people


def test_the_reporter_of_a_case_is_kept_until_it_is_long_over(either: Office) -> None:
    number = lives(either, "3栋501", "张三")
    row = either.world.session.get(Incident, either.reports())
    assert row is not None
    row.reporter_id = number
    either.world.session.flush()
    either.does("worker", MoveOut(who="张三"))

    either.world.now += timedelta(days=190)
    either.world.do(CLOCK, Retain(), chat=False)
    assert person(either, number).name == "张三"

    row.state, row.ended_at, row.next_due = State.CLOSED_SOLVED, either.world.now, None
    either.world.session.flush()
    either.world.now += timedelta(days=100)
    either.world.do(CLOCK, Retain(), chat=False)
    assert person(either, number).name == "张三"

    either.world.now += timedelta(days=100)
    either.world.do(CLOCK, Retain(), chat=False)
    assert person(either, number).forgotten_at is not None
