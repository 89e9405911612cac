"""How much people may be told, and when: quiet hours, and messages a day."""

from datetime import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class MessageRules(BaseModel):
    """What holds for everything that is said unasked (减负: product.md R4 to R6)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet_from: Clock
    quiet_until: Clock
    """From evening to morning nobody is told what can wait."""
    a_day: Annotated[int, Field(ge=1, le=100)]
    """Notices, reminders and cards that one person gets on a day; more wait for the next."""

    @model_validator(mode="after")
    def _is_a_night(self) -> "MessageRules":
        if self.begins <= self.ends:
            raise ValueError("quiet_from is in the evening, and quiet_until in the next morning")
        return self

    @property
    def begins(self) -> time:
        """When the quiet hours begin, by the place's clock."""
        return time.fromisoformat(self.quiet_from)

    @property
    def ends(self) -> time:
        """When they end, on the next morning."""
        return time.fromisoformat(self.quiet_until)
