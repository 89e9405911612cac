"""The API's lists: plain reads on behalf of a key's holder, with the same rows as chat and board show."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from handlers.boards import Board, board_cases, board_counts
from handlers.cases import role_and_name
from handlers.catalogue import COMMANDS
from handlers.choices import cases
from handlers.day_cards import Todo, todo_cases
from handlers.refusal import Refusal
from handlers.showing import case_data
from handlers.work import Reading
from handlers.zero_boards import Zero, zero_rows
from web.bearer import Bearer, Key, must_have
from web.cases import case_view
from web.giving import API, outcome_of
from web.looking import note_look
from web.parts import Parts
from web.reading import Looks

_MOST: Final = 200
"""Cases of one list: what a person can look through."""
_LARGEST: Final = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=_LARGEST)]
Area = Annotated[int | None, Query(ge=1, le=_LARGEST, description="Id of a grid in one's area")]
List = dict[str, Any]


def add_lists(router: APIRouter, parts: Parts, looks: Looks) -> None:
    """Add GET /me, /commands, /todo, /progress, /zero, /board and /incidents/{number}."""
    listed = _Listed(parts, looks)
    for name, read in _LISTS.items():
        _add_list(router, listed, name, read)

    @router.get("/board", tags=["lists"])
    async def board(key: Key, area: Area = None) -> Response:
        """Open cases of one's area, or of one grid in it; overdue first."""
        return await listed(key, lambda reading: _board(reading, area))

    @router.get("/incidents/{number}", tags=["lists"])
    async def incident(key: Key, number: Number) -> Response:
        """One case with its timeline, clocks, people and photos."""
        answer = await listed(key, lambda reading: _incident(reading, number, parts.base))
        if answer.status_code == HTTPStatus.OK:
            await note_look(parts, await looks(key.actor), number, API)
        return answer


def _add_list(router: APIRouter, listed: "_Listed", name: str, read: Callable[[Reading], List]) -> None:
    async def get(key: Key) -> Response:
        return await listed(key, read)

    router.add_api_route(f"/{name}", get, operation_id=f"list_{name}", summary=read.__doc__, tags=["lists"])


class _Listed:
    """Answers with what a job reads on behalf of a key's holder, or with its refusal."""

    def __init__(self, parts: Parts, looks: Looks) -> None:
        self._parts = parts
        self._looks = looks

    async def __call__(self, key: Bearer, job: Callable[[Reading], List]) -> Response:
        try:
            found = await self._looks(lambda reading: job(key.reading(reading)))
        except Refusal as no:
            refused = outcome_of(self._parts.book, no)
            return JSONResponse(refused.body, refused.status)
        return JSONResponse(jsonable_encoder(found))


def _me(reading: Reading) -> List:
    """Who the token speaks for."""
    actor = reading.actor
    return {
        "name": actor.name,
        "title": role_and_name(reading, actor.id),
        "may": sorted(actor.abilities),
        "posts": [
            {"role": post.role, "place": reading.tree.named(post.grid_id), "grid": post.grid_id}
            for post in actor.posts
        ],
    }


def _commands(reading: Reading) -> List:
    """What the token's holder may do."""
    allowed = [
        kind
        for kind in COMMANDS.values()
        if kind.in_api and (kind.may is None or reading.actor.may(kind.may))
    ]
    labels = reading.book.texts
    return {
        "items": [
            {"name": kind.name, "label": labels.get(f"menu.{kind.name}", kind.name)} for kind in allowed
        ]
    }


def _todo(reading: Reading) -> List:
    """Everything on one's table, most pressing first."""
    must_have(reading, Todo.may)
    rows = todo_cases(reading)
    return {"items": [{"section": section, **case_data(reading, case)} for section, case in rows[:_MOST]]}


def _progress(reading: Reading) -> List:
    """Open cases one has reported, latest first."""
    return {"items": [case_data(reading, case) for case in cases(reading, "reported", limit=_MOST)]}


def _zero(reading: Reading) -> List:
    """What is not yet zero, per community."""
    must_have(reading, Zero.may)
    return {
        "items": [
            {"area": area, "small": small, "big": big, "numbers": [case.id for case in found]}
            for area, small, big, found in zero_rows(reading)
        ]
    }


_LISTS: Final[Mapping[str, Callable[[Reading], List]]] = {
    "me": _me,
    "commands": _commands,
    "todo": _todo,
    "progress": _progress,
    "zero": _zero,
}


def _board(reading: Reading, area: int | None) -> List:
    must_have(reading, Board.may)
    known = area if area in reading.tree.nodes else None
    found = [] if area != known else board_cases(reading, limit=_MOST, area=known)
    total, overdue = board_counts(reading)
    return {"open": total, "overdue": overdue, "items": [case_data(reading, case) for case in found]}


def _incident(reading: Reading, number: int, base: str) -> List:
    view = case_view(reading, number)
    return {
        **view.data,
        "timeline": [asdict(line) for line in view.lines],
        "clocks": [asdict(clock) for clock in view.clocks],
        "people": [asdict(person) for person in view.people],
        "photos": [f"{base}/media/{name}" for name in view.photos],
    }
