"""A seal that does not open is refused like anything else that is wrong."""

import pytest

from handlers.appointing import Appoint
from handlers.command import Command
from handlers.residents.correcting import CorrectResident
from handlers.residents.entering import AddResident
from handlers.residents.marking import Mark
from tests.handlers.office import Office

GARBAGE = ["garbage", "s1:00000000:AAAA", "s1:zz"]


@pytest.mark.parametrize("sealed", GARBAGE)
def test_a_seal_that_does_not_open_is_refused(desk: Office, sealed: str) -> None:
    grid = next(node.id for node in desk.world.tree.nodes.values() if node.name == "第二网格")
    commands: list[tuple[str, Command]] = [
        ("worker", Mark(who="王芳 独居", sealed=sealed)),
        ("worker", AddResident(door="3栋501", called="张三", sealed=sealed)),
        ("worker", CorrectResident(who="张三 电话", sealed=sealed)),
        ("community", Appoint(post="王小明", grid=grid, role="worker", sealed=sealed)),
    ]
    refused = {desk.refused(who, command) for who, command in commands}

    assert refused <= {"sealed.broken", "resident.nobody", "people.nobody"}
    assert "sealed.broken" in refused
