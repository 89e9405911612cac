"""Grids: the tree of areas, from the county down to a building."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, String
from sqlmodel import Column, Field, SQLModel

from models.base import Json, choice_type, in_values


class GridKind(StrEnum):
    """What sort of grid a node is; an area is an administrative level above the grids."""

    AREA = "area"
    BASE = "base"
    EXCLUSIVE = "exclusive"
    MICRO = "micro"
    GRANULE = "granule"


class Grid(SQLModel, table=True):
    """One node of the tree. `path` is '/1/12/345/' with the node's own id last."""

    __tablename__ = "grid"
    __table_args__ = (CheckConstraint(in_values("kind", GridKind), name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    parent_id: int | None = Field(default=None, foreign_key="grid.id", index=True)
    code: str = Field(sa_column=Column(String(32), nullable=False, unique=True))
    name: str
    level: str
    kind: GridKind = Field(default=GridKind.AREA, sa_column=Column(choice_type(GridKind), nullable=False))
    path: str = Field(
        sa_column=Column(
            String(255).with_variant(String(255, collation="C"), "postgresql"),
            nullable=False,
            unique=True,
        )
    )
    aliases: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    lat: float | None = None
    lon: float | None = None


def path_range(path: str) -> tuple[str, str]:
    """Half-open range of the paths in the subtree of `path`.

    A range uses the index on SQLite and PostgreSQL alike where LIKE scans; '0' is the character after '/'.
    """
    return path, path[:-1] + "0"
