"""The leaders' page: open cases by grid and state, overdue first; one case's whole story. No script."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from jinja2 import Environment
from sqlalchemy import func, select
from sqlmodel import col

from handlers import access
from handlers.boards import Board, board_cases
from handlers.cases import role_and_name
from handlers.lists import past_due
from handlers.refusal import Refusal
from handlers.showing import case_data
from handlers.tree import Node
from handlers.work import Reading
from models import OPEN, Incident, Scope, State, path_range
from web.cases import CaseView, case_view
from web.login import Keys, come_by_link, holder, keys_of, stay
from web.looking import BOARD, note_look
from web.parts import Parts
from web.reading import Looks, as_actor
from web.show import page

_MOST: Final = 200
_LARGEST: Final = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=_LARGEST)]
Area = Annotated[int | None, Query(ge=1, le=_LARGEST)]


@dataclass(frozen=True)
class Row:
    """One line of the table of counts."""

    name: str
    total: int
    overdue: int
    by_stage: Counter[str]


@dataclass(frozen=True)
class BoardView:
    """What the board shows."""

    title: str
    areas: list[tuple[int, str]]
    """Grids one may look at more closely: (id, indented name)."""
    stages: list[str]
    rows: list[Row]
    total: int
    overdue: int
    cases: list[dict[str, Any]]


def board_routes(parts: Parts, looks: Looks, templates: Environment) -> APIRouter:
    """GET /board and GET /board/{number}."""
    router = APIRouter(include_in_schema=False)

    async def read(request: Request, job: Callable[[Reading], Any]) -> Any:
        keys = keys_of(parts, request)
        try:
            return await looks(lambda reading: job(_as_holder(reading, keys)))
        except Refusal:
            raise HTTPException(404, "没有这件事，或者不在您的范围内。") from None

    def around(request: Request) -> dict[str, Any]:
        seat = keys_of(parts, request).seat
        return {"q": f"?seat={seat}" if seat else "", "seat": seat}

    @router.get("/board")
    async def board(request: Request, area: str = "") -> Response:
        by_link = await come_by_link(parts, looks, request, Scope.BOARD)
        if by_link is not None:
            return by_link
        await stay(parts, looks, request, Scope.BOARD)
        view = await read(request, lambda reading: board_view(reading, _number(area)))
        return page(
            templates, "board.html", view=view, area=_number(area), now=parts.now(), **around(request)
        )

    @router.get("/board/{number}")
    async def case(request: Request, number: Number) -> Response:
        await stay(parts, looks, request, Scope.BOARD)
        view: CaseView = await read(request, lambda reading: case_view(reading, number))
        await note_look(parts, view.actor, number, BOARD)
        return page(templates, "case.html", view=view, now=parts.now(), **around(request))

    return router


def _number(area: str) -> int | None:
    """The form sends an empty field for the whole area; anything else that is no number means that too."""
    return int(area) if area.isascii() and area.isdigit() and len(area) < 10 else None


def _as_holder(reading: Reading, keys: Keys) -> Reading:
    actor = holder(reading, keys, Scope.BOARD)
    if actor is None:
        raise HTTPException(401, "请在聊天里回复“登录”，用发给您的链接打开看板。")
    return as_actor(reading, actor)


# ---- what the board shows --------------------------------------------------------------------------------


def board_view(reading: Reading, area: int | None) -> BoardView:
    """Read the board of the actor's area, or of one grid in it. Raises a 403 for whom no post opens it."""
    if not reading.actor.may(Board.may or ""):
        raise HTTPException(403, "看板给社区和镇里的负责人看，您的岗位没有这一项。")
    inside = _nodes_inside(reading)
    base = next((node for node in inside if node.id == area), None)
    rows, stages = _rows(reading, base or (inside[0] if inside else reading.tree.root))
    found = board_cases(reading, limit=_MOST, area=base.id if base else None)
    return BoardView(
        title=role_and_name(reading, reading.actor.id),
        areas=[(node.id, _indented(reading, node)) for node in inside if _is_shown(reading, node)],
        stages=stages,
        rows=rows,
        total=sum(row.total for row in rows),
        overdue=sum(row.overdue for row in rows),
        cases=[case_data(reading, case) for case in found],
    )


def _nodes_inside(reading: Reading) -> list[Node]:
    """Grids of the actor's area from the top down."""
    nodes = (
        node
        for node in reading.tree.nodes.values()
        if any(low <= node.path < high for low, high in reading.actor.ranges)
    )
    return sorted(nodes, key=lambda node: (node.path.count("/"), node.path))


def _is_shown(reading: Reading, node: Node) -> bool:
    """Buildings are too many to choose from; their cases stand in the list."""
    return reading.book.level(node.level).keeper is not None


def _indented(reading: Reading, node: Node) -> str:
    depth = node.path.count("/") - min(low.count("/") for low, _ in reading.actor.ranges)
    return "　" * depth + node.name


def _rows(reading: Reading, base: Node) -> tuple[list[Row], list[str]]:
    """Counts per grid right below `base`, the most overdue first; and the stages that occur."""
    low, high = path_range(base.path)
    found: dict[str, Row] = {}
    for grid_id, state, total, overdue in _counts(reading):
        path = reading.tree.at(grid_id).path
        if low <= path < high:
            name = _child(reading, base, path)
            row = found.get(name) or Row(name, 0, 0, Counter())
            stages = row.by_stage + Counter({reading.stage(state): total})
            found[name] = Row(name, row.total + total, row.overdue + overdue, stages)
    rows = sorted(found.values(), key=lambda row: (-row.overdue, -row.total, row.name))
    words = dict.fromkeys(reading.stage(state) for state in State if state in OPEN)
    return rows, [word for word in words if any(row.by_stage[word] for row in rows)]


def _counts(reading: Reading) -> list[tuple[int, State, int, int]]:
    """(grid, state, open, overdue) of the actor's area: one query, rolled up in one pass."""
    mine = access.seen_by(reading).where(access.in_area(reading), col(Incident.state).in_(OPEN))
    columns = (col(Incident.grid_id), col(Incident.state), past_due(reading).label("late"))
    shown = mine.with_only_columns(*columns).subquery()
    query = select(shown.c.grid_id, shown.c.state, func.count(), func.count().filter(shown.c.late)).group_by(
        shown.c.grid_id, shown.c.state
    )
    return [(row[0], State(row[1]), row[2], row[3]) for row in reading.session.execute(query)]


def _child(reading: Reading, base: Node, path: str) -> str:
    """The grid right below `base` on the branch of a path; `base` itself where the case lies on it."""
    below = path.removeprefix(base.path).split("/")[0]
    return reading.tree.at(int(below)).name if below else base.name
