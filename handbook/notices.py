"""Kinds of notice: how each is recognised, and what holds for it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NoticeKind(_Strict):
    """What holds for one kind of notice."""

    name: str
    words: tuple[str, ...] = ()
    """Words in a notice that tell it is of this kind."""
    receipt: bool = False
    """Whether a 收到 is asked for (减负: only where somebody needs to know)."""
    always: bool = False
    """Whether it comes to those as well who want no notices, and at night."""
    too_old: Annotated[int, Field(ge=1, le=720)] = 72
    """Hours after which it is not worth sending any more."""


class NoticeRules(_Strict):
    """What the place has decided about notices."""

    kinds: Annotated[dict[Key, NoticeKind], Field(min_length=1)]
    plain: Key
    """The kind of a notice whose words tell none."""
    approve: str
    """The ability that approves, held for the area by somebody else than its author."""
    self_approve_up_to: Annotated[int, Field(ge=0)] = 0
    """So many colleagues one may write to without a second person."""
    nudge_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """After so many hours whoever has not answered is reminded, once and in private."""

    def kind_of(self, words: str) -> str:
        """The kind that a notice's words tell."""
        fitting = (key for key, kind in self.kinds.items() if any(word in words for word in kind.words))
        return next(fitting, self.plain)
