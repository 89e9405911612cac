"""Spans: what each grid was called and where it lay at any time; the past is only ever added to."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, and_, bindparam, delete, insert, not_, or_, select, update
from sqlmodel import Session

from models import Grid, GridSpan

GRIDS: Table = Grid.__table__  # type: ignore[attr-defined]
SPANS: Table = GridSpan.__table__  # type: ignore[attr-defined]
_TOLD = ("code", "name", "parent_id", "path")
"""What a span keeps of a grid."""
_OPEN = SPANS.c.valid_to.is_(None)


def keep_spans(session: Session, now: datetime) -> int:
    """Bring the spans up to date with the grids: called in each work that has changed the tree.

    What was true until `now` (aware UTC) ends there, what is true now begins; two changes at one moment are
    one. Returns how many grids had changed.
    """
    session.flush()
    rows = list(session.execute(_changed()))
    ended, vanished, mended, begun = [], [], [], []
    for row in rows:
        fresh = row.span_id is not None and row.since == now
        if row.span_id is not None and not fresh:
            ended.append({"the_id": row.span_id, "its_end": row.valid_to or now})
        elif fresh and row.valid_to is not None:
            vanished.append(row.span_id)
        elif fresh:
            mended.append({"the_id": row.span_id, **{f"its_{name}": getattr(row, name) for name in _TOLD}})
        if row.valid_to is None and not fresh:
            begun.append(_new(row, now))
    _write(session, ended, vanished, mended, begun)
    return len(rows)


def _changed() -> Any:
    """Grids whose open span, if they have one, says something else than they do."""
    same = and_(
        SPANS.c.id.is_not(None),
        *(SPANS.c[name] == GRIDS.c[name] for name in ("code", "name", "path")),
    )
    columns = (GRIDS.c.id, GRIDS.c.valid_from, GRIDS.c.valid_to, *(GRIDS.c[name] for name in _TOLD))
    return (
        select(*columns, SPANS.c.id.label("span_id"), SPANS.c.valid_from.label("since"))
        .select_from(GRIDS.outerjoin(SPANS, and_(SPANS.c.grid_id == GRIDS.c.id, _OPEN)))
        .where(
            or_(
                and_(GRIDS.c.valid_to.is_(None), or_(SPANS.c.id.is_(None), not_(same))),
                and_(GRIDS.c.valid_to.is_not(None), SPANS.c.id.is_not(None)),
            )
        )
    )


def _new(row: Row[Any], now: datetime) -> dict[str, Any]:
    since = now if row.span_id is not None else row.valid_from
    return {"grid_id": row.id, "valid_from": since, **{name: getattr(row, name) for name in _TOLD}}


def _write(
    session: Session,
    ended: list[dict[str, Any]],
    vanished: list[int],
    mended: list[dict[str, Any]],
    begun: list[dict[str, Any]],
) -> None:
    this = SPANS.c.id == bindparam("the_id")
    connection = session.connection()
    if ended:
        connection.execute(update(SPANS).where(this).values(valid_to=bindparam("its_end")), ended)
    if vanished:
        connection.execute(delete(SPANS).where(this), [{"the_id": number} for number in vanished])
    if mended:
        values = {name: bindparam(f"its_{name}", type_=SPANS.c[name].type) for name in _TOLD}
        connection.execute(update(SPANS).where(this).values(values), mended)
    if begun:
        connection.execute(insert(SPANS), begun)


def paths_ever(session: Session, grid_ids: Iterable[int]) -> Iterator[str]:
    """All paths that grids have ever had: what was opened below one of them was opened in that grid."""
    query = select(SPANS.c.path).where(SPANS.c.grid_id.in_(sorted(set(grid_ids)))).distinct()
    yield from session.execute(query).scalars()


def path_at(session: Session, grid_id: int, moment: datetime) -> str | None:
    """Where a grid lay at a moment; where it came to be later, where it lay first."""
    begun = or_(SPANS.c.valid_from.is_(None), SPANS.c.valid_from <= moment)
    query = select(SPANS.c.path).where(SPANS.c.grid_id == grid_id)
    then: str | None = session.execute(query.where(begun).order_by(SPANS.c.id.desc()).limit(1)).scalar()
    return then or session.execute(query.order_by(SPANS.c.id).limit(1)).scalar()


def tree_at(session: Session, moment: datetime) -> dict[int, Row[Any]]:
    """The grids there were at a moment: number -> a row with code, name, parent_id and path."""
    begun = or_(SPANS.c.valid_from.is_(None), SPANS.c.valid_from <= moment)
    query = select(SPANS).where(begun, or_(_OPEN, SPANS.c.valid_to > moment)).order_by(SPANS.c.path)
    return {row.grid_id: row for row in session.execute(query)}


def codes_ever(session: Session) -> Iterator[tuple[str, int]]:
    """Every code any grid has ever had, and whose it was."""
    yield from ((row[0], row[1]) for row in session.execute(select(SPANS.c.code, SPANS.c.grid_id).distinct()))
