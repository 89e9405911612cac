"""Ten thousand random deadlines, each found twice: by the product, and by a walk along the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random

import chinese_calendar.constants as notices
import pytest
import yaml

from handbook.calendar import Deadline, WorkCalendar
from handbook.hours import HolidaySpec, HoursSpec, open_calendars
from handbook.spans import Span
from tests.calendar.oracle import Pauses, Rules, Walk

CASES = 10_000
TABLE = Path(__file__).parents[2] / "handbook" / "default" / "holidays.yaml"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOCAL_FREE, LOCAL_WORKED = "2026-09-08", "2026-10-06"  # a region's own feast, and its own exception
AUTUMN = ("2026-08-25", "2027-03-01")  # National Day, and over the end of the table
SPRING = ("2026-01-25", "2026-06-20")  # Spring Festival and 1 May
BEFORE = ("2022-12-10", "2023-03-31")  # over the beginning of the table
SUMMER_TIME = ("1988-03-25", "1988-11-05")  # Asia/Shanghai moved its clocks in April and September
OFFICE = {"mon-fri": ["08:30-12:00", "14:00-17:30"]}


@dataclass(frozen=True)
class World:
    """One town: its hours as the book writes them, and the months in which its cases begin."""

    shifts: dict[str, list[str]]
    months: tuple[str, str] = AUTUMN
    zone: str = "Asia/Shanghai"
    makeup_as: str = "mon"
    local: bool = False


WORLDS = {
    "split shifts": World(OFFICE),
    "one shift": World({"mon-fri": ["09:00-17:00"]}, SPRING),
    "four shifts and a short Friday": World(
        {"mon-thu": ["07:30-09:45", "10:00-12:10", "13:05-15:00", "15:01-18:00"], "fri": ["08:00-11:20"]},
        makeup_as="fri",
    ),
    "Saturdays and local days": World(
        {"mon-fri": ["08:00-12:00", "13:30-17:00"], "sat": ["09:00-11:30"]}, local=True, makeup_as="wed"
    ),
    "nights": World({"mon-sun": ["00:00-02:00", "20:15-24:00"]}, SPRING, makeup_as="sun"),
    "day and night": World({}),
    "summer time abroad": World({"mon-sat": ["08:00-16:30"]}, zone="Europe/Berlin"),
    "before the table": World(OFFICE, BEFORE),
    "summer time in 1988": World({"mon-sat": ["00:00-06:00", "08:00-12:00", "14:30-18:00"]}, SUMMER_TIME),
    "day and night in 1988": World({}, SUMMER_TIME),
}


def calendar_of(world: World) -> WorkCalendar:
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    if world.local:
        table |= {"local_holidays": [LOCAL_FREE], "local_makeup": [LOCAL_WORKED]}
    hours = HoursSpec.model_validate(
        {
            "zone": world.zone,
            "shifts": world.shifts,
            "makeup_as": world.makeup_as,
            "round_the_clock": not world.shifts,
        }
    )
    return open_calendars({"here": hours}, HolidaySpec.model_validate(table))["here"]


def rules_of(world: World) -> Rules:
    free = {day.isoformat() for day in notices.holidays if day.year >= 2023}
    worked = {day.isoformat() for day in notices.workdays if day.year >= 2023}
    if world.local:
        free = (free | {LOCAL_FREE}) - {LOCAL_WORKED}
        worked |= {LOCAL_WORKED}
    week = {
        n: shifts
        for days, shifts in world.shifts.items()
        for n in range(DAYS.index(days[:3]), DAYS.index(days[-3:]) + 1)
    }
    return Rules(
        zone=world.zone,
        week=week,
        free=frozenset(free),
        worked=frozenset(worked),
        worked_like=DAYS.index(world.makeup_as),
        always=not world.shifts,
    )


@cache
def both(name: str) -> tuple[WorkCalendar, Walk]:
    world = WORLDS[name]
    first, last = (round(midnight(day).timestamp()) for day in world.months)
    return calendar_of(world), Walk(rules_of(world), first, last)


def midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


@dataclass(frozen=True)
class Case:
    """One question to both: when is it due?"""

    world: str
    start: int
    spans: tuple[str, ...]
    pauses: Pauses


def random_case(random: Random) -> Case:
    world = random.choice(list(WORLDS))
    first, last = (round(midnight(day).timestamp()) for day in WORLDS[world].months)
    start = random.randrange(first + 3 * 86400, last - 65 * 86400, random.choice([1, 60, 900, 1800]))
    spans = (random_span(random), *(random_span(random) for _ in range(random.choice([0, 0, 0, 1, 2]))))
    return Case(world, start, spans, random_pauses(random, start))


def random_span(random: Random) -> str:
    kinds = ["m", "m", "h", "h", "d", "s", "m wall", "h wall", "d wall"]
    kind = random.choice(kinds)
    most = {"s": 9000, "m": 500, "h": 14, "d": 7, "m wall": 600, "h wall": 30, "d wall": 3}[kind]
    return f"{random.randint(0 if kind == 'd' else 1, most)}{kind}"


def random_pauses(random: Random, start: int) -> Pauses:
    pauses: list[tuple[int, int | None]] = []
    for _ in range(random.choice([0, 0, 0, 1, 1, 2, 3])):
        since = start + random.randrange(-86400, 6 * 86400, random.choice([1, 900, 1800]))
        length = random.randrange(0, random.choice([3600, 86400, 3 * 86400]), random.choice([1, 900, 1800]))
        pauses.append((since, None if random.random() < 0.15 else since + length))
    return pauses


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def cases(seed: int, count: int) -> Iterator[Case]:
    random = Random(seed)
    return (random_case(random) for _ in range(count))


def moments(pauses: Pauses) -> list[tuple[datetime, datetime | None]]:
    return [(moment(since), None if till is None else moment(till)) for since, till in pauses]


@pytest.mark.parametrize("seed", range(10))
def test_every_deadline_is_where_a_walk_along_the_clock_ends(seed: int) -> None:
    for case in cases(seed, CASES // 10):
        at, certain = both(case.world)[1].due(case.start, case.spans, case.pauses)

        assert (None if at is None else moment(at), certain) == answer(case), case


def test_the_working_time_between_two_moments_is_the_same_counted_by_hand() -> None:
    random = Random(77)
    for case in cases(7, 300):
        calendar, walk = both(case.world)
        end = case.start + random.randrange(-3600, 8 * 86400)

        ran = calendar.elapsed(moment(case.start), moment(end), moments(case.pauses))

        assert timedelta(seconds=walk.elapsed(case.start, end, case.pauses)) == ran, case


def test_a_town_works_at_the_same_moments_and_opens_at_the_same_minute() -> None:
    for case in cases(8, 1000):
        calendar, walk = both(case.world)
        whole_minutes = range(case.start + 59 - (case.start + 59) % 60, case.start + 60 * 86400, 60)

        expected = next(second for second in chain([case.start], whole_minutes) if walk.works(second))
        assert walk.works(case.start) is calendar.is_working(moment(case.start)), case
        assert moment(expected) == calendar.next_opening(moment(case.start)), case


def test_the_random_cases_reach_what_is_hard() -> None:
    found = [(case, answer(case)) for case in cases(0, 1000)]

    assert sum(deadline.at is None for _, deadline in found) > 40
    assert sum(not deadline.certain for _, deadline in found) > 50
    assert {"0d", "1d"} < {span for case, _ in found for span in case.spans}


def answer(case: Case) -> Deadline:
    span, *more = (Span.parse(text) for text in case.spans)
    return both(case.world)[0].due(moment(case.start), span, moments(case.pauses), more)
