"""Spans, working hours and deadlines: named days of the real table, and what holds on any day."""

import pickle
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from handbook.calendar import Deadline, Pause, Shift, WorkCalendar
from handbook.hours import HolidaySpec, HoursSpec, open_calendars
from handbook.spans import Span

SHANGHAI = ZoneInfo("Asia/Shanghai")
TABLE = yaml.safe_load(
    (Path(__file__).parents[2] / "handbook" / "default" / "holidays.yaml").read_text(encoding="utf-8")
)
HOURS: dict[str, dict[str, Any]] = {
    "office": {"shifts": {"mon-fri": ["08:30-12:00", "14:00-17:30"]}},
    "hall": {"shifts": {"mon-fri": ["09:00-17:00"]}},
    "always": {"round_the_clock": True},
}


def calendars(hours: dict[str, dict[str, Any]] = HOURS, **table: object) -> dict[str, WorkCalendar]:
    specs = {name: HoursSpec.model_validate(spec) for name, spec in hours.items()}
    return open_calendars(specs, HolidaySpec.model_validate(TABLE | table))


CALENDARS = calendars()
OFFICE, HALL, ALWAYS = CALENDARS["office"], CALENDARS["hall"], CALENDARS["always"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due(calendar: WorkCalendar, start: str, span: str, pauses: Sequence[Pause] = (), *more: str) -> str:
    """Say when it is due as the clock on the wall in Shanghai shows it, with a mark if that is uncertain."""
    extensions = [Span.parse(text) for text in more]
    deadline = calendar.due(at(start), Span.parse(span), pauses, extensions)
    return shown(deadline)


def shown(deadline: Deadline) -> str:
    if deadline.at is None:
        return "paused"
    assert deadline.at.tzinfo is UTC
    text = deadline.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
    return text if deadline.certain else f"{text} (?)"


# Spans


@pytest.mark.parametrize("text", ["15m", "4h", "2d", "0d", "225s", "2h wall", "3m wall", "1d wall", "90m"])
def test_a_span_is_said_again_as_it_was_written(text: str) -> None:
    assert text == str(Span.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        *("", "4", "h", "-1h", "0h", "0m", "0d wall", "04h", "4 h", "4H", "1.5h", "1h30m"),
        *("2d  wall", "2d wall ", "wall", "3661d", "3661d wall", "\u0664h", "4h\n"),
    ],
)
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="span"):
        Span.parse(text)


def test_working_days_have_no_length_of_their_own() -> None:
    assert timedelta(hours=24) == Span.parse("1d wall").length
    with pytest.raises(ValueError, match="calendar"):
        _ = Span.parse("1d").length


@pytest.mark.parametrize(
    ("span", "percent", "share"),
    [
        ("4h", 25, "1h"),
        ("15m", 25, "225s"),
        ("2h wall", 75, "90m wall"),
        ("1d wall", 50, "12h wall"),
        ("1s", 1, "1s"),
        ("4h", 100, "4h"),
        ("20d", 25, "5d"),
        ("5d", 50, "2d"),
        ("1d", 75, "0d"),
    ],
)
def test_a_share_of_a_span_is_a_span(span: str, percent: int, share: str) -> None:
    assert share == str(Span.parse(span).share(percent))


@pytest.mark.parametrize("percent", [0, -25, 101])
def test_a_share_lies_within_the_span(percent: int) -> None:
    with pytest.raises(ValueError, match="percent"):
        Span.parse("4h").share(percent)
    with pytest.raises(ValueError, match="percent"):
        OFFICE.nudge(at("2026-09-07 09:00"), Span.parse("4h"), percent)


class Grade(BaseModel):
    """A piece of a book."""

    resolve: Span


def test_a_book_reads_spans_from_text_and_json_writes_them_back() -> None:
    grade = Grade.model_validate(yaml.safe_load("resolve: 2h wall"))

    assert Span(2, "h", wall=True) == grade.resolve
    assert grade.model_dump_json() == '{"resolve":"2h wall"}'
    assert grade == Grade.model_validate_json(grade.model_dump_json())
    assert grade == Grade(resolve=Span.parse("2h wall"))
    assert Grade.model_json_schema()["properties"]["resolve"]["type"] == "string"


@pytest.mark.parametrize("text", ["4 hours", 4, None, ["4h"]])
def test_a_book_with_a_wrong_span_says_how_to_write_one(text: object) -> None:
    with pytest.raises(ValidationError, match="15m, 4h, 2d"):
        Grade.model_validate({"resolve": text})


