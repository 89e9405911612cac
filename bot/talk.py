"""The state of one talk: what is being asked, what was offered, what lies waiting. JSON of names, never
objects.
"""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.message import Choice
from handlers.material import Given
from handlers.waiting import STALE

KEPT = timedelta(hours=24)
ALARMED = timedelta(hours=4)
"""How long what the reporter of a danger says is taken to be about it."""
CONFIRM = "confirm!"
"""Stands in `asking` where the whole command waits for a yes."""


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Form(_State):
    """A command whose fields are being asked for."""

    command: str
    known: dict[str, Any] = {}
    asking: str | None = None
    asked: tuple[str, ...] = ()
    """Fields in the order they were asked, so that one can go back."""
    options: tuple[Choice, ...] = ()
    tries: int = 0
    confirmed: bool = False
    optional: bool = False
    """Words that may follow and need not: never shelved, never asked for again, gives way to any command."""


class Loose(_State):
    """Photos, other files and a place that came before any words."""

    media: tuple[Given, ...] = ()
    lat: float | None = None
    lon: float | None = None


class Alarm(_State):
    """The danger last told of here, as long as what is said next may be about it."""

    case: int
    at: datetime
    placed: bool = True
    """The place is known beyond doubt."""
    over: bool = False
    """Its reporter has given the all-clear."""


class Talk(_State):
    """Everything a conversation remembers."""

    form: Form | None = None
    shelf: Form | None = None
    """A half-filled form put aside, for 继续."""
    shelved_at: datetime | None = None
    choices: tuple[Choice, ...] = ()
    """What the numbers of the last prompt mean."""
    offered_at: datetime | None = None
    """When they were offered; it stays when they have lapsed, so that an old number is told from a wrong one.
    """
    loose: Loose = Loose()
    last_case: int | None = None
    """The case last spoken of, for photos that come later and for 撤回 and 改."""
    yes_or_no: bool = False
    """The last thing said offered two choices, so that 是 and 不是 answer it."""
    last_filed: int | None = None
    """The report last filed here, for corrections, the place after an alarm, and the all-clear."""
    alarm: Alarm | None = None
    misheard: int = 0
    touched_at: datetime | None = None
    minute: datetime | None = None
    in_minute: int = 0

    def aged(self, now: datetime) -> "Talk":
        """The talk as it is after a silence.

        After half an hour a form goes to the shelf, and loose photos and the case last spoken of lapse.
        Numbers mean the same for a day, for a list of the morning is worked off until the evening.
        """
        talk = self._without_old_choices(now)
        if talk.alarm is not None and now - talk.alarm.at >= ALARMED:
            talk = talk.model_copy(update={"alarm": None})
        since = talk.touched_at
        if since is None or now - since < STALE:
            return talk
        talk = talk.model_copy(
            update={"loose": Loose(), "last_case": None, "last_filed": None, "misheard": 0}
        )
        if talk.form is not None and talk.form.known and not talk.form.optional:
            talk = talk.shelve(since)
        talk = talk.model_copy(update={"form": None})
        if talk.shelved_at is not None and now - talk.shelved_at > KEPT:
            talk = talk.model_copy(update={"shelf": None, "shelved_at": None})
        return talk

    def alarmed(self, case: int, now: datetime, *, placed: bool) -> "Talk":
        """The talk after a danger was told of."""
        return self.model_copy(update={"alarm": Alarm(case=case, at=now, placed=placed)})

    def _without_old_choices(self, now: datetime) -> "Talk":
        since = self.offered_at or self.touched_at
        if not self.choices or since is None or now - since <= KEPT or self.asks_whether_solved:
            return self
        return self.model_copy(update={"choices": (), "yes_or_no": False, "offered_at": since})

    @property
    def has_lapsed(self) -> bool:
        """Whether choices were offered once, and are too old by now."""
        return self.offered_at is not None and not self.choices

    @property
    def asks_whether_solved(self) -> bool:
        """Whether 解决了吗? was the last thing asked; it stays open for as many days as the place waits."""
        return self.yes_or_no and [choice.do for choice in self.choices] == ["solved", "unsolved"]

    def offering(self, choices: tuple[Choice, ...], now: datetime) -> "Talk":
        """The talk when choices are offered; itself where they have just been."""
        fresh = self.offered_at is not None and now - self.offered_at < STALE
        if self.choices == choices and fresh:
            return self
        return self.model_copy(update={"choices": choices, "offered_at": now})

    def prompted(self, choices: tuple[Choice, ...], now: datetime) -> "Talk":
        """The talk when a push offers choices: 是 answers it only where it asks whether a case is solved."""
        talk = self.offering(choices, now)
        asks = [choice.do for choice in choices] == ["solved", "unsolved"]
        yes_or_no = asks or (self.yes_or_no and self.choices == choices)
        return talk if talk.yes_or_no == yes_or_no else talk.model_copy(update={"yes_or_no": yes_or_no})

    def shelve(self, at: datetime) -> "Talk":
        """Put the open form aside."""
        if self.form is None:
            return self
        if self.form.optional:
            return self.with_form(None)
        return self.model_copy(update={"form": None, "shelf": self.form, "shelved_at": at})

    def with_form(self, form: Form | None) -> "Talk":
        """The same talk with another form open."""
        return self.model_copy(update={"form": form})
