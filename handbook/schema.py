"""The shape of a place's book: what a town decides, as frozen pydantic models.

A wrong key or value stops the start with its file and line (see `handbook.open_book`).
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from handbook.hours import HolidaySpec, HoursSpec
from handbook.kinds import CategorySpec, DangerSpec
from handbook.messages import MessageRules
from handbook.modules import ResidentsSpec
from handbook.notices import NoticeRules
from handbook.phrases import PhraseSpec
from handbook.registry import MEASURES, RegistrySpec
from handbook.spans import Span
from handbook.teams import TeamRules

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

Ability = Literal[
    "report",  # say that something is wrong
    "handle",  # take a case, work on it, give it back
    "assign",  # give a case to somebody in one's area, or to a unit
    "review",  # check a result; decide on extension, suspension, refusal, invalidity
    "arbitrate",  # settle whose case it is after too many returns
    "supervise",  # press a case from above
    "oversee",  # read boards of one's area
    "inspect",  # be told by the watch that something is wrong with the system
    "enrol",  # lists of one's area: grids, people, households; split, merge, rename and move the grids in it
    "look_up",  # open who lives behind a door of one's area, names masked unless one may also record
    "record",  # enter, move and put right the residents of one's area
    "confide",  # see what is sensitive of the residents of one's area: key persons, health, ID numbers
    "administer",  # bind people of one's area to their accounts, change their numbers, shut a lost phone out
]

_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")

CategoryHint = Literal["ordinary", "coordination", "urgent"]


class Strict(BaseModel):
    """Base of every part of the book: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Strict):
    """Where a place's rules come from, and which of them are our own assumption."""

    title: str
    publisher: str
    date: str
    says: tuple[str, ...] = ()
    assumed: dict[str, str] = {}
    """Dotted path in the book -> why we chose it (the article is silent)."""


class Role(Strict):
    """What a post is called in this place and what its holder may do."""

    name: str
    may: tuple[Ability, ...]


class Level(Strict):
    """One level of the tree of grids, from the top down."""

    key: Key
    name: str
    keeper: Key | None
    """The role whose holder answers for a grid of this level; None where nobody does (a building)."""


class Step(Strict):
    """One rung of a ladder: whose turn it is and how long they have."""

    to: Key
    """A level of the tree: its keeper on the case's own branch is given the case."""
    accept: Span
    resolve: Span


class Grade(Strict):
    """How serious a case is: its hours, its ladder and how it is followed."""

    name: str
    calendar: Key
    receipt: Span = Span.parse("3m wall")
    arrive: Span | None = None
    ladder: Annotated[tuple[Step, ...], Field(min_length=1)]
    """First step: who gets the case; each later one: where it climbs. The last is the 兜底."""
    nudges: tuple[Annotated[int, Field(gt=0, lt=100)], ...] = (25, 50, 75)
    auto_return: bool = False
    """Accepted but untouched when its time is up: taken back for a new assignment, not only raised."""
    tell_whole_ladder: bool = False
    daily_zero: bool = False
    """On the daily zero board (大事天天清零); otherwise on the rolling one (小事时时清零)."""
    needs_verification: bool = False


class CategoryRule(Strict):
    """What this place decides for one category, against the general rule."""

    grade: Key | None = None
    unit: str | None = None
    """Name of the unit that is asked first instead of the grid's keeper."""
    ask: str | None = None
    """One more question after filing; the case is filed whether it is answered or not."""
    known_by: tuple[str, ...] = ()
    """Words that answer that question already."""


class IncidentRules(Strict):
    """Everything the town decides about cases."""

    grades: dict[Key, Grade]
    grade_of: dict[CategoryHint, Key]
    danger_grade: Key
    other_category: str = "1299"
    """What a report is filed as when its words fit no kind."""
    by_category: dict[str, CategoryRule] = {}
    returns_before_arbitration: int = 2
    arbitration: Span = Span.parse("4h")
    approval: Span = Span.parse("4h")
    arbiter_level: Key
    zero_level: Key
    """Level of the tree whose keepers count their open cases to zero every day: the village or community."""
    undo_minutes: int = 2
    silence: Span = Span.parse("7d wall")
    """A reporter who says nothing for so long agrees by silence."""
    reopen_within: Span = Span.parse("7d wall")
    max_extensions: int = 2
    max_suspension: Span = Span.parse("30d wall")
    urge_every: Span = Span.parse("4h wall")
    stages: dict[str, str]
    """State of a case -> the word this place uses for it."""
    ratings: dict[Literal["satisfied", "basically_satisfied", "dissatisfied"], str]


def _time_of_day(text: str) -> str:
    if not _TIME_OF_DAY.fullmatch(text):
        raise ValueError(f"{text!r} is no time of day: write 08:07, from 00:00 to 23:59")
    return text


