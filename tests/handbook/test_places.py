"""Every place's book opens, cites its source, writes down only what differs, and stays as it is."""

import copy
import pickle
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from handbook import Book, open_book
from handbook.agreement import stands_in
from handbook.frozen import Fixed
from handbook.loading import DEFAULT, places, read_sections
from handbook.schema import CategoryHint
from handbook.spans import Span
from tests.handbook.books import book_of

OVERLAYS = ("minhou", "qingcao", "shexian", "yinzhou", "yulin")
STATES = {
    *(
        "registered",
        "triaged",
        "dispatched",
        "accepted",
        "on_site",
        "handled",
        "verified",
        "waiting_reporter",
    ),
    *("arbitration", "returned", "paused", "merged", "withdrawn"),
    *("closed_solved", "closed_unsolved", "closed_not_ours", "closed_invalid"),
}
JOBS = ("due_cases", "day_card", "group_packs", "notices", "zero_board", "watch", "stale_talks", "retention")

ARTICLES = {
    "minhou": (
        "小团队、细网格",
        "2021-11-02",
        ("10户", "349", "1758", "12165", "2107", "8715", "3163", "298"),
    ),
    "qingcao": (
        "青草镇",
        "2022-04-15",
        ("22", "50", "165", "144", "102", "39", "3件", "100%", "34.2%", "28"),
    ),
    "yulin": (
        "一网三统三进",
        "2023-07-11",
        ("300", "500", "110", "172", "54408", "6000", "760", "5370", "744"),
    ),
    "shexian": ("歙县", "2024-06-29", ("77", "62", "1200", "52", "347", "478", "41", "35", "13")),
    "yinzhou": ("鄞州", "2022", ("2039", "8611", "300", "500", "1200", "4万", "587", "99%", "600", "650.16")),
}


@pytest.fixture(params=places())
def book(request: pytest.FixtureRequest) -> Book:
    return book_of(request.param)


def test_the_default_comes_first_and_the_five_places_follow() -> None:
    assert places() == (DEFAULT, *OVERLAYS)


def test_every_place_opens_the_same_way_twice(book: Book) -> None:
    again = open_book(book.key)

    assert again.version == book.version
    assert again.data == book.data


def test_no_two_places_have_the_same_version() -> None:
    assert len({book_of(place).version for place in places()}) == len(places())


def test_the_helpers_are_made_once_and_know_the_book(book: Book) -> None:
    assert set(book.calendars) == set(book.hours)
    assert book.calendars is book.calendars
    assert str(book.zone) == "Asia/Shanghai"
    assert book.kinds is book.kinds
    assert book.danger is book.danger
    assert book.phrases is book.phrases
    assert [book.level_index(level.key) for level in book.levels] == list(range(len(book.levels)))
    assert book.grade(book.incidents.danger_grade).tell_whole_ladder
    assert all(book.role_name(key) == role.name for key, role in book.roles.items())
    assert all(book.level(level.key) is level for level in book.levels)
    assert all(book.category(category.code) is category for category in book.categories)
    assert all(book.danger_kind(key).advice for key in book.data.danger.kinds)


def test_what_the_book_does_not_hold_is_a_key_error(book: Book) -> None:
    for look_up in (book.level, book.grade, book.role_name, book.category, book.danger_kind, book.text):
        with pytest.raises(KeyError):
            look_up("nosuch")
    assert book.category_or_none("nosuch") is None


def test_every_state_has_a_short_word_and_nothing_else_has(book: Book) -> None:
    assert set(book.incidents.stages) == STATES
    assert all(0 < len(word) <= 14 for word in book.incidents.stages.values())


def test_every_hint_has_a_grade_and_danger_is_watched_day_and_night(book: Book) -> None:
    assert set(book.incidents.grade_of) == set(get_args(CategoryHint))
    danger = book.grade(book.incidents.danger_grade)
    assert book.calendars[danger.calendar].round_the_clock
    assert danger.arrive is not None
    assert danger.daily_zero


def test_every_job_has_its_time(book: Book) -> None:
    assert set(book.schedule) == set(JOBS)


@pytest.mark.parametrize("ability", ["assign", "review", "arbitrate", "oversee", "inspect"])
def test_somebody_may_do_whatever_a_case_needs(book: Book, ability: str) -> None:
    holders = {post.role for post in _everybody(book)}

    assert any(ability in book.roles[role].may for role in holders)


def test_the_arbiters_keeper_may_arbitrate(book: Book) -> None:
    keeper = {level.key: level.keeper for level in book.levels}[book.incidents.arbiter_level]

    assert keeper is not None
    assert "arbitrate" in book.roles[keeper].may


def test_whoever_stands_on_a_ladder_may_handle_a_case(book: Book) -> None:
    keepers = {level.key: level.keeper for level in book.levels}
    for grade in book.incidents.grades.values():
        for step in grade.ladder:
            assert "handle" in book.roles[keepers[step.to] or ""].may


def test_yulin_follows_its_five_steps() -> None:
    steps = ("群众反映", "信息收集", "分类派遣", "问题处置", "反馈评价")
    words = book_of("yulin").incidents.stages.values()

    assert all(word.startswith(steps) for word in words)
    assert {word.split("·")[0] for word in words} == set(steps)


def test_shexian_clears_small_cases_the_same_day_and_big_ones_daily() -> None:
    rules = book_of("shexian").incidents
    grades = rules.grades

    assert list(grades) == ["a", "b", "c", "danger"]
    assert rules.danger_grade == "danger"
    assert grades["danger"].ladder[0].resolve == Span.parse("2h wall")
    assert grades["a"].ladder[0].resolve == Span.parse("0d")
    assert grades["b"].ladder[0].resolve == Span.parse("24h wall")
    assert [grade.daily_zero for grade in grades.values()] == [False, False, True, True]
    assert all(grade.ladder[-1].to == "town" for grade in grades.values())


