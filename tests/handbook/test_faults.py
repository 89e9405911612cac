"""A fault in a town's own sheets stops the start and is shown where it was written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from handbook import BookError, open_book
from handbook.loading import HERE, places

Write = Callable[[str, str], None]
PLACE = "name: 试点镇\nsource: {title: 一篇报道, publisher: 报社, date: 2024-01-01}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(HERE / "default", tmp_path / "default")
    texts = tmp_path / "default" / "texts"
    texts.mkdir(exist_ok=True)
    sample = "sample:\n  greeting: 您好\n  parting.day: 再见\n"
    (texts / "sample.zh.yaml").write_text(sample, encoding="utf-8")
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    def put(name: str, text: str) -> None:
        path = folder / "spot" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    put("place.yaml", PLACE)
    return put


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(BookError) as caught:
        open_book("spot", folder)
    return caught.value.problems


def test_a_place_which_changes_only_its_name_has_the_default_book(folder: Path, write: Write) -> None:
    book, default = open_book("spot", folder), open_book("default", folder)

    assert (book.key, book.place.name) == ("spot", "试点镇")
    assert book.incidents == default.incidents
    assert book.version != default.version


def test_a_place_nobody_wrote_is_answered_with_those_there_are(folder: Path, write: Write) -> None:
    with pytest.raises(BookError, match=r"no book for '\.\./spot': there are default, spot"):
        open_book("../spot", folder)
    assert places(folder) == ("default", "spot")


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("grid.yaml", "roles:\n  worker:\n    nmae: 队长\n", "spot/grid.yaml:3: roles.worker.nmae: "),
        (
            "grid.yaml",
            "roles:\n  worker:\n    may: [report, fly]\n",
            "spot/grid.yaml:3: roles.worker.may.1: ",
        ),
        ("grid.yaml", "rolse:\n  worker: {}\n", "spot/grid.yaml:1: rolse: "),
        ("grid.yaml", "levels:\n  - key: town\n    name: 镇\n", "spot/grid.yaml:2: levels.0.keeper: "),
        (
            "incidents.yaml",
            "grades:\n  general:\n    ladder:\n    - to: grid\n      accept: 4 hours\n      resolve: 3d\n",
            "spot/incidents.yaml:5: incidents.grades.general.ladder.0.accept: ",
        ),
        ("schedule.yaml", "watch:\n  daily_at: 08:00\n", "spot/schedule.yaml:1: schedule.watch: "),
        ("hours.yaml", "office:\n  shifts:\n    mon-fri: [8-12]\n", "spot/hours.yaml:1: hours.office: "),
        ("holidays.yaml", "known_until: soon\n", "spot/holidays.yaml:1: holidays.known_until: "),
    ],
)
def test_a_wrong_key_or_value_is_shown_with_file_and_line(
    folder: Path, write: Write, name: str, text: str, shown: str
) -> None:
    write(name, text)

    assert any(problem.startswith(shown) for problem in problems(folder)), problems(folder)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("incidents.yaml", "grades:\n  general:\n    calendar: moon\n", "spot/incidents.yaml:3: "),
        ("incidents.yaml", "arbiter_level: moon\n", "spot/incidents.yaml:1: "),
        ("incidents.yaml", "\ndanger_grade: moon\n", "spot/incidents.yaml:2: "),
        ("incidents.yaml", "by_category:\n  nosuch: {grade: general}\n", "spot/incidents.yaml:2: "),
        (
            "incidents.yaml",
            "grades:\n  sudden:\n    ladder:\n      - {to: town, accept: 1h, resolve: 1h}\n"
            "      - {to: grid, accept: 1h, resolve: 1h}\n",
            "spot/incidents.yaml:5: incidents.grades.sudden.ladder.1.to: a ladder climbs",
        ),
        (
            "incidents.yaml",
            "grades:\n  sudden:\n    ladder:\n      - {to: building, accept: 1h, resolve: 1h}\n",
            "spot/incidents.yaml:4: incidents.grades.sudden.ladder.0.to: nobody keeps a building",
        ),
        (
            "hours.yaml",
            "night:\n  makeup_as: sun\n  shifts:\n    mon-fri: [20:00-24:00]\n",
            "spot/hours.yaml:1: ",
        ),
        ("place.yaml", PLACE + "zone: Moon/Sea\n", "spot/place.yaml:3: place.zone: "),
        (
            "place.yaml",
            PLACE.replace("}", ", assumed: {\n  incidents.grades.genral: 笔误}}"),
            "spot/place.yaml:3: place.source.assumed.incidents.grades.genral: nothing in the book",
        ),
    ],
)
def test_a_name_which_stands_nowhere_is_shown_with_file_and_line(
    folder: Path, write: Write, name: str, text: str, shown: str
) -> None:
    write(name, text)

    assert any(problem.startswith(shown) for problem in problems(folder)), problems(folder)


TOWN = """\
tree:
  name: 试点县
  level: county
  people:
    - {name: 甲, role: worker, key: worker}
  children:
    - name: 试点镇
      level: town
