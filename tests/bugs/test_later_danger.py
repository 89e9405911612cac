"""Words of danger that came after the report and alarmed nobody."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from handlers.amending import AddMaterial, Reword
from handlers.command import Command
from handlers.handling import Accept
from handlers.rating import Explain
from tests.handlers.office import Office

FIRE = "3栋2单元着火了"
WAYS: dict[str, Callable[[int], Command]] = {
    "reworded": lambda number: Reword(incident=number, what=FIRE),
    "added": lambda number: AddMaterial(incident=number, note=FIRE),
    "explained": lambda number: Explain(incident=number, note=FIRE),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_danger_told_later_alarms_the_whole_ladder(desk: Office, way: str) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    for seat in ("worker", "community", "town", "resident"):
        desk.told(seat)

    desk.does("resident", WAYS[way](number))

    case = desk.case(number)
    assert case.danger is not None
    assert case.grade == desk.world.book.incidents.danger_grade
    assert "incident.new" in desk.told("worker")
    assert "incident.alarm" in desk.told("community")
    assert "incident.alarm" in desk.told("town")
    assert "report.filed_danger" in desk.told("resident")


def test_the_clock_of_a_danger_begins_when_it_is_told(desk: Office) -> None:
    number = desk.reports("worker")
    desk.wait(hours=5)

    desk.does("worker", Reword(incident=number, what=FIRE))

    assert desk.case(number).resolve_due > desk.world.now


def test_material_has_limits() -> None:
    for fields in ({"lat": 91.0}, {"lon": -181.0}, {"note": "字" * 2001}, {"media": ("a",) * 51}):
        with pytest.raises(ValidationError):
            AddMaterial.model_validate({"incident": 1001, **fields})
