"""Single changes of the tree: what goes where, who is told, who may, and what stays."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlmodel import col

from handlers.catalogue import COMMANDS
from handlers.command import Command
from handlers.dispatching import ReturnCase
from handlers.funnel import ShowFunnel
from handlers.grids.spans import SPANS
from handlers.grids.tallies import recount, tallies
from handlers.regridding import MergeGrids, MoveGrid, RenameGrid, SplitGrid
from models import AuditLine, Grid, Household, Member, Person, Post
from tests.handlers.office import Office, office

HOMES = Household.__table__  # type: ignore[attr-defined]
LIVES = Member.__table__  # type: ignore[attr-defined]


def grid(desk: Office, name: str, *, above: str = "") -> int:
    """A grid of today, by its name and that of what it lies in."""
    tree = desk.world.desk.tree(desk.world.session)
    found = [node for node in tree.nodes.values() if node.name == name]
    return next(
        node.id for node in found if not above or above in [upper.name for upper in tree.upward(node.id)]
    )


def settle(desk: Office, at: int, *homes: tuple[str, str, str]) -> None:
    """Households with one resident each: building, door, name."""
    session = desk.world.session
    for building, door, name in homes:
        person = session.execute(select(col(Person.id)).where(col(Person.name) == name)).scalars().first()
        if person is None:
            row = Person(name=name, home_grid_id=at)
            session.add(row)
            session.flush()
            person = row.id
        home = Household(grid_id=at, address=building, door=door)
        session.add(home)
        session.flush()
        values = {"household_id": home.id, "person_id": person, "head": True, "since": desk.world.now}
        session.execute(insert(LIVES).values(values))
    recount(session, desk.world.now, [at])


def test_households_go_with_their_buildings_and_the_rest_with_the_rest(desk: Office) -> None:
    first = grid(desk, "第一网格")
    settle(
        desk, first, ("3栋", "101", "王芳"), ("13栋", "1", "甲"), ("5栋2单元", "2", "乙"), ("8栋", "3", "丙")
    )
    done = desk.does("town", SplitGrid(grid=first, parts="东片（3-5栋）、西片", sure=True))
    east, west = done.data["parts"]["东片"], done.data["parts"]["西片"]
    homes = desk.world.session.execute(select(HOMES.c.address, HOMES.c.grid_id)).all()

    assert dict(map(tuple, homes)) == {"3栋": east, "5栋2单元": east, "13栋": west, "8栋": west}
    found = tallies(desk.world.session)
    assert (found[east], found[west], found.get(first)) == ((2, 2), (2, 2), None)
    person = desk.world.session.get(Person, desk.id("resident"), populate_existing=True)
    assert person is not None
    assert person.home_grid_id == east


def test_what_a_split_grid_was_stays_what_it_was(desk: Office) -> None:
    number = desk.reports()
    desk.world.now += timedelta(hours=1)
    first = grid(desk, "第一网格")
    before = desk.does("community", ShowFunnel()).data["total"]
    desk.does("town", SplitGrid(grid=first, parts="东片、西片（3栋）", sure=True))
    row = desk.world.session.get(Grid, first, populate_existing=True)

    assert row is not None
    assert row.valid_to == desk.world.now
    assert first not in desk.world.desk.tree(desk.world.session).nodes
    assert desk.case(number).owner_id == desk.id("worker")
    assert f"/{first}/" in desk.case(number).opened_in
    assert desk.does("community", ShowFunnel()).data["total"] == before == 1
    lines = desk.world.session.execute(select(SPANS).where(SPANS.c.grid_id == first)).all()
    assert [line.valid_to for line in lines] == [desk.world.now]


def test_codes_go_on_and_never_come_twice(desk: Office) -> None:
    first = grid(desk, "第一网格")
    done = desk.does("town", SplitGrid(grid=first, parts="东片、西片", sure=True))
    tree = desk.world.desk.tree(desk.world.session)
    codes = [tree.nodes[part].code for part in done.data["parts"].values()]
    again = desk.does("town", SplitGrid(grid=done.data["parts"]["东片"], parts="东片、中片", sure=True)).data[
        "parts"
    ]
    later = [desk.world.desk.tree(desk.world.session).nodes[part].code for part in again.values()]

    assert len({*codes, *later}) == 4
    assert all(code[:12] == tree.nodes[grid(desk, "幸福社区")].code[:12] for code in (*codes, *later))


def test_the_same_door_in_two_grids_stays_two_doors(desk: Office) -> None:
    first, second = grid(desk, "第一网格"), grid(desk, "第二网格")
    settle(desk, first, ("1栋", "101", "甲"))
    settle(desk, second, ("1栋", "101", "乙"))
    desk.does("town", MergeGrids(grid=second, into=first, called="东片", sure=True))
    homes = desk.world.session.execute(select(HOMES.c.address, HOMES.c.grid_id).order_by(HOMES.c.id)).all()
    tree = desk.world.desk.tree(desk.world.session)

    assert list(map(tuple, homes)) == [("1栋", first), ("第二网格1栋", first)]
    assert tallies(desk.world.session)[first] == (2, 2)
    assert {"第一网格", "第二网格"} <= set(tree.nodes[first].aliases)
    assert tree.today(second) == first
    names = [tree.nodes[child].name for child in tree.children[first]]
    assert len(names) == len(set(names)) == 20
    assert "第二网格3栋" in names
    held = desk.world.session.execute(
        select(col(Post.person_id)).where(col(Post.grid_id) == first, col(Post.until).is_(None))
    )
    assert {desk.id("worker"), desk.id("worker2")} <= set(held.scalars())


def test_a_case_with_somebody_of_the_old_line_goes_to_the_new_one(desk: Office) -> None:
    number = desk.reports()
    desk.does("worker", ReturnCase(incident=number, reason="要社区出面"))
    village = grid(desk, "平安村")
    desk.does("town", MoveGrid(grid=grid(desk, "第一网格"), to=village, sure=True))
    tree = desk.world.desk.tree(desk.world.session)

    assert desk.case(number).owner_id in tree.keepers(village)
    assert desk.moves(number)[-1] == "hand_over"
    assert "grid.told" in desk.told("community")
    assert "hand_over.reporter" in desk.told("resident")


def test_deeds_stand_in_the_audit(desk: Office) -> None:
    first = grid(desk, "第一网格")
    desk.does("town", RenameGrid(grid=first, called="东片"))
    desk.world.commit()
    lines = desk.world.session.execute(select(AuditLine)).scalars().all()

    assert [(line.what, line.subject_kind, line.subject_id) for line in lines] == [("rename", "grid", first)]


def refusals(desk: Office) -> list[tuple[str, Command, str]]:
    county, town, community = grid(desk, "星河县"), grid(desk, "桂花镇"), grid(desk, "幸福社区")
    first, second, village = grid(desk, "第一网格"), grid(desk, "第二网格"), grid(desk, "平安村")
    two = "甲、乙"
    return [
        ("county", SplitGrid(grid=county, parts=two, sure=True), "grid.top"),
        ("town", SplitGrid(grid=town, parts=two, sure=True), "grid.own"),
        ("town", RenameGrid(grid=county, called="甲"), "grid.not_found"),
        ("town", SplitGrid(grid=first, parts="甲", sure=True), "split_grid.parts_wrong"),
        ("town", SplitGrid(grid=first, parts="甲、甲", sure=True), "split_grid.parts_wrong"),
        ("town", SplitGrid(grid=first, parts="第二网格、乙", sure=True), "grid.name_taken"),
        ("town", SplitGrid(grid=first, parts="甲（99栋）、乙", sure=True), "split_grid.not_there"),
        ("town", SplitGrid(grid=first, parts=two), "grid.sure"),
        ("town", MergeGrids(grid=first, into=first, sure=True), "merge_grids.same"),
        ("town", MergeGrids(grid=first, into=village, sure=True), "merge_grids.levels"),
        ("town", MergeGrids(grid=first, into=second), "grid.sure"),
        ("town", MoveGrid(grid=community, to=first, sure=True), "move_grid.circle"),
        ("town", MoveGrid(grid=first, to=community, sure=True), "move_grid.same"),
        ("town", MoveGrid(grid=first, to=town, sure=True), "move_grid.levels"),
        ("town", MoveGrid(grid=first, to=village), "grid.sure"),
        ("town", RenameGrid(grid=first, called="第二网格"), "grid.name_taken"),
        ("town", RenameGrid(grid=first, called="第一网格"), "rename_grid.same"),
        ("town", RenameGrid(grid=99_999, called="甲"), "grid.not_found"),
    ]


def test_what_does_not_fit_is_refused(desk: Office) -> None:
    for seat, command, wanted in refusals(desk):
        assert desk.refused(seat, command) == wanted, command


@pytest.mark.parametrize("seat", ["resident", "worker", "community", "unit", "leader"])
def test_who_may_not_bring_in_grids_may_not_change_them(seat: str, desk: Office) -> None:
    assert desk.refused(seat, RenameGrid(grid=grid(desk, "第一网格"), called="甲")) == "refusal.not_allowed"


def test_a_late_report_to_a_grid_that_is_no_more_reaches_its_heir(desk: Office) -> None:
    first, second = grid(desk, "第一网格"), grid(desk, "第二网格")
    desk.does("town", MergeGrids(grid=first, into=second, sure=True))
    number = desk.reports(grid=first)

    assert desk.case(number).grid_id == second
    assert desk.case(number).owner_id in (desk.id("worker"), desk.id("worker2"))


def test_both_databases_keep_the_same_spans(migrated_url: str) -> None:
    with office("default", migrated_url) as desk:
        number = desk.reports()
        desk.world.now += timedelta(hours=1)
        first, village = grid(desk, "第一网格"), grid(desk, "平安村")
        desk.does("town", MoveGrid(grid=first, to=village, sure=True))
        desk.does("town", SplitGrid(grid=first, parts="东片（3栋）、西片", sure=True))
        west, east = grid(desk, "西片"), grid(desk, "东片")
        desk.does("town", MergeGrids(grid=west, into=east, called="一片", sure=True))
        spans = desk.world.session.execute(select(SPANS).where(SPANS.c.valid_to.is_not(None))).all()

        assert desk.does("community", ShowFunnel()).data["total"] == 1
        assert desk.case(number).owner_id == desk.id("worker")
        assert {row.name for row in spans} >= {"第一网格", "3栋"}
    assert "split_grid" in COMMANDS