units:
  - name: 物业
    grid: 试点镇
    calendar: office
residents:
  - {name: 乙, home: 试点镇, key: resident}
"""


@pytest.mark.parametrize("wrong", ["24:00", "07:60", "7:30", "-1:00", "07:30:00", "noon", "730"])
def test_a_time_no_clock_shows_is_a_fault_on_its_own_line(folder: Path, write: Write, wrong: str) -> None:
    write("schedule.yaml", f"day_card:\n  working_days_only: true\n  daily_at: '{wrong}'\n")

    (problem,) = problems(folder)
    assert problem.startswith("spot/schedule.yaml:3: schedule.day_card.daily_at: ")
    assert "write 08:07" in problem


@pytest.mark.parametrize("wrong", [0, -5, 1441])
def test_a_job_runs_at_least_daily_and_never_without_end(folder: Path, write: Write, wrong: int) -> None:
    write("schedule.yaml", f"watch:\n  every_minutes: {wrong}\n")

    (problem,) = problems(folder)
    assert problem.startswith("spot/schedule.yaml:2: schedule.watch.every_minutes: ")


@pytest.mark.parametrize("right", ["00:00", "23:59"])
def test_the_first_and_the_last_minute_of_a_day_are_times(folder: Path, write: Write, right: str) -> None:
    write("schedule.yaml", f"day_card:\n  daily_at: {right}\n")

    assert open_book("spot", folder).schedule["day_card"].daily_at == right


def test_a_town_replaces_the_default_town_as_a_whole(folder: Path, write: Write) -> None:
    write("town.yaml", TOWN)

    town = open_book("spot", folder).town
    assert [child.name for child in town.tree.children] == ["试点镇"]
    assert [unit.name for unit in town.units] == ["物业"]


@pytest.mark.parametrize(
    ("was", "now", "shown"),
    [
        (
            "role: worker",
            "role: wroker",
            "spot/town.yaml:5: town.tree.people.0.role: no role is called wroker",
        ),
        (
            "level: town",
            "level: twon",
            "spot/town.yaml:8: town.tree.children.0.level: no level is called twon",
        ),
        ("level: county", "level: grid", "spot/town.yaml:8: town.tree.children.0.level: a town cannot stand"),
        ("grid: 试点镇", "grid: 试点村", "spot/town.yaml:11: town.units.0.grid: 试点村 must mean one grid"),
        ("calendar: office", "calendar: moon", "spot/town.yaml:12: town.units.0.calendar: no hours"),
        ("home: 试点镇", "home: 镇", "spot/town.yaml:14: town.residents.0.home: 镇 must mean one grid"),
        ("key: resident", "key: worker", "spot/town.yaml:1: town: two demo seats are called worker"),
    ],
)
def test_a_fault_in_the_town_is_shown_with_file_and_line(
    folder: Path, write: Write, was: str, now: str, shown: str
) -> None:
    write("town.yaml", TOWN.replace(was, now))

    assert any(problem.startswith(shown) for problem in problems(folder)), problems(folder)


def test_a_sheet_of_unknown_name_is_a_fault(folder: Path, write: Write) -> None:
    write("incident.yaml", "undo_minutes: 3\n")

    assert problems(folder) == ("spot/incident.yaml:1: no sheet of the book is called incident.yaml",)


def test_texts_are_flattened_and_replaced_by_key(folder: Path, write: Write) -> None:
    write("texts/sample.zh.yaml", "sample.parting:\n  day: 回见\n")

    book = open_book("spot", folder)
    assert book.text("sample.greeting") == "您好"
    assert book.text("sample.parting.day") == "回见"
    with pytest.raises(KeyError, match=r"no text 'sample.nothing' in the book of spot"):
        book.text("sample.nothing")


def test_a_text_nothing_says_is_a_fault(folder: Path, write: Write) -> None:
    write("texts/sample.zh.yaml", "sample:\n  greetnig: 您好\n")

    assert problems(folder)[0].startswith("spot/texts/sample.zh.yaml:2: sample.greetnig: ")


def test_a_text_written_in_two_sheets_is_a_fault(folder: Path, write: Write) -> None:
    write("texts/one.zh.yaml", "sample.greeting: 早\n")
    write("texts/two.zh.yaml", "\nsample:\n  greeting: 晚\n")

    assert problems(folder) == (
        "spot/texts/two.zh.yaml:3: sample.greeting already stands in spot/texts/one.zh.yaml:1",
    )


def test_every_fault_is_told_at_once(folder: Path, write: Write) -> None:
    write("grid.yaml", "roles:\n  worker: {nmae: 甲}\n")
    write("schedule.yaml", "watch: {often: true}\n")

    files = {problem.split(":")[0] for problem in problems(folder)}
    assert files == {"spot/grid.yaml", "spot/schedule.yaml"}