# The holiday table


def test_the_table_agrees_with_the_notices_day_by_day() -> None:
    day = date(2023, 1, 1)
    while day <= date(2026, 12, 31):
        assert chinese_calendar.is_workday(day) is bool(OFFICE.shifts_on(day)), day
        day += timedelta(days=1)


def test_the_table_says_how_far_it_reaches() -> None:
    known = [day for day in (date(2022, 12, 31), date(2023, 1, 1), date(2026, 12, 31)) if OFFICE.knows(day)]

    assert [date(2023, 1, 1), date(2026, 12, 31)] == known
    assert ALWAYS.knows(date(2040, 1, 1))


def test_a_place_adds_days_of_its_own_which_win() -> None:
    yulin = calendars(local_holidays=["2026-04-20..2026-04-21"], local_makeup=["2026-10-05"])["hall"]

    assert due(yulin, "2026-04-17 16:00", "2h") == "2026-04-22 10:00"
    assert due(yulin, "2026-09-30 16:00", "2h") == "2026-10-05 10:00"
    assert due(HALL, "2026-09-30 16:00", "2h") == "2026-10-08 10:00"


def test_a_local_holiday_frees_a_make_up_day_and_no_day_is_both() -> None:
    free, worked = ["2026-10-10"], ["2026-10-05"]
    table = HolidaySpec.model_validate(TABLE | {"local_holidays": free, "local_makeup": worked})

    assert calendars(local_holidays=free)["hall"].shifts_on(date(2026, 10, 10)) == ()
    assert not table.free() & table.worked()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"known_until": "2027-12-31"}, "known_until"),
        ({"years": {}}, "known_until"),
        ({"years": {2024: TABLE["years"][2024], 2026: TABLE["years"][2026]}}, "gap"),
        ({"years": {2026: {"holidays": ["2025-01-01"], "makeup": []}}}, "stands under the year 2026"),
        ({"years": {2026: {"holidays": ["2026-01-04"], "makeup": ["2026-01-04"]}}}, "free or worked"),
        ({"local_holidays": ["2026-01-05"], "local_makeup": ["2026-01-05"]}, "free or worked"),
        ({"local_holidays": ["2026-01-09..2026-01-05"]}, "run of days"),
        ({"local_holidays": ["2026-01-05..2027-01-05"]}, "run of days"),
        ({"local_holidays": ["2026-02-30"]}, "day is out of range"),
        ({"local_holidays": "2026-01-05"}, "list"),
        ({"local_holidays": 20260105}, "list"),
        ({"lunar": []}, "lunar"),
    ],
)
def test_a_wrong_table_is_refused_with_a_reason(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        HolidaySpec.model_validate(TABLE | change)


# Working hours


def test_hours_are_written_by_ranges_lists_and_single_days() -> None:
    spec = HoursSpec(
        shifts={"mon, wed": ("14:00-17:30", "08:30-12:00"), "thu-fri": ("09:00-24:00",), "sun": ()}
    )

    split, late = (Shift(510, 720), Shift(840, 1050)), (Shift(540, 1440),)
    assert (split, (), split, late, late, (), ()) == spec.weekly()


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({}, "shift on one of them"),
        ({"shifts": {"sun": []}}, "shift on one of them"),
        ({"shifts": {"mon-fri": ["22:00-06:00"]}}, "cross midnight"),
        ({"shifts": {"mon-fri": ["09:00-09:00"]}}, "closes after it opens"),
        ({"shifts": {"mon-fri": ["09:00-24:30"]}}, "cross midnight"),
        ({"shifts": {"mon-fri": ["08:00-12:00", "11:00-17:00"]}}, "overlap"),
        ({"shifts": {"mon-fri": ["9:00-17:00"]}}, "no shift"),
        ({"shifts": {"mon-fri": ["09:00-17:60"]}}, "no shift"),
        ({"shifts": {"mon-wed": ["09:00-17:00"], "wed": ["09:00-12:00"]}}, "wed has two"),
        ({"shifts": {"fri-mon": ["09:00-17:00"]}}, "names no days"),
        ({"shifts": {"monday": ["09:00-17:00"]}}, "names no days"),
        ({"shifts": {"": ["09:00-17:00"]}}, "names no days"),
        ({"shifts": {"mon": ["09:00-17:00"]}, "zone": "Asia/Minhou"}, "unknown zone"),
        ({"shifts": {"mon": ["09:00-17:00"]}, "zone": "../secrets"}, "unknown zone"),
        ({"shifts": {"mon": ["09:00-17:00"]}, "round_the_clock": True}, "needs no shifts"),
        ({"shifts": {"mon": ["09:00-17:00"]}, "makeup_as": "monday"}, "makeup_as"),
        ({"shifts": {"mon": ["09:00-17:00"]}, "lunch": "12:00-14:00"}, "lunch"),
    ],
)
def test_wrong_hours_are_refused_with_a_reason(spec: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        HoursSpec.model_validate(spec)


def test_a_make_up_day_needs_hours_to_borrow() -> None:
    with pytest.raises(ValueError, match="makeup_as names mon"):
        calendars({"weekend": {"shifts": {"sat-sun": ["09:00-17:00"]}}})


def test_a_make_up_day_is_worked_like_the_day_it_is_told() -> None:
    shifts = {"mon-thu": ["08:00-18:00"], "fri": ["08:00-12:00"]}
    like_friday = calendars({"short": {"shifts": shifts, "makeup_as": "fri"}})["short"]

    ((opens, closes),) = like_friday.shifts_on(date(2026, 10, 10))

    assert (at("2026-10-10 08:00"), at("2026-10-10 12:00")) == (opens, closes)


def test_a_shift_holds_its_opening_but_not_its_close() -> None:
    works = [
        OFFICE.is_working(at(f"2026-09-07 {clock}")) for clock in ("08:30", "11:59:59", "12:00", "14:00")
    ]

    assert works == [True, True, False, True]
    assert not OFFICE.is_working(at("2026-10-01 09:00"))
    assert OFFICE.is_working(at("2026-10-10 09:00"))
    assert ALWAYS.is_working(at("2026-10-01 03:00"))


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-09-07 09:15:30", "2026-09-07 09:15:30"),
        ("2026-09-07 12:00", "2026-09-07 14:00"),
        ("2026-09-11 17:30", "2026-09-14 08:30"),
        ("2026-09-30 18:00", "2026-10-08 08:30"),
        ("2026-10-09 18:00", "2026-10-10 08:30"),
    ],
)
def test_the_next_opening_is_now_or_the_beginning_of_a_shift(moment: str, opening: str) -> None:
    assert at(opening) == OFFICE.next_opening(at(moment))


