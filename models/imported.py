"""Imports: which lists were brought in, and exactly what they made and changed, so that it can be undone."""

from datetime import datetime
from typing import Any

from sqlmodel import Column, Field, SQLModel

from models.base import Json, Moment
from models.sealing import SealedJson


class Imported(SQLModel, table=True):
    """One import of one or several files."""

    __tablename__ = "imported"

    id: int | None = Field(default=None, primary_key=True)
    file: str
    """Names of the files."""
    digest: str
    """SHA-256 of what was in them."""
    by_id: int | None = Field(default=None, foreign_key="person.id")
    """None: whoever runs the program."""
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    """Sheet -> new, changed, same, wrong."""
    made: dict[str, list[list[int]]] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    """Table -> runs of ids, first and last."""
    changed: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(SealedJson("imported.changed"), nullable=False)
    )
    """Table, id, and the columns before and after; phones may be among them."""
    undone_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class CodeSerial(SQLModel, table=True):
    """The last serial given out under a village's code; it only grows, so that no code comes twice."""

    __tablename__ = "code_serial"

    prefix: str = Field(primary_key=True)
    last: int
