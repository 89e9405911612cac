"""Teams: who may hold a post, whom a grid lacks, and who goes along; told but for the last."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from handlers.actor import CLOCK
from handlers.appointing import Appoint, Dismiss
from handlers.dispatching import Dispatch, Transfer
from handlers.teams import CheckTeams, Holding, Spot, findings
from handlers.tree import registry_changed
from models import AuditLine, Part, Participant, Person, Post, Unit
from tests.handlers.office import Office, office
from tests.town import START


@pytest.fixture
def net(migrated_url: str) -> Iterator[Office]:
    """The people of a place with teams of enforcement, on each database."""
    with office("yinzhou", migrated_url) as people:
        yield people


def named(desk: Office, name: str) -> int:
    query = select(col(Person.id)).where(col(Person.name) == name)
    return int(desk.world.session.execute(query).scalar_one())


def enforcers(desk: Office) -> list[int]:
    query = select(col(Post.person_id)).where(col(Post.role) == "enforcement_team").order_by(col(Post.id))
    return list(desk.world.session.execute(query).scalars())


def test_of_a_team_that_goes_in_twos_the_colleague_comes_along(net: Office) -> None:
    number = net.reports()
    first, *others = enforcers(net)
    assert len(others) == 1
    net.does("community", Transfer(incident=number, to=first, reason="占道经营"))

    session = net.world.session
    helpers = select(col(Participant.person_id)).where(
        col(Participant.incident_id) == number, col(Participant.part) == Part.HELPER
    )
    assert list(session.execute(helpers).scalars()) == others
    assert net.moves(number)[-2:] == ["transfer", "join"]


def test_a_team_of_one_is_not_sent(net: Office) -> None:
    number = net.reports()
    first, *others = enforcers(net)
    session = net.world.session
    session.execute(update(Post).where(col(Post.person_id).in_(others)).values(until=START))
    registry_changed(session)

    assert (
        net.refused("community", Transfer(incident=number, to=first, reason="占道经营")) == "transfer.too_few"
    )
    assert net.refused("community", Dispatch(incident=number, to=first)) == "transfer.too_few"


def test_a_duty_of_a_unit_brings_it_the_case_and_the_backstop_what_nobody_does(net: Office) -> None:
    session = net.world.session
    unit = session.execute(select(Unit).order_by(col(Unit.id))).scalars().first()
    assert unit is not None
    lamp = net.case(net.reports())
    kind = net.world.book.category(lamp.category)
    session.execute(update(Unit).where(col(Unit.id) == unit.id).values(duties=[kind.parent or kind.code]))
    registry_changed(session)

    assert net.case(net.reports("neighbour", what="5栋楼下路灯不亮")).unit_id == unit.id


def test_rules_are_compared_with_posts(net: Office) -> None:
    found = net.does("town", CheckTeams()).data["findings"]
    by_subject = {one["subject"]: one for one in found}
    assert by_subject["1+3 微网格"]["total"] >= 2
    lacking = dict(by_subject["1+3+N 网格"]["misfits"])
    assert all("微网格员" in what for what in lacking.values())
    assert net.refused("resident", CheckTeams()) == "refusal.not_allowed"
    assert net.refused("worker", CheckTeams()) == "refusal.not_allowed"


def test_a_post_is_given_warned_of_and_taken_away(net: Office) -> None:
    net.does("community", Appoint(post="贺新 第一网格 专职网格员 13900001234"))
    person = named(net, "贺新")
    assert net.refused("community", Appoint(post="贺新 第一网格 专职网格员")) == "appoint.already"
    net.does("community", Appoint(post="贺新 第二网格 专职网格员"))
    net.does("community", Dismiss(post="贺新 第一网格"))
    assert net.refused("community", Dismiss(post="贺新")) == "dismiss.last"

    deeds = select(col(AuditLine.what)).where(col(AuditLine.subject_id) == person).order_by(col(AuditLine.id))
    net.world.session.commit()
    assert list(net.world.session.execute(deeds).scalars()) == ["appoint", "appoint", "dismiss"]


def test_eligibility_is_a_warning_and_unknown_is_no_fault(sqlite_url: str) -> None:
    held = [
        Holding("a", "甲", "worker", (1,), ("村民代表",)),
        Holding("b", "乙", "worker", (2,), ("热心群众",)),
        Holding("c", "丙", "worker", (3,)),
        Holding("d", "丁", "section_keeper", (4,), ("乡镇包村干部",)),
    ]
    with office("minhou", sqlite_url) as people, people.world.desk.reading(CLOCK) as reading:
        found = {one.subject: one for one in findings(reading, [Spot(9, "九队", "team", "base")], held)}

    assert found["队长"].misfits == (("乙", "热心群众"),)
    assert (found["队长"].total, found["队长"].unknown) == (3, 1)
    assert found["片长"].misfits == ()
    assert found["队"].misfits == (("九队", "缺队长1人"),)