def test_a_calendar_without_a_table_is_certain_of_nothing() -> None:
    bare = WorkCalendar("Asia/Shanghai", ((Shift(540, 1020),),) * 7)

    assert due(bare, "2026-09-04 16:30", "30m") == "2026-09-04 17:00 (?)"


def test_a_calendar_stays_equal_to_its_twin_when_used_and_travels() -> None:
    used = calendars()["office"]
    due(used, "2026-09-04 16:30", "5d")

    assert used == calendars()["office"]
    assert hash(used) == hash(calendars()["office"])
    assert used == pickle.loads(pickle.dumps(used))  # noqa: S301  our own bytes


@pytest.mark.parametrize(
    "wrong",
    [
        ((),) * 7,
        ((Shift(540, 1020),),) * 5,
        ((Shift(600, 1020), Shift(540, 600)), *((),) * 6),
        ((Shift(-1, 1020),), *((),) * 6),
    ],
)
def test_a_calendar_made_by_hand_is_checked_too(wrong: tuple[tuple[Shift, ...], ...]) -> None:
    with pytest.raises(ValueError, match="shift"):
        WorkCalendar("Asia/Shanghai", wrong)


# Deadlines on named days


def test_an_hour_on_friday_afternoon_ends_on_monday() -> None:
    assert due(HALL, "2026-09-04 16:30", "1h") == "2026-09-07 09:30"


def test_seconds_are_kept() -> None:
    assert due(HALL, "2026-09-07 09:00:30", "4h") == "2026-09-07 13:00:30"
    assert due(OFFICE, "2026-09-07 09:30:30", "210m") == "2026-09-07 15:00:30"


def test_what_is_used_up_at_the_close_is_due_at_the_close() -> None:
    assert due(HALL, "2026-09-04 16:30", "30m") == "2026-09-04 17:00"
    assert due(HALL, "2026-09-04 16:30", "1801s") == "2026-09-07 09:00:01"


