"""The API: each command is a route whose body is the command itself."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from handlers.catalogue import COMMANDS
from handlers.command import Command
from web.bearer import Key
from web.forms import LARGEST_TEXT
from web.giving import Giving, fit
from web.lists import add_lists
from web.parts import Parts
from web.reading import Looks

IdempotencyKey = Annotated[str | None, Header(pattern=r"^[\x21-\x7e]{1,100}$")]


def api_routes(parts: Parts, looks: Looks) -> APIRouter:
    """Everything below /api that needs a token."""
    router = APIRouter(prefix="/api", max_body_size=LARGEST_TEXT)
    giving = Giving(parts, looks)
    for name, kind in COMMANDS.items():
        if kind.in_api:
            _add_command(router, giving, name, kind)
    add_lists(router, parts, looks)
    return router


def _add_command(router: APIRouter, giving: Giving, name: str, kind: type[Command]) -> None:
    async def give(command: Command, key: Key, idempotency_key: IdempotencyKey = None) -> Response:
        outcome = await giving.give(key, fit(command), idempotency_key)
        return JSONResponse(outcome.body, outcome.status)

    give.__annotations__["command"] = kind
    router.add_api_route(
        f"/commands/{name}",
        give,
        methods=["POST"],
        status_code=201,
        operation_id=name,
        summary=(kind.__doc__ or name).splitlines()[0],
        tags=["commands"],
        responses=_REFUSALS,
    )


_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "No token, or one that opens nothing"},
    403: {"description": "The holder's posts do not give the ability"},
    404: {"description": "Not there, or not the holder's"},
    409: {"description": "Cannot be done as things stand: `message` says why"},
}
