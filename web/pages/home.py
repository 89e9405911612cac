"""GET /: in the demo all seats side by side and a clock to move; elsewhere what this is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from jinja2 import Environment
from pydantic import BaseModel, Field, ValidationError

from handbook.loading import places
from handlers.cases import role_and_name
from handlers.tokens import actor_of, seats
from handlers.work import Reading
from web.forms import LARGEST_TEXT, is_form, read_form
from web.parts import Parts
from web.reading import Looks
from web.show import moment, page

_FIRST: Final = ("resident", "neighbour", "worker", "community", "town", "leader")
"""Seats in the order a newcomer meets them; a place's other seats follow."""
_MOST_PANES: Final = 4
_LONGEST_STEP: Final = 31 * 24 * 60
EXAMPLES: Final = ("楼下路灯坏了，晚上看不见路", "楼道里堆满杂物，走不过去", "厨房有很浓的燃气味")
"""Sentences for anybody's own neighbourhood: an ordinary case, one that needs somebody else, a danger."""


@dataclass(frozen=True)
class Seat:
    """Somebody whose place one can take in the demo."""

    key: str
    title: str


class Step(BaseModel):
    """How far to move the demo's clock."""

    minutes: float | None = Field(None, gt=0, le=_LONGEST_STEP)


def home_routes(parts: Parts, looks: Looks, templates: Environment) -> APIRouter:
    """GET / and, in the demo, GET and POST /demo/clock."""
    router = APIRouter(include_in_schema=False, max_body_size=LARGEST_TEXT)

    @router.get("/")
    async def home(show: Annotated[list[str] | None, Query()] = None) -> Response:
        if not parts.demo:
            return page(templates, "home.html")
        found, story = await looks(lambda reading: (_seats(reading), _story(reading)))
        return page(
            templates,
            "demo.html",
            seats=found,
            panes=_panes(found, show or story),
            now=parts.now(),
            due=await _next_due(parts),
            examples=EXAMPLES,
            places=places(),
            place_key=parts.book.key,
            stages=parts.stages,
        )

    @router.get("/demo/clock")
    async def clock() -> Response:
        if not parts.demo:
            raise HTTPException(404)
        return await _clock(parts)

    @router.post("/demo/clock")
    async def move(request: Request) -> Response:
        if parts.advance is None:
            raise HTTPException(404)
        step, show = await _step(request)
        await parts.advance(step.minutes)
        if is_form(request):
            query = "&".join(f"show={key}" for key in show if key.isidentifier())
            return RedirectResponse(f"{parts.base}/?{query}", 303)
        return await _clock(parts)

    return router


async def _step(request: Request) -> tuple[Step, list[str]]:
    """How far, and which panes to show again. Raises a 422 for what is no step forward."""
    form = await read_form(request)
    minutes = form.get("minutes")
    try:
        step = Step.model_validate({"minutes": minutes if minutes != "next" else None})
    except ValidationError:
        raise HTTPException(422, "时间只能往前拨，一次最多31天。") from None
    if minutes is None:
        raise HTTPException(422, "请说明往前拨多久。")
    return step, [str(key) for key in form.getlist("show")]


async def _clock(parts: Parts) -> Response:
    due = await _next_due(parts)
    return JSONResponse(
        {"now": moment(parts.book, parts.now()), "due": moment(parts.book, due) if due else ""}
    )


async def _next_due(parts: Parts) -> datetime | None:
    return await parts.next_due() if parts.next_due else None


def _seats(reading: Reading) -> list[Seat]:
    found = {key: _seat(reading, key, person_id) for key, person_id in seats(reading.session).items()}
    order = [*(key for key in _FIRST if key in found), *(key for key in found if key not in _FIRST)]
    return [found[key] for key in order]


def _seat(reading: Reading, key: str, person_id: int) -> Seat:
    actor = actor_of(reading.session, reading.tree, person_id)
    if actor is None or not actor.is_staff:
        return Seat(key, f"居民{actor.name if actor else ''}")
    return Seat(key, role_and_name(reading, person_id))


def _story(reading: Reading) -> list[str]:
    """The three seats that tell the story: who reports, who is given it, and to whom it climbs from there."""
    people = seats(reading.session)
    worker = reading.tree.staff.get(people.get("worker", 0))
    rules = reading.book.incidents
    ladder = rules.grades[rules.grade_of["ordinary"]].ladder
    above = reading.tree.at_level(worker.posts[0].grid_id, ladder[1].to) if worker and ladder[1:] else None
    keepers = reading.tree.keepers(above.id) if above else ()
    higher = [key for key, person_id in people.items() if person_id in keepers]
    return ["resident", "worker", *(higher[:1] or ["community"])]


def _panes(found: list[Seat], show: list[str]) -> list[Seat]:
    """The chosen seats, at most four."""
    by_key = {seat.key: seat for seat in found}
    chosen = [by_key[key] for key in dict.fromkeys(show) if key in by_key]
    return chosen[:_MOST_PANES] or found[:1]