def test_lunch_is_no_working_time() -> None:
    assert due(OFFICE, "2026-09-07 11:00", "90m") == "2026-09-07 14:30"
    assert due(OFFICE, "2026-09-07 12:30", "1h") == "2026-09-07 15:00"


def test_the_starting_day_never_counts() -> None:
    for start in ("2026-09-07 06:00", "2026-09-07 08:30", "2026-09-07 17:29", "2026-09-07 23:59"):
        assert due(OFFICE, start, "2d") == "2026-09-09 17:30"
    for start in ("2026-09-05 10:00", "2026-09-06 10:00"):
        assert due(OFFICE, start, "2d") == "2026-09-08 17:30"


@pytest.mark.parametrize(
    ("start", "close"),
    [
        ("2026-09-07 06:00", "2026-09-07 17:30"),
        ("2026-09-07 17:29:59", "2026-09-07 17:30"),
        ("2026-09-07 17:30", "2026-09-08 17:30"),
        ("2026-09-05 10:00", "2026-09-07 17:30"),
    ],
)
def test_the_same_day_means_its_close_or_the_next_when_it_has_passed(start: str, close: str) -> None:
    assert close == due(OFFICE, start, "0d")


def test_wall_time_takes_no_notice_of_the_calendar() -> None:
    assert due(OFFICE, "2026-10-01 17:00", "2h wall") == "2026-10-01 19:00"
    assert due(OFFICE, "2026-10-01 17:00", "1d wall") == "2026-10-02 17:00"
    assert due(OFFICE, "2030-01-01 17:00", "1d wall") == "2030-01-02 17:00"


def test_national_day_2026_is_free_for_a_week_and_made_up_on_two_weekend_days() -> None:
    assert due(OFFICE, "2026-09-30 16:30", "2h") == "2026-10-08 09:30"
    assert due(OFFICE, "2026-09-30 16:30", "2d") == "2026-10-09 17:30"
    assert due(OFFICE, "2026-09-30 16:30", "3d") == "2026-10-10 17:30"  # a Saturday
    assert due(OFFICE, "2026-09-30 16:30", "4d") == "2026-10-12 17:30"
    assert due(OFFICE, "2026-09-18 10:00", "1d") == "2026-09-20 17:30"  # a Sunday
    assert due(OFFICE, "2026-09-24 10:00", "1d") == "2026-09-28 17:30"  # over the Mid-Autumn Festival


def test_spring_festival_2026_has_nine_days_and_two_saturdays_for_it() -> None:
    assert due(OFFICE, "2026-02-13 17:00", "1d") == "2026-02-14 17:30"
    assert due(OFFICE, "2026-02-14 17:00", "1h") == "2026-02-24 09:00"
    assert due(OFFICE, "2026-02-14 17:00", "5d") == "2026-02-28 17:30"


def test_new_year_2024_joined_two_years() -> None:
    assert due(OFFICE, "2023-12-29 17:00", "1h") == "2024-01-02 09:00"


def test_beyond_the_table_weeks_are_plain_and_the_answer_says_so() -> None:
    assert due(HALL, "2026-12-31 16:30", "30m") == "2026-12-31 17:00"
    assert due(HALL, "2026-12-31 16:30", "1h") == "2027-01-01 09:30 (?)"
    assert due(HALL, "2026-12-31 16:30", "2d") == "2027-01-04 17:00 (?)"
    assert due(HALL, "2027-10-01 09:00", "1h") == "2027-10-01 10:00 (?)"
    assert due(HALL, "2022-12-31 16:30", "1h") == "2023-01-03 10:00 (?)"  # began before the table
    assert due(ALWAYS, "2026-12-31 23:30", "1h") == "2027-01-01 00:30"


def test_day_and_night_every_day_is_a_working_day_which_closes_at_midnight() -> None:
    assert due(ALWAYS, "2026-10-01 13:00", "1d") == "2026-10-03 00:00"
    assert due(ALWAYS, "2026-10-01 13:00", "0d") == "2026-10-02 00:00"
    assert due(ALWAYS, "2026-10-01 13:00", "28h") == "2026-10-02 17:00"


def test_a_close_at_midnight_belongs_to_the_day_it_ends() -> None:
    late = calendars({"late": {"shifts": {"mon-fri": ["12:00-18:00", "18:00-24:00"]}}})["late"]

    assert due(late, "2026-12-31 20:00", "4h") == "2027-01-01 00:00"  # certain: no date of 2027 was needed
    assert due(late, "2026-09-07 13:00", "11h", (), "1d") == "2026-09-09 00:00"
    assert (
        due(ALWAYS, "2026-10-01 13:00", "11h wall", (), "1d") == "2026-10-04 00:00"
    )  # on the wall it is the 2nd


