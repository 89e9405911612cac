"""Whoever asked for silence keeps it when cases are merged, and whoever has left reads nothing more."""

from handlers.actor import Actor
from handlers.handling import Accept
from handlers.merging import Merge
from handlers.refusal import NotFound
from handlers.showing import Show
from handlers.work import Reading
from models import Privacy
from tests.handlers.office import LAMP, Office
from web.cases import case_view


def reading(desk: Office, seat: str) -> Reading:
    world = desk.world
    return Reading(world.session, world.now, world.book, world.tree, desk.who(seat))


def test_a_merged_report_keeps_its_writer_hidden(desk: Office) -> None:
    main = desk.reports()
    other = desk.reports("neighbour", "3号楼下面的路灯不亮了", privacy=Privacy.SECRET)
    desk.does("worker", Merge(incident=other, into=main))

    view = case_view(reading(desk, "community"), main)

    assert sorted(line.name for line in view.people if line.part == "上报人") == ["保密", "王*"]


def test_nobody_gets_to_read_a_secret_report_by_a_merger(desk: Office) -> None:
    secret = desk.reports(what=LAMP + "，是王某砸的", privacy=Privacy.SECRET)
    other = desk.reports("neighbour", "3号楼下面的路灯不亮了")

    assert desk.refused("worker", Merge(incident=other, into=secret)) == "merge.private"


def test_somebody_whose_post_has_ended_sees_the_case_no_more(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", Accept(incident=number))
    former = Actor(desk.id("worker"), "李强")

    outcome = desk.world.do(former, Show(incident=number), chat=True).outcome

    assert isinstance(outcome, NotFound)