def test_minhou_climbs_from_team_to_section_to_district() -> None:
    grades = book_of("minhou").incidents.grades

    assert [step.to for step in grades["general"].ladder] == ["team", "section", "district"]
    assert grades["general"].ladder[0].resolve == Span.parse("48h")
    assert [step.to for step in grades["coordinated"].ladder] == ["section", "district"]
    assert grades["coordinated"].ladder[0].resolve == Span.parse("72h")
    assert grades["sudden"].ladder[0].to == "team"
    assert grades["sudden"].arrive == Span.parse("15m wall")
    assert grades["sudden"].tell_whole_ladder


def test_qingcao_hands_on_from_the_party_group_to_the_village_to_the_town() -> None:
    ladder = book_of("qingcao").grade("general").ladder

    assert [step.to for step in ladder] == ["third", "first", "town"]


def test_yinzhou_gives_level_three_to_the_town_and_level_four_to_the_district() -> None:
    book = book_of("yinzhou")

    assert [book.grade(f"level{n}").name for n in (1, 2, 3, 4)] == [
        "一级事件",
        "二级事件",
        "三级事件",
        "四级事件",
    ]
    assert book.grade("level3").ladder[0].to == "town"
    assert book.grade("level4").ladder[0].to == "county"


@pytest.mark.parametrize("place", OVERLAYS)
def test_the_article_is_cited_with_its_numbers(place: str) -> None:
    title, date, numbers = ARTICLES[place]
    source = book_of(place).place.source

    assert title in source.title
    assert source.date.startswith(date)
    assert [number for number in numbers if number not in " ".join(source.says)] == []


def test_every_assumption_stands_in_the_book_and_has_a_reason(book: Book) -> None:
    assumed = book.place.source.assumed

    assert [path for path in assumed if not stands_in(book.data, path)] == []
    assert all(len(reason) >= 6 for reason in assumed.values())


@pytest.mark.parametrize("place", places())
def test_every_number_of_ours_is_marked_as_ours(place: str) -> None:
    sections = read_sections(place).plain()
    assumed = sections["place"]["source"].get("assumed", {})
    ours = [
        path
        for section in ("hours", "incidents", "schedule")
        for path, value in _leaves(sections.get(section, {}), section)
        if any(sign.isdigit() for sign in str(value)) and value is not None
    ]

    assert [path for path in ours if not _covered(path, assumed)] == []


@pytest.mark.parametrize("place", OVERLAYS)
def test_an_overlay_holds_only_what_differs(place: str) -> None:
    default, own = read_sections(DEFAULT).plain(), read_sections(place).plain()

    assert list(_same(default, own)) == []


def test_the_same_in_default_and_overlay_would_be_found() -> None:
    default = {"roles": {"worker": {"name": "网格员", "may": ["report"]}}, "town": {"a": 1}}
    own = {"roles": {"worker": {"name": "队长", "may": ["report"]}}, "town": {"a": 1, "b": 2}}

    assert list(_same(default, own)) == ["roles.worker.may"]


def test_the_book_cannot_be_changed(book: Book) -> None:
    with pytest.raises(FrozenInstanceError):
        book.version = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        book.data.incidents.undo_minutes = 9  # type: ignore[misc]
    with pytest.raises(TypeError, match="the book is frozen"):
        book.data.roles["worker"] = book.roles["resident"]
    for change in ("clear", "popitem", "update", "pop", "setdefault"):
        with pytest.raises(TypeError, match="the book is frozen"):
            getattr(book.data.incidents.stages, change)()


def test_nothing_in_the_book_is_left_open_to_change(book: Book) -> None:
    assert [part for part in _parts(book.data) if isinstance(part, list) or type(part) is dict] == []


def test_a_frozen_mapping_can_still_be_copied_and_sent() -> None:
    fixed = Fixed(name="网格员")

    assert copy.deepcopy(fixed) == fixed
    assert pickle.loads(pickle.dumps(fixed)) == fixed  # noqa: S301
    assert fixed | {"more": 1} == {"name": "网格员", "more": 1}


def _everybody(book: Book) -> Iterator[Any]:
    def below(grid: Any) -> Iterator[Any]:
        yield from grid.people
        for child in grid.children:
            yield from below(child)

    yield from below(book.town.tree)
    for unit in book.town.units:
        yield from unit.people


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}")
    else:
        yield path, value


def _covered(path: str, assumed: dict[str, str]) -> bool:
    return any(path == known or path.startswith(f"{known}.") for known, reason in assumed.items() if reason)


def _same(default: Any, own: Any, path: str = "") -> Iterator[str]:
    """Walk down where mappings join; a town is one whole."""
    for key, part in own.items():
        here = f"{path}{key}"
        if isinstance(part, dict) and isinstance(default.get(key), dict) and here != "town":
            yield from _same(default[key], part, f"{here}.")
        elif here == "categories":
            known = {category["code"]: category for category in default[key]}
            for category in part:
                fresh = {name: value for name, value in category.items() if name != "code"}
                yield from _same(known.get(category["code"], {}), fresh, f"{here}.{category['code']}.")
        elif key in default and default[key] == part:
            yield here


def _parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, BaseModel):
        below: Any = value.__dict__.values()
    elif isinstance(value, dict):
        below = value.values()
    else:
        below = value if isinstance(value, (tuple, list)) else ()
    for part in below:
        yield from _parts(part)