def test_days_granted_on_top_of_a_midnight_close_follow_on_it() -> None:
    assert due(ALWAYS, "2026-10-01 13:00", "3d") == due(ALWAYS, "2026-10-01 13:00", "1d", (), "2d")


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("1986-05-03 22:00", "5h", "1986-05-04 04:00"),  # 02:00 became 03:00
        ("1986-09-13 22:00", "5h", "1986-09-14 02:00"),  # 02:00 became 01:00
        ("1991-04-13 22:00", "5h", "1991-04-14 04:00"),
        ("1991-09-14 22:00", "5h", "1991-09-15 02:00"),
    ],
)
def test_hours_are_real_hours_in_the_years_when_china_moved_its_clocks(
    start: str, hours: str, end: str
) -> None:
    assert end == due(ALWAYS, start, hours)
    assert end == due(OFFICE, start, f"{hours} wall")


def test_office_hours_stay_on_the_wall_when_clocks_move() -> None:
    for year in range(1986, 1992):
        day = date(year, 3, 1)
        while day.year == year:
            clocks = [
                (since.astimezone(SHANGHAI).hour, till - since) for since, till in OFFICE.shifts_on(day)
            ]
            assert clocks in ([], [(8, timedelta(hours=3.5)), (14, timedelta(hours=3.5))]), day
            day += timedelta(days=1)


def test_a_shift_within_the_hour_which_clocks_skip_is_no_work() -> None:
    nights = calendars({"night": {"shifts": {"mon-sun": ["02:00-03:00", "09:00-10:00"]}}})["night"]

    assert len(nights.shifts_on(date(1986, 5, 4))) == 1
    assert len(nights.shifts_on(date(1986, 5, 5))) == 2


# Pauses and extensions


def test_a_pause_stops_working_hours_only_while_they_run() -> None:
    night = (at("2026-09-07 17:30"), at("2026-09-08 08:30"))
    morning = (at("2026-09-08 08:00"), at("2026-09-08 10:00:20"))

    assert due(OFFICE, "2026-09-07 16:30", "2h", [night]) == "2026-09-08 09:30"
    assert due(OFFICE, "2026-09-07 16:30", "2h", [morning, night]) == "2026-09-08 11:00:20"


@pytest.mark.parametrize(
    ("since", "till", "close"),
    [
        ("2026-09-08 11:00", "2026-09-08 15:00", "2026-09-09 17:30"),  # over noon: no day
        ("2026-09-08 17:30", "2026-09-09 08:30", "2026-09-09 17:30"),  # over a night: no day
        ("2026-09-08 17:29", "2026-09-08 17:30", "2026-09-10 17:30"),  # at the close: one day
        ("2026-09-08 10:00", "2026-09-09 15:00", "2026-09-10 17:30"),  # into the next day: one day
        ("2026-09-07 10:00", "2026-09-08 08:00", "2026-09-09 17:30"),  # on the starting day: no day
        ("2026-09-09 17:30", "2026-09-11 08:30", "2026-09-09 17:30"),  # after it was due: no day
    ],
)
def test_a_working_day_does_not_count_when_the_clock_stands_still_at_its_close(
    since: str, till: str, close: str
) -> None:
    assert close == due(OFFICE, "2026-09-07 09:00", "2d", [(at(since), at(till))])


def test_a_pause_stops_the_clock_on_the_wall_too() -> None:
    pause = (at("2026-10-01 10:00"), at("2026-10-01 12:30"))

    assert due(OFFICE, "2026-10-01 09:00", "2h wall", [pause]) == "2026-10-01 13:30"


@pytest.mark.parametrize("span", ["2h", "2d", "2h wall"])
def test_nothing_is_due_while_a_pause_still_goes_on(span: str) -> None:
    still = (at("2026-09-07 09:30"), None)

    assert due(OFFICE, "2026-09-07 09:00", span, [still]) == "paused"
    assert shown(OFFICE.nudge(at("2026-09-07 09:00"), Span.parse(span), 50, [still])) == "paused"


