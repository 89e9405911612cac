"""One place's book, opened: its sections as they were written, and what is made of them once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from handbook.calendar import WorkCalendar
from handbook.danger import DangerKindSpec
from handbook.hours import HolidaySpec, HoursSpec, open_calendars
from handbook.kinds import CategorySpec, Danger, Kinds
from handbook.messages import MessageRules
from handbook.modules import ResidentsSpec
from handbook.notices import NoticeRules
from handbook.phrases import Phrases
from handbook.registry import RegistrySpec, with_columns
from handbook.schema import BookData, Grade, IncidentRules, JobTime, Level, PlaceInfo, Role, Town
from handbook.teams import TeamRules


@dataclass(frozen=True, eq=False)
class Book:
    """What a town has decided, for everybody who has to go by it.

    Args:
        key: the place's folder, such as minhou.
        data: the checked and frozen sections.
        version: a short fingerprint of the merged sheets, for the log and for a case's history.
    """

    key: str
    data: BookData
    version: str

    @property
    def place(self) -> PlaceInfo:
        """Who this place is and where its rules come from."""
        return self.data.place

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels of the tree from the top down."""
        return self.data.levels

    @property
    def roles(self) -> Mapping[str, Role]:
        """The posts of this place by key."""
        return self.data.roles

    @property
    def hours(self) -> Mapping[str, HoursSpec]:
        """The working hours as written; `calendars` counts by them."""
        return self.data.hours

    @property
    def holidays(self) -> HolidaySpec:
        """The holiday table as written."""
        return self.data.holidays

    @property
    def incidents(self) -> IncidentRules:
        """What is decided about cases."""
        return self.data.incidents

    @property
    def categories(self) -> tuple[CategorySpec, ...]:
        """The kinds of case as written; `kinds` tells them by words."""
        return self.data.categories

    @property
    def schedule(self) -> Mapping[str, JobTime]:
        """When the clock's jobs run, by job."""
        return self.data.schedule

    @cached_property
    def registry(self) -> RegistrySpec:
        """How the office's own lists are read and written, with a column for each module that is on."""
        columns = {key: module.columns for key, module in self.residents.on.items() if module.columns}
        return with_columns(self.data.registry, "households", columns)

    @property
    def residents(self) -> ResidentsSpec:
        """What is kept of residents, for what, and how long."""
        return self.data.residents

    @property
    def teams(self) -> TeamRules:
        """Who may hold a post, and whom a team consists of."""
        return self.data.teams

    @property
    def messages(self) -> MessageRules:
        """How much people may be told unasked, and when."""
        return self.data.messages

    @property
    def notices(self) -> NoticeRules:
        """The kinds of notice, and what holds for each."""
        return self.data.notices

    @property
    def texts(self) -> Mapping[str, str]:
        """Every text by its key."""
        return self.data.texts

    @property
    def town(self) -> Town:
        """The demo town."""
        return self.data.town

    @cached_property
    def zone(self) -> ZoneInfo:
        """The place's time zone, by which moments are shown."""
        return ZoneInfo(self.place.zone)

    @cached_property
    def calendars(self) -> Mapping[str, WorkCalendar]:
        """The calendars by the name of their hours."""
        return open_calendars(self.hours, self.holidays)

    @cached_property
    def kinds(self) -> Kinds:
        """Tells a case's category by the words of a report."""
        return Kinds(self.categories)

    @cached_property
    def danger(self) -> Danger:
        """Tells whether words of a report mean danger to life."""
        return Danger(self.data.danger)

    @cached_property
    def phrases(self) -> Phrases:
        """Tells what a free sentence wants."""
        return Phrases(self.data.intents)

    def level_index(self, key: str) -> int:
        """Tell how far down the tree a level is, 0 at the top.

        Raises:
            KeyError: no such level.
        """
        return self._level_indexes[key]

    def level(self, key: str) -> Level:
        """Give a level of the tree.

        Raises:
            KeyError: no such level.
        """
        return self.levels[self.level_index(key)]

    def grade(self, key: str) -> Grade:
        """Give a grade's hours and ladder.

        Raises:
            KeyError: no such grade.
        """
        return self.incidents.grades[key]

    def role_name(self, key: str) -> str:
        """Give the name this place uses for a post.

        Raises:
            KeyError: no such role.
        """
        return self.roles[key].name

    def category(self, code: str) -> CategorySpec:
        """Give one kind of case.

        Raises:
            KeyError: no such category.
        """
        return self._categories[code]

    def category_or_none(self, code: str) -> CategorySpec | None:
        """Give one kind of case, or None: a code typed by hand may mean nothing."""
        return self._categories.get(code)

    def danger_kind(self, key: str) -> DangerKindSpec:
        """Give what to do in one kind of danger, to say it again later.

        Raises:
            KeyError: no such kind of danger.
        """
        return self.data.danger.kinds[key]

    def text(self, key: str) -> str:
        """Give a text, its {names} still to be filled in.

        Raises:
            KeyError: no such text in this book.
        """
        try:
            return self.texts[key]
        except KeyError:
            raise KeyError(f"no text {key!r} in the book of {self.key}") from None

    @cached_property
    def _level_indexes(self) -> dict[str, int]:
        return {level.key: index for index, level in enumerate(self.levels)}

    @cached_property
    def _categories(self) -> dict[str, CategorySpec]:
        return {category.code: category for category in self.categories}
