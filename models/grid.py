"""Grids: the tree of areas, from the county down to a building, and what each was at any time."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, text
from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment, choice_type, in_values


class GridKind(StrEnum):
    """What sort of grid a node is; an area is an administrative level above the grids."""

    AREA = "area"
    BASE = "base"
    EXCLUSIVE = "exclusive"
    MICRO = "micro"
    GRANULE = "granule"


def path_type() -> Any:
    """Column type of a path: compared byte by byte, so that a range of paths is a subtree."""
    return String(255).with_variant(String(255, collation="C"), "postgresql")


class Grid(SQLModel, table=True):
    """One node of the tree. `path` is '/1/12/345/' with the node's own id last.

    The row is what holds now. A grid that was split or merged away is closed (`valid_to`): its parent is that
    of its last day, its code is never given out again, and its path lies below the grid that took it over, so
    that whoever answers there still sees what happened in it.
    """

    __tablename__ = "grid"
    __table_args__ = (CheckConstraint(in_values("kind", GridKind), name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    parent_id: int | None = Field(default=None, foreign_key="grid.id", index=True)
    code: str = Field(sa_column=Column(String(32), nullable=False, unique=True))
    name: str
    level: str
    kind: GridKind = Field(default=GridKind.AREA, sa_column=Column(choice_type(GridKind), nullable=False))
    special: str | None = None
    """Of an exclusive grid: which of the book's types it is (an office, a market, a building site ...)."""
    subjects: int | None = None
    """Companies, shops and the like within it; None: nobody has said."""
    path: str = Field(sa_column=Column(path_type(), nullable=False, unique=True))
    aliases: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    lat: float | None = None
    lon: float | None = None
    valid_from: datetime | None = Field(default=None, sa_column=Column(Moment))
    """None: since before anybody noted it."""
    valid_to: datetime | None = Field(default=None, sa_column=Column(Moment))
    heir_id: int | None = Field(default=None, foreign_key="grid.id")
    """Of a closed grid: the one it was merged into; None where it was split."""


class GridSpan(SQLModel, table=True):
    """What a grid was called and where it lay, from a moment to a moment: without a gap or an overlap."""

    __tablename__ = "grid_span"
    __table_args__ = (
        Index(
            "ix_grid_span_open",
            "grid_id",
            unique=True,
            sqlite_where=text("valid_to IS NULL"),
            postgresql_where=text("valid_to IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    grid_id: int = Field(foreign_key="grid.id", index=True)
    code: str
    name: str
    parent_id: int | None = None
    """No reference: an import may be undone that made the parent."""
    path: str = Field(sa_column=Column(path_type(), nullable=False))
    valid_from: datetime | None = Field(default=None, sa_column=Column(Moment))
    """None: since before anybody noted it."""
    valid_to: datetime | None = Field(default=None, sa_column=Column(Moment))
    """None: it holds now."""


class GridTally(SQLModel, table=True):
    """How many live in exactly this grid; written with whatever changes it, so that a county is summed up
    without counting a million rows.
    """

    __tablename__ = "grid_tally"

    grid_id: int = Field(foreign_key="grid.id", primary_key=True)
    households: int
    residents: int


class GridBoundary(SQLModel, table=True):
    """The outline of a grid, and the box around it by which it is looked up."""

    __tablename__ = "grid_boundary"
    __table_args__ = (Index("ix_grid_boundary_box", "south", "north", "west", "east"),)

    grid_id: int = Field(foreign_key="grid.id", primary_key=True)
    south: float
    north: float
    west: float
    east: float
    shape: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    """A Polygon or MultiPolygon of GeoJSON, in WGS-84 degrees, longitude first."""


def path_range(path: str) -> tuple[str, str]:
    """Half-open range of the paths in the subtree of `path`.

    A range uses the index on SQLite and PostgreSQL alike where LIKE scans; '0' is the character after '/'.
    """
    return path, path[:-1] + "0"
