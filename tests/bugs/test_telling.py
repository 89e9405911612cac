"""People who were told too late, or not at all."""

from sqlalchemy import select
from sqlmodel import col

from handlers.amending import Relocate
from handlers.dispatching import Arbitrate, Dispatch, Join, ReturnCase
from handlers.handling import Accept, Finish, Rework
from handlers.requesting import Suspend
from handlers.work import MAIL
from models import Grid
from tests.handlers.office import Office

ORDERS = {
    "return.upper": "mine",
    "arbitrate.asked": "mine",
    "arbitrate.owner": "not_accepted",
    "rework.owner": "mine",
    "auto_return.upper": "mine",
    "join.helper": "open",
    "join.part_done": "mine",
    "incident.alarm": "open",
}
"""Mail which asks somebody to do something must still be true when it goes out."""


def test_an_order_is_not_sent_when_it_is_no_longer_due(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Join(incident=number, to=desk.id("worker2"), task="帮忙"))
    for _ in range(2):
        desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))
        desk.does("community", Dispatch(incident=number, to=desk.id("worker")))
    desk.does("worker", ReturnCase(incident=number, reason="不在我的网格"))
    desk.does("town", Arbitrate(incident=number, to=desk.id("worker"), reason="在一网格"))
    fire = desk.reports("neighbour", "3栋2单元着火了")
    desk.does("worker", Accept(incident=fire))
    desk.does("worker", Finish(incident=fire, result="火已扑灭"))
    desk.does("community", Rework(incident=fire, reason="还有余火"))

    rows = desk.world.session.execute(select(MAIL.c.text, MAIL.c.still).where(MAIL.c.text.in_(ORDERS)))
    found = dict(tuple(row) for row in rows)
    assert found == {text: ORDERS[text] for text in found}
    assert set(ORDERS) - set(found) == {"auto_return.upper", "join.part_done"}


def test_whoever_rests_a_case_hears_that_it_goes_on(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    desk.does("worker", Suspend(incident=number, span="2天", reason="等天晴"))
    desk.grants("community", number)
    desk.told("worker")

    desk.wait(days=4)

    assert desk.case(number).state == "accepted"
    assert "resume.done" in desk.told("worker")


def test_who_loses_a_case_by_a_new_place_need_not_go_there(desk: Office) -> None:
    number = desk.reports()
    query = select(col(Grid.id)).where(col(Grid.name) == "5栋").order_by(col(Grid.id))
    second = list(desk.world.session.execute(query).scalars())[-1]
    assert second is not None
    desk.told("worker")

    desk.does("resident", Relocate(incident=number, grid=second))

    assert desk.case(number).owner_id == desk.id("worker2")
    assert desk.told("worker") == ["transfer.former"]
