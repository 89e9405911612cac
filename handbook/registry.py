"""How an office's own lists are read: what sheets and columns are called, and how large a grid should be."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SheetKind = Literal["grids", "units", "people", "households"]
KindKey = Literal["area", "base", "exclusive", "micro", "granule"]
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SheetSpec(_Strict):
    """One kind of sheet: what offices call it and its columns; the first word is the one we write."""

    names: Words
    columns: dict[Key, Words]


MEASURES = ("households", "residents", "km2", "subjects")
"""What is measured of a grid besides the grids below it."""


class Measure(_Strict):
    """How much of something a grid should hold."""

    counts: Key
    """One of MEASURES, or the level or kind of the grids counted below it."""
    least: int | None = None
    most: int | None = None

    @property
    def wanted(self) -> str:
        """The range in figures: 300-500, or the one end there is."""
        return f"{self.least}-{self.most}" if self.least and self.most else str(self.most or self.least or 0)

    def fits(self, found: float) -> bool:
        """Whether what was found lies within it."""
        return (self.least or 0) <= found <= (found if self.most is None else self.most)


class SizeRule(Measure):
    """How large a grid should be; only ever told, never enforced."""

    of: Key
    """A level of the tree, or a kind of grid."""
    or_: tuple[Measure, ...] = Field(default=(), alias="or")
    """It is enough to fit one of these."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All ways to fit."""
        return self, *self.or_


class RegistrySpec(_Strict):
    """What is needed to read and write an office's lists."""

    sheets: dict[SheetKind, SheetSpec]
    kinds: dict[KindKey, Words]
    specials: dict[Key, Words] = {}
    """Types of exclusive grid -> what offices call them."""
    party: Words
    """What says that somebody is a member of the Party."""
    masses: Words
    """What says that somebody is not."""
    yes: Words = ("是",)
    no: Words = ("否",)
    asides: tuple[str, ...] = ()
    """What stands in headings beside the column's name."""
    sizes: tuple[SizeRule, ...] = ()


def with_columns(spec: RegistrySpec, kind: SheetKind, columns: Mapping[Key, Words]) -> RegistrySpec:
    """The same lists with more columns in one kind of sheet, behind those that are there."""
    if not columns:
        return spec
    sheet = spec.sheets[kind]
    longer = sheet.model_copy(update={"columns": {**sheet.columns, **columns}})
    return spec.model_copy(update={"sheets": {**spec.sheets, kind: longer}})