class JobTime(Strict):
    """When a job of the clock runs: every so often, or daily at a time of the place."""

    every_minutes: Annotated[int | None, Field(ge=1, le=24 * 60)] = None
    """Counted from the full hour; from midnight where it is longer than an hour."""
    daily_at: Annotated[str, AfterValidator(_time_of_day)] | None = None
    working_days_only: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "JobTime":
        if (self.every_minutes is None) == (self.daily_at is None):
            raise ValueError("give either every_minutes or daily_at")
        return self


class TownGrid(Strict):
    """One grid of a place's tree as data; children nest."""

    name: str
    code: str | None = None
    level: Key
    kind: Literal["area", "base", "exclusive", "micro", "granule"] = "area"
    aliases: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    people: tuple["TownPost", ...] = ()
    children: tuple["TownGrid", ...] = ()
    numbered: tuple["TownSeries", ...] = ()


class TownSeries(Strict):
    """A run of alike children, such as 1栋 to 12栋: `name` holds {n}."""

    name: str
    level: Key
    kind: Literal["area", "base", "exclusive", "micro", "granule"] = "area"
    start: int = 1
    count: int
    aliases: tuple[str, ...] = ()
    children: tuple[TownGrid, ...] = ()


class TownPost(Strict):
    """A (fictional) person of the demo town and the role held on the grid it stands under."""

    name: str
    role: Key
    key: Key | None = None
    """Short name of a demo seat, such as worker; the demo page shows people with a key."""
    phone: str | None = None


class TownUnit(Strict):
    """A department or company that handles cases for an area."""

    name: str
    grid: str
    aliases: tuple[str, ...] = ()
    calendar: Key | None = None
    people: tuple[TownPost, ...] = ()


class TownResident(Strict):
    """A (fictional) resident of the demo town."""

    name: str
    home: str
    """Name or path of the grid they live in, for example 幸福社区/第一网格."""
    key: Key | None = None


class Town(Strict):
    """The demo town: tree, people, units."""

    tree: TownGrid
    units: tuple[TownUnit, ...] = ()
    residents: tuple[TownResident, ...] = ()


class PlaceInfo(Strict):
    """Who this place is."""

    name: str
    zone: str = "Asia/Shanghai"
    public_phones: tuple[str, ...] = ()
    """Duty phones that may be said where everybody reads; short ones such as 110 and 12345 always may."""
    source: Source


class BookData(Strict):
    """The whole book of one place, default and overlay merged."""

    place: PlaceInfo
    levels: Annotated[tuple[Level, ...], Field(min_length=2)]
    roles: dict[Key, Role]
    hours: dict[Key, HoursSpec]
    holidays: HolidaySpec
    incidents: IncidentRules
    categories: tuple[CategorySpec, ...]
    danger: DangerSpec
    intents: dict[str, PhraseSpec]
    schedule: dict[Key, JobTime]
    registry: RegistrySpec
    residents: ResidentsSpec
    teams: TeamRules
    notices: NoticeRules
    messages: MessageRules
    texts: dict[str, str]
    town: Town

    @model_validator(mode="after")
    def _names_agree(self) -> "BookData":
        for trouble in (*self._grade_troubles(), *self._level_troubles(), *self._team_troubles()):
            raise ValueError(trouble)
        return self

    def _grade_troubles(self) -> Iterator[str]:
        rules, levels = self.incidents, {level.key for level in self.levels}
        for name, grade in rules.grades.items():
            if grade.calendar not in self.hours:
                yield f"incidents.grades.{name}.calendar: no hours called {grade.calendar}"
            for step in grade.ladder:
                if step.to not in levels:
                    yield f"incidents.grades.{name}.ladder: no level called {step.to}"
        for key in (*rules.grade_of.values(), rules.danger_grade):
            if key not in rules.grades:
                yield f"incidents: no grade called {key}"
        yield from self._named_level_troubles()

    def _named_level_troubles(self) -> Iterator[str]:
        levels = {level.key for level in self.levels}
        for name in ("arbiter_level", "zero_level"):
            level = getattr(self.incidents, name)
            if level not in levels:
                yield f"incidents.{name}: no level called {level}"

    def _level_troubles(self) -> Iterator[str]:
        for level in self.levels:
            if level.keeper is not None and level.keeper not in self.roles:
                yield f"levels.{level.key}.keeper: no role called {level.keeper}"
        known = {*(level.key for level in self.levels), *self.registry.kinds}
        for rule in self.registry.sizes:
            counted = {measure.counts for measure in rule.measures} - set(MEASURES)
            for name in sorted({rule.of, *counted} - known):
                yield f"registry.sizes: no level or kind called {name}"

    def _team_troubles(self) -> Iterator[str]:
        for role in sorted(self.teams.roles() - set(self.roles)):
            yield f"teams: no role called {role}"
        known = {*(level.key for level in self.levels), *self.registry.kinds}
        for template in self.teams.templates:
            if template.of not in known:
                yield f"teams.templates: no level or kind called {template.of}"
        for role, words in self.teams.eligible.items():
            for word in words:
                if word not in self.teams.standings:
                    yield f"teams.eligible.{role}: no standing called {word}"
