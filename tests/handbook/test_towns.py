"""The demo towns: real names above, a branch on which a case can climb, and nobody real."""

import csv
import math
import re
from itertools import pairwise

import pytest

from handbook import Book
from handbook.loading import DEFAULT, HERE, places
from handbook.schema import TownPost
from handbook.town import Spot, named, spots
from tests.handbook.books import book_of

SEATS = {"resident", "neighbour", "worker", "worker2", "community", "town", "leader", "unit"}
VILLAGE_WORDS = re.compile(r"(村村委会|村民委员会|村委会|社区居民委员会|社区居委会|居委会|社区|村)$")


@pytest.fixture(params=places())
def book(request: pytest.FixtureRequest) -> Book:
    return book_of(request.param)


@pytest.fixture(scope="module")
def divisions() -> dict[str, tuple[str, ...]]:
    """Twelve-digit code -> names from the county down, of all counties, towns and villages in the table."""
    found: dict[str, tuple[str, ...]] = {}
    with (HERE / "divisions" / "villages.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            above = (row["area"], row["street"])
            found[row["areaCode"] + "000000"] = above[:1]
            found[row["streetCode"] + "000"] = above
            found[row["code"]] = (*above, row["name"])
    return found


def all_spots(book: Book) -> tuple[Spot, ...]:
    return tuple(spots(book.town.tree))


def posts(book: Book) -> list[TownPost]:
    found = [post for spot in all_spots(book) for post in spot.people]
    return found + [post for unit in book.town.units for post in unit.people]


def keepers_above(book: Book, home: Spot) -> dict[str, list[str]]:
    """Level -> names of those who keep a grid of it on the way from a home to the root."""
    keeper = {level.key: level.keeper for level in book.levels}
    branch = [spot for spot in all_spots(book) if home.lies_in(spot)]
    return {spot.level: [p.name for p in spot.people if p.role == keeper[spot.level]] for spot in branch}


@pytest.mark.parametrize("place", [place for place in places() if place != DEFAULT])
def test_counties_towns_and_villages_are_real(place: str, divisions: dict[str, tuple[str, ...]]) -> None:
    coded = {spot.code: spot for spot in all_spots(book_of(place)) if spot.code}

    assert len(coded) >= 1 + 2 + 6
    for code, spot in coded.items():
        real = divisions[code]
        assert spot.names[:-1] == real[:-1]
        assert VILLAGE_WORDS.sub("", spot.name) == VILLAGE_WORDS.sub("", real[-1])


@pytest.mark.parametrize("place", [place for place in places() if place != DEFAULT])
def test_a_county_has_towns_and_its_towns_have_villages_all_with_codes(place: str) -> None:
    tree = book_of(place).town.tree

    assert 2 <= len(tree.children) <= 3
    assert all(3 <= len(town.children) <= 4 for town in tree.children)
    assert all(village.code for town in tree.children for village in town.children)


def test_the_default_town_claims_no_code(book: Book) -> None:
    assert bool(book.town.tree.code) == (book.key != DEFAULT)


def test_codes_are_unique(book: Book) -> None:
    codes = [spot.code for spot in all_spots(book) if spot.code]

    assert len(codes) == len(set(codes))


def test_the_tree_goes_down_level_by_level(book: Book) -> None:
    for spot in all_spots(book):
        above = [other for other in all_spots(book) if spot.names[:-1] == other.names]
        assert [book.level_index(spot.level) - book.level_index(other.level) for other in above] in ([1], [])


def test_every_grid_which_needs_a_keeper_has_one(book: Book) -> None:
    keeper = {level.key: level.keeper for level in book.levels}
    lonely = [
        spot.names
        for spot in all_spots(book)
        if keeper[spot.level] and keeper[spot.level] not in {post.role for post in spot.people}
    ]

    assert lonely == []


def test_every_rung_of_every_ladder_has_a_keeper_above_every_home(book: Book) -> None:
    for resident in book.town.residents:
        (home,) = named(book.town.tree, resident.home)
        keepers = keepers_above(book, home)
        for grade in book.incidents.grades.values():
            assert all(keepers[step.to] for step in grade.ladder)
        assert keepers[book.incidents.arbiter_level]


def test_the_ladders_climb(book: Book) -> None:
    for grade in book.incidents.grades.values():
        depths = [book.level_index(step.to) for step in grade.ladder]
        assert all(lower > upper for lower, upper in pairwise(depths))


def test_the_demo_seats_are_there_once_and_stand_on_one_branch(book: Book) -> None:
    resident_homes = {r.key: named(book.town.tree, r.home)[0] for r in book.town.residents if r.key}
    home = resident_homes["resident"]
    seats = {post.key: spot for spot in all_spots(book) for post in spot.people if post.key}
    units = {post.key for unit in book.town.units for post in unit.people if post.key}

    assert not SEATS - seats.keys() - resident_homes.keys() - units
    assert resident_homes["neighbour"] == home
    assert book.level_index(seats["worker"].level) >= 3
    assert all(home.lies_in(spot) for key, spot in seats.items() if key != "worker2")
    assert seats["worker2"].names[:-1] == seats["worker"].names[:-1]
    assert seats["worker2"] != seats["worker"]


def test_every_seat_of_the_first_ladder_can_be_sat_on(book: Book) -> None:
    (resident,) = (r for r in book.town.residents if r.key == "resident")
    keepers = keepers_above(book, named(book.town.tree, resident.home)[0])
    seated = {post.name for post in posts(book) if post.key}

    for step in book.grade(book.incidents.grade_of["ordinary"]).ladder:
        assert seated & set(keepers[step.to])


def test_there_is_a_unit_with_hours_of_its_own(book: Book) -> None:
    units = book.town.units

    assert any(unit.calendar not in {None, "office"} for unit in units)
    assert all("unit_officer" in {post.role for post in unit.people} for unit in units)


def test_whoever_is_asked_first_for_a_kind_of_case_is_a_unit_of_the_town(book: Book) -> None:
    asked = {rule.unit for rule in book.incidents.by_category.values() if rule.unit}

    assert asked <= {unit.name for unit in book.town.units}
    assert bool(asked) == (book.key != DEFAULT)


def test_people_have_names_and_phones_of_their_own_which_nobody_real_has(book: Book) -> None:
    names = [post.name for post in posts(book)] + [resident.name for resident in book.town.residents]
    phones = [post.phone for post in posts(book)]

    assert len(names) == len(set(names))
    assert len(phones) == len(set(phones))
    assert all(phone and re.fullmatch(r"1380000\d{4}", phone) for phone in phones)


def test_two_places_do_not_share_a_phone() -> None:
    phones = [post.phone for place in places() for post in posts(book_of(place))]

    assert len(phones) == len(set(phones))


def test_villages_and_base_grids_have_a_place_on_the_map(book: Book) -> None:
    placed = [spot for spot in all_spots(book) if spot.kind in {"base", "exclusive"} or _is_village(spot)]

    assert len(placed) >= 5
    assert all(spot.lat and spot.lon and 18 < spot.lat < 54 and 73 < spot.lon < 136 for spot in placed)


def test_neighbouring_grids_are_a_few_hundred_metres_apart(book: Book) -> None:
    grids = [spot for spot in all_spots(book) if spot.kind in {"base", "exclusive"}]
    village = {spot: next(s for s in all_spots(book) if _is_village(s) and spot.lies_in(s)) for spot in grids}
    for spot in grids:
        others = [other for other in grids if other != spot and village[other] == village[spot]]
        apart = [_metres(spot, other) for other in others]
        assert all(distance >= 200 for distance in apart)
        assert not apart or min(apart) <= 400
        assert _metres(spot, village[spot]) <= 600


def test_buildings_are_known_by_what_people_call_them() -> None:
    (third,) = named(book_of("default").town.tree, "幸福社区/第一网格/3栋")

    assert third.names == ("星河县", "桂花镇", "幸福社区", "第一网格", "3栋")
    assert third.aliases == ("3号楼", "3幢")


def test_minhou_has_the_people_everybody_knows_by_name() -> None:
    book = book_of("minhou")
    team = next(spot for spot in all_spots(book) if spot.names[-2:] == ("第一片", "第一队"))

    assert [post.name for post in team.people if post.key == "worker"] == ["李队"]
    assert book.town.residents[0].name == "王芳"
    assert named(book.town.tree, book.town.residents[0].home) == (team,)
    assert "陈片" in keepers_above(book, team)["section"]


def test_exclusive_grids_stand_where_the_articles_have_them() -> None:
    for place, kinds in {
        "yulin": {"base", "exclusive"},
        "yinzhou": {"base", "exclusive", "micro", "granule"},
    }.items():
        assert kinds <= {spot.kind for spot in all_spots(book_of(place))}


def _is_village(spot: Spot) -> bool:
    return len(spot.names) == 3


def _metres(one: Spot, other: Spot) -> float:
    (lat, lon), (other_lat, other_lon) = _where(one), _where(other)
    east = (lon - other_lon) * math.cos(math.radians(lat))
    return 111_320 * math.hypot(lat - other_lat, east)


def _where(spot: Spot) -> tuple[float, float]:
    assert spot.lat is not None
    assert spot.lon is not None
    return spot.lat, spot.lon
