"""What a place keeps of residents beyond name, phone, address and grid, and how long it keeps anything."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[tuple[str, ...], Field(min_length=1)]
Days = Annotated[int, Field(ge=0, le=3660)]
Form = Literal["marks", "id_number", "year", "text"]
SeenBy = Literal["look_up", "confide"]
"""The ability that shows a module: that for everybody's name, or that for what is sensitive."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModuleSpec(_Strict):
    """One thing that may be kept of a person or a door, if this place says so."""

    name: str
    words: tuple[str, ...] = ()
    """What else people call it (标注 张三 身份证 …)."""
    on: bool = False
    of: Literal["person", "household"] = "person"
    purpose: str
    """What it is kept for: one sentence that a resident is told."""
    form: Form = "marks"
    marks: dict[Key, Words] = {}
    """Key of a mark -> what people call it; the first word is shown."""
    seen_by: SeenBy = "look_up"
    consent: bool = False
    """It may be kept only when the resident has said yes."""
    sealed: bool = False
    keep: Days
    """Days after the resident has left or died."""
    lasts: Days | None = None
    """Days for which it holds after it was noted; then it has to be noted anew."""
    columns: tuple[str, ...] = ()
    """What offices call its column in their lists; the first is the one we write."""

    @model_validator(mode="after")
    def _marks_agree(self) -> "ModuleSpec":
        if (self.form == "marks") != bool(self.marks):
            raise ValueError("marks are for the form marks, which needs some")
        if self.form == "id_number" and not self.sealed:
            raise ValueError("an ID number is kept sealed")
        if self.sealed and self.form == "marks":
            raise ValueError("marks are not sealed: lists are made by them")
        return self


class SegmentSpec(_Strict):
    """A list of residents that has a name: who has one of the marks, and is of the age."""

    name: str
    words: tuple[str, ...] = ()
    marks: dict[Key, tuple[Key, ...]] = {}
    """Module -> marks, any of which is enough; of every module named."""
    age_from: int | None = None
    age_to: int | None = None
    placed: bool = False
    """Only within a place that has to be named (楼栋 3栋)."""


class KeepSpec(_Strict):
    """For how many days what is not a module's is kept."""

    left: Days
    """Name, phone and address of who has left the grid, and has neither account nor post."""
    died: Days
    messages: Days
    """The words of messages that came in."""
    talks: Days
    """What a talk that nobody goes on with still remembers."""
    letters: Days
    """The words of letters and answers that were sent."""
    imports: Days
    """What an import changed; until then it can be undone."""
    moves: Days = 30
    """For how long a leaving, a move or a death can be taken back as entered by mistake."""
    joins: Days
    """What joining two records changed; until then it can be taken back."""


class ResidentsSpec(_Strict):
    """Everything the place decides about what is kept of residents."""

    fields: dict[Literal["phone", "name", "head"], Words]
    """What a correction calls the minimum's own fields."""
    modules: dict[Key, ModuleSpec]
    segments: dict[Key, SegmentSpec]
    keep: KeepSpec

    @model_validator(mode="after")
    def _names_agree(self) -> "ResidentsSpec":
        for trouble in self._troubles():
            raise ValueError(trouble)
        return self

    def _troubles(self) -> Iterator[str]:
        named: dict[str, str] = {}
        for key, module in self.modules.items():
            spoken = [module.name, *module.words, *(word for its in module.marks.values() for word in its)]
            for word in dict.fromkeys(spoken):
                if named.setdefault(word, key) != key:
                    yield f"{word} is said for {named[word]} and for {key}"
        for key, segment in self.segments.items():
            yield from self._segment_troubles(key, segment)

    def _segment_troubles(self, key: str, segment: SegmentSpec) -> Iterator[str]:
        for name, marks in segment.marks.items():
            known = self.modules[name].marks if name in self.modules else {}
            for mark in set(marks) - set(known):
                yield f"segments.{key}: {name} has no mark {mark}"
        if (segment.age_from, segment.age_to) != (None, None) and self.year is None:
            yield f"segments.{key}: ages need a module of the form year"

    @property
    def on(self) -> Mapping[str, ModuleSpec]:
        """The modules that are switched on here."""
        return {key: module for key, module in self.modules.items() if module.on}

    @property
    def year(self) -> str | None:
        """The module that keeps the year of birth."""
        return next((key for key, module in self.modules.items() if module.form == "year"), None)

    def works(self, segment: SegmentSpec) -> bool:
        """Whether everything that a list needs is switched on here."""
        by_age = segment.age_from is not None or segment.age_to is not None
        needed = {*segment.marks, *([self.year] if by_age else [])}
        return needed <= self.on.keys()

    def seen_by(self, segment: SegmentSpec) -> frozenset[str]:
        """The abilities that a list needs."""
        return frozenset({"look_up", *(self.modules[key].seen_by for key in segment.marks)})
