"""How an office's own lists are read: what sheets and columns are called, and how large a grid should be."""

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


class SizeRule(_Strict):
    """How many of something a grid should hold; only ever told, never enforced."""

    of: Key
    """A level of the tree, or a kind of grid."""
    counts: Key
    """`households`, or the level or kind of the grids counted below it."""
    least: int | None = None
    most: int | None = None


class RegistrySpec(_Strict):
    """What is needed to read and write an office's lists."""

    sheets: dict[SheetKind, SheetSpec]
    kinds: dict[KindKey, Words]
    party: Words
    """What says that somebody is a member of the Party."""
    masses: Words
    """What says that somebody is not."""
    yes: Words = ("是",)
    no: Words = ("否",)
    asides: tuple[str, ...] = ()
    """What stands in headings beside the column's name."""
    sizes: tuple[SizeRule, ...] = ()
