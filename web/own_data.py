"""One's own data as a file: what the chat tells in words, in full, for whoever's chat it is."""

from typing import Final
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from handlers.command import Done, perform
from handlers.own_data import ExportMine
from handlers.refusal import Refusal
from handlers.writing import Writing
from web.live import Live
from web.login import WEBCHAT
from web.parts import Parts

FILE: Final = {
    "content-disposition": "attachment; filename=xiaoge-my-data.json",
    "cache-control": "no-store",
}


def own_data_routes(parts: Parts, live: Live) -> APIRouter:
    """GET /chat/my-data."""
    router = APIRouter(include_in_schema=False)

    @router.get("/chat/my-data")
    async def my_data(request: Request) -> Response:
        actor = (await live.speaker(request)).actor
        if actor is None:
            raise HTTPException(404, "这里还没有您的信息。")

        def job(session: Writing) -> Done | Refusal:
            work = parts.desk.work_in(session, actor, channel=WEBCHAT, message_id=uuid4().hex)
            outcome = perform(work, ExportMine())
            work.flush()
            return outcome

        outcome = await parts.lane.run(job, quiet=True)
        if isinstance(outcome, Refusal):
            raise HTTPException(404, "这里还没有您的信息。")
        return JSONResponse(jsonable_encoder(outcome.data), headers=FILE)

    return router