@pytest.mark.parametrize(
    ("span", "end"), [("2h", "2026-09-07 11:00"), ("0d", "2026-09-07 17:30"), ("2h wall", "2026-09-07 11:00")]
)
def test_what_was_due_before_a_pause_began_stays_due(span: str, end: str) -> None:
    assert end == due(OFFICE, "2026-09-07 09:00", span, [(at(end), None)])


def test_pauses_may_overlap_and_be_empty_but_not_end_before_they_begin() -> None:
    clock = [at(f"2026-09-07 {hour:02}:00") for hour in range(24)]

    overlapping = [
        (clock[15], clock[16]),
        (clock[9], clock[11]),
        (clock[10], clock[12]),
        (clock[16], clock[16]),
    ]
    assert due(OFFICE, "2026-09-07 08:30", "150m", overlapping) == "2026-09-07 17:00"
    with pytest.raises(ValueError, match="ends before it begins"):
        due(OFFICE, "2026-09-07 08:30", "2h", [(clock[12], clock[9])])


def test_extensions_are_counted_on_from_the_first_end() -> None:
    assert due(OFFICE, "2026-09-07 09:00", "1d", (), "2d") == "2026-09-10 17:30"
    assert due(OFFICE, "2026-09-07 09:00", "1d", (), "2h") == "2026-09-09 10:30"
    assert due(OFFICE, "2026-09-07 09:00", "2h", (), "1d") == "2026-09-08 17:30"
    assert due(OFFICE, "2026-09-07 09:00", "2h", (), "1h wall", "1h wall") == "2026-09-07 13:00"
    assert due(OFFICE, "2026-12-30 09:00", "1d", (), "2d") == "2027-01-04 17:30 (?)"


# Measuring


def test_working_time_is_measured_without_nights_weekends_and_pauses() -> None:
    start, end = at("2026-09-04 16:30"), at("2026-09-07 09:00")

    assert timedelta(minutes=90) == OFFICE.elapsed(start, end)
    assert timedelta(minutes=60) == OFFICE.elapsed(start, end, [(at("2026-09-04 17:00"), at("2026-09-06"))])
    assert timedelta(minutes=30) == OFFICE.elapsed(start, end, [(at("2026-09-04 17:00"), None)])
    assert timedelta() == OFFICE.elapsed(end, start)


@pytest.mark.parametrize(
    ("span", "marks"),
    [
        ("4h", ["2026-09-07 10:00", "2026-09-07 11:00", "2026-09-07 12:00"]),
        ("15m", ["2026-09-07 09:03:45", "2026-09-07 09:07:30", "2026-09-07 09:11:15"]),
        ("1d", ["2026-09-07 14:22:30", "2026-09-08 08:45", "2026-09-08 14:07:30"]),
        ("4h wall", ["2026-09-07 10:00", "2026-09-07 11:00", "2026-09-07 12:00"]),
    ],
)
def test_nudges_divide_the_time_that_runs(span: str, marks: list[str]) -> None:
    nudges = [OFFICE.nudge(at("2026-09-07 09:00"), Span.parse(span), percent) for percent in (25, 50, 75)]

    assert marks == [shown(nudge) for nudge in nudges]


def test_a_nudge_counts_pauses_and_extensions_and_shares_the_doubt() -> None:
    pause = (at("2026-09-07 09:30"), at("2026-09-07 10:00"))
    nudge = OFFICE.nudge(at("2026-09-07 09:00"), Span.parse("2h"), 50, [pause], [Span.parse("2h")])

    assert shown(nudge) == "2026-09-07 11:30"
    assert shown(OFFICE.nudge(at("2026-12-31 15:30"), Span.parse("4h"), 25)) == "2026-12-31 16:30 (?)"


def test_moments_without_a_zone_are_refused_everywhere() -> None:
    naive, aware = datetime(2026, 9, 7, 9), at("2026-09-07 09:00")  # noqa: DTZ001  the fault under test
    span = Span.parse("2h")

    for ask in (
        lambda: OFFICE.is_working(naive),
        lambda: OFFICE.next_opening(naive),
        lambda: OFFICE.due(naive, span),
        lambda: OFFICE.due(aware, span, [(naive, None)]),
        lambda: OFFICE.due(aware, span, [(aware, naive)]),
        lambda: OFFICE.nudge(naive, span, 50),
        lambda: OFFICE.elapsed(aware, naive),
    ):
        with pytest.raises(ValueError, match="no zone"):
            ask()


# What holds on any day

MOMENTS = st.datetimes(datetime(2022, 12, 1), datetime(2027, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001
WORKDAYS = st.sampled_from([OFFICE, HALL, ALWAYS])
UNITS = st.sampled_from(["s", "m", "h"])
HOURLY = st.builds(Span, st.integers(1, 90), UNITS)
SPANS = (
    HOURLY
    | st.builds(Span, st.integers(0, 20), st.just("d"))
    | st.builds(Span, st.integers(1, 90), UNITS, st.just(True))
)
GAPS = st.timedeltas(timedelta(), timedelta(days=5))
PAUSES = st.lists(st.builds(lambda since, gap: (since, since + gap), MOMENTS, GAPS), max_size=3)
any_day = settings(max_examples=150, deadline=None)


def ends(calendar: WorkCalendar, start: datetime, span: Span, pauses: list[Pause]) -> datetime:
    end = calendar.due(start, span, pauses).at
    assert end is not None
    return end


@any_day
@given(WORKDAYS, MOMENTS, GAPS, SPANS, PAUSES)
def test_who_starts_later_is_never_due_earlier(
    calendar: WorkCalendar, start: datetime, gap: timedelta, span: Span, pauses: list[Pause]
) -> None:
    assert start <= ends(calendar, start, span, pauses) <= ends(calendar, start + gap, span, pauses)


@any_day
@given(WORKDAYS, MOMENTS, HOURLY, HOURLY, PAUSES)
def test_hours_add_up(
    calendar: WorkCalendar, start: datetime, first: Span, second: Span, pauses: list[Pause]
) -> None:
    seconds = round((first.length + second.length).total_seconds())
    once = calendar.due(start, Span(seconds, "s"), pauses)

    assert once.at == ends(calendar, ends(calendar, start, first, pauses), second, pauses)
    assert once == calendar.due(start, first, pauses, [second])


@any_day
@given(WORKDAYS, MOMENTS, st.integers(1, 9), st.integers(1, 9), PAUSES)
def test_working_days_add_up(
    calendar: WorkCalendar, start: datetime, first: int, second: int, pauses: list[Pause]
) -> None:
    at_once = calendar.due(start, Span(first + second, "d"), pauses)

    assert at_once == calendar.due(start, Span(first, "d"), pauses, [Span(second, "d")])


@any_day
@given(WORKDAYS, MOMENTS, HOURLY | st.builds(Span, st.integers(0, 20), st.just("d")), PAUSES)
def test_a_deadline_ends_a_stretch_of_running_work(
    calendar: WorkCalendar, start: datetime, span: Span, pauses: list[Pause]
) -> None:
    just_before = ends(calendar, start, span, pauses) - timedelta(microseconds=1)

    assert calendar.is_working(just_before)
    assert not any(since <= just_before < till for since, till in pauses if till)


@any_day
@given(WORKDAYS, MOMENTS, HOURLY, PAUSES)
def test_as_much_time_has_run_at_the_deadline_as_was_given(
    calendar: WorkCalendar, start: datetime, span: Span, pauses: list[Pause]
) -> None:
    assert span.length == calendar.elapsed(start, ends(calendar, start, span, pauses), pauses)


@any_day
@given(WORKDAYS, MOMENTS, SPANS, PAUSES, st.lists(HOURLY, max_size=2))
def test_nudges_come_in_order_and_the_last_is_the_deadline_to_the_second(
    calendar: WorkCalendar, start: datetime, span: Span, pauses: list[Pause], more: list[Span]
) -> None:
    marks = [calendar.nudge(start, span, percent, pauses, more).at for percent in (25, 50, 75, 100)]
    end = calendar.due(start, span, pauses, more).at

    assert marks == sorted(mark for mark in marks if mark)
    assert marks[-1] is not None
    assert end is not None
    assert calendar.elapsed(marks[-1], end, pauses) <= timedelta(seconds=1)


@any_day
@given(WORKDAYS, MOMENTS, HOURLY | st.builds(Span, st.integers(1, 90), UNITS, st.just(True)), PAUSES)
def test_a_nudge_is_the_deadline_of_the_share(
    calendar: WorkCalendar, start: datetime, span: Span, pauses: list[Pause]
) -> None:
    share = ends(calendar, start, span.share(50), pauses)

    assert share == calendar.nudge(start, span, 50, pauses).at


@given(SPANS)
def test_any_span_is_read_as_it_is_said(span: Span) -> None:
    assert span == Span.parse(str(span))
